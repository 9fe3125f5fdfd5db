"""Where matrix products store their outputs: as the tensor has them, or as planar rows."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Places:
    """Places of pixels with `channels` channels: int8, all channels of a pixel after each other.

    With `plane_bytes` int16, the pixels of a channel after each other, and channels so many bytes apart: a planar row.
    """

    channels: int
    plane_bytes: int = 0

    @property
    def store(self) -> str:
        """The step that stores an output."""
        return "store_half" if self.plane_bytes else "store_byte"

    def place(self, pixel: int, channel: int) -> int:
        """Bytes from the first output to another one."""
        if self.plane_bytes:
            return 2 * pixel + channel * self.plane_bytes
        return pixel * self.channels + channel
