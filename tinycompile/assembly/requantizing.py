"""Which instructions requantize: what the schedules of matrix products and depthwise convolutions share."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Requantizing:
    """Which instructions turn accumulators into outputs.

    `shift` is that of the channels 0, 2, ..., `odd_shift` that of 1, 3, ...; 0: each channel has its own in the stream.
    `doubled`: accumulators of packed channels are turned into twice the sums first.
    """

    shift: int
    half_away: bool
    low: int
    high: int
    odd_shift: int = 0
    doubled: bool = False

    @property
    def words(self) -> int:
        """Constants of each channel."""
        return 2 if self.shift else 3

    def shift_of(self, channel: int) -> int:
        """The common shift of a channel, 0 when it has its own."""
        return (self.odd_shift or self.shift) if channel % 2 else self.shift
