"""Which instructions requantize: what the schedules of matrix products and depthwise convolutions share."""

from dataclasses import dataclass

from tinycompile.assembly.scheduler import Step, Value, Values


@dataclass(frozen=True)
class Requantizing:
    """Which instructions turn accumulators into outputs.

    `shift` is that of the channels 0, 2, ..., `odd_shift` that of 1, 3, ...; 0: each channel has its own in the stream.
    `doubled`: accumulators of packed channels are turned into twice the sums first. `constant`: what is added to the
    product with the multiplier; 0: nothing, None: each channel has its own in the stream. Others than 0 are
    for Strassen's products.
    """

    shift: int
    half_away: bool
    low: int
    high: int
    odd_shift: int = 0
    doubled: bool = False
    constant: int | None = None

    @property
    def words(self) -> int:
        """Constants of each channel: multiplier, constant, shift, as far as they are needed."""
        return 1 + (self.constant is None) + (self.shift == 0)

    def shift_of(self, channel: int) -> int:
        """The common shift of a channel, 0 when it has its own."""
        return (self.odd_shift or self.shift) if channel % 2 else self.shift

    def scale(self, x: int, multiplier: int, addend: int | None) -> Step:
        """The product of a sum and a multiplier, in the sum's register, and the constant if there is one."""
        if self.constant == 0:
            return ("multiply_high", x, x, multiplier)
        assert addend is not None
        return ("scale", x, x, multiplier, addend)


def scaled(
    values: Values, how: Requantizing, total: Value, multiplier: Value, constant: Value | None
) -> Value:
    """The product of a sum and a multiplier, and the constant if there is one."""
    assert not how.constant
    if constant is None:
        return values.emit("multiply_high", (total, multiplier))
    addend = values.emit("sign", (constant, total)) if how.half_away else constant
    return values.emit("scale", (total, multiplier, addend))
