"""Four scaled sums become bytes of the output: saturated to int8 and stored one by one, or within bounds and stored as a word.

With bounds low and high the sums come less low, so that USAT to eight bits is the lower bound. Four bytes are put into a word, to
which UQADD8 adds 255 - (high - low), so that it saturates where the upper bound is; USUB8 takes 255 - high off again.
"""

from tinycompile.assembly.scheduler import Value, Values

STACK = 13
BOUND_OFFSETS = (0, 4)
"""Where on the stack the words lie that UQADD8 adds and USUB8 takes off."""


class ByteOutputs:
    """Appends the operations to `values`; sums come in any order, those of a word one after the other."""

    def __init__(self, values: Values, out: int, shift: int, bounded: bool) -> None:
        self._values, self._out, self._shift, self._bounded = values, out, shift, bounded
        self._waiting: dict[int, Value] = {}

    def put(self, total: Value, place: int, byte: int) -> None:
        """The sum of byte 0 to 3 of the word at `place`, before the shift."""
        values = self._values
        if not self._bounded:
            result = values.emit("saturate", (total,), (self._shift,))
            values.effect("store_byte", (result, self._out), (place + byte,))
            return
        waiting = self._waiting
        waiting[byte] = values.emit("saturate_unsigned", (total,), (self._shift,))
        first = byte & 2
        if first in waiting and first + 1 in waiting:
            waiting[first] = values.emit("add_shifted", (waiting[first], waiting.pop(first + 1)), (8,))
            waiting[first + 4] = waiting.pop(first)
        if len(waiting) == 2 and min(waiting) >= 4:
            self._store(values.emit("pkhbt", (waiting.pop(4), waiting.pop(6))), place)

    def _store(self, word: Value, place: int) -> None:
        values = self._values
        for kind, offset in zip(("uqadd8", "usub8"), BOUND_OFFSETS, strict=True):
            word = values.emit(kind, (word, values.emit("load", (STACK,), (offset,))))
        values.effect("store", (word, self._out), (place,))
