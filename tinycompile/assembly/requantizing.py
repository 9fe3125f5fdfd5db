"""Which instructions requantize: what the schedules of matrix products and depthwise convolutions share."""

from dataclasses import dataclass

from tinycompile.assembly.scheduler import Step, Value, Values


@dataclass(frozen=True)
class Requantizing:
    """Which instructions turn accumulators into outputs.

    `shift` is that of the channels 0, 2, ..., `odd_shift` that of 1, 3, ...; 0: each channel has its own in the stream.
    `doubled`: accumulators of packed and chained channels are turned into twice the sums first. `addend`: each channel has a
    constant that is added to its product with the multiplier.
    """

    shift: int
    half_away: bool
    low: int
    high: int
    odd_shift: int = 0
    doubled: bool = False
    addend: bool = True

    @property
    def words(self) -> int:
        """Constants of each channel: multiplier, constant, shift, as far as they are needed."""
        return 1 + self.addend + (self.shift == 0)

    def shift_of(self, channel: int) -> int:
        """The common shift of a channel, 0 when it has its own."""
        return (self.odd_shift or self.shift) if channel % 2 else self.shift

    def scale(self, x: int, multiplier: int, constant: int | None) -> Step:
        """The product of a sum and a multiplier, in the sum's register, and the constant if there is one."""
        return (
            ("multiply_high", x, x, multiplier) if constant is None else ("scale", x, x, multiplier, constant)
        )


def scaled(
    values: Values, how: Requantizing, total: Value, multiplier: Value, constant: Value | None
) -> Value:
    """The product of a sum and a multiplier, and the constant if there is one."""
    if constant is None:
        return values.emit("multiply_high", (total, multiplier))
    addend = values.emit("sign", (constant, total)) if how.half_away else constant
    return values.emit("scale", (total, multiplier, addend))
