"""What instructions occupy in a core that issues two of them in a cycle, a Cortex-M7."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Unit:
    """What a kind of operation occupies: `name` once in a cycle (`count` times), `latency` cycles until its result is there."""

    name: str
    latency: int
    count: int = 1
    alone: bool = False
    """Nothing else is issued in its cycle."""
    late: bool = False
    """It ends a cycle later than others; since instructions end in order, none of the others can follow in its cycle."""
    leads: bool = False
    """It can only be the first one of its cycle."""


def may_pair(first: Unit, second: Unit) -> bool:
    """True when `second` may follow `first` in the same cycle."""
    return not (first.alone or second.alone or second.leads) and second.late >= first.late


_MULTIPLY = Unit("multiply", 1, late=True)
_LOAD = Unit("load", 1, count=2)
_SHIFT = Unit("shift", 1)
_EXTEND = Unit("shift", 1, leads=True)
_SATURATE = Unit("shift", 1, late=True, leads=True)
UNITS: dict[str, Unit] = {
    "smlad": _MULTIPLY, "smlabb": _MULTIPLY, "smlabt": _MULTIPLY, "smlatb": _MULTIPLY, "smlatt": _MULTIPLY,
    "smlawb": _MULTIPLY, "smlawt": _MULTIPLY, "smulbb": _MULTIPLY, "smultt": _MULTIPLY,
    "smuad": _MULTIPLY, "multiply_add": _MULTIPLY, "scale": _MULTIPLY, "multiply_high": _MULTIPLY, "multiply": _MULTIPLY,
    "load": _LOAD, "load_next": _LOAD, "load_pair": Unit("load", 1, alone=True), "load_many": Unit("load", 1, alone=True),
    "load_pair_next": Unit("load", 1, alone=True), "load_many_next": Unit("load", 1, alone=True),
    "load_byte": Unit("load", 3, count=2, late=True), "load_byte_unsigned": Unit("load", 3, count=2, late=True),
    "lookup": Unit("load", 2, count=2, late=True),
    "sxtb16": _EXTEND, "sxtb16_ror8": _EXTEND, "pkhbt": _EXTEND, "pkhtb": _EXTEND, "sadd16": _EXTEND, "ssub16": _EXTEND,
    "uxtab16_ror8": _EXTEND, "highest_bits": _SHIFT,
    "ssub8": _EXTEND, "sel": _EXTEND, "uqadd8": Unit("shift", 2, leads=True), "usub8": _EXTEND,
    "uxtb16": _EXTEND, "uxtb16_ror8": _EXTEND, "extend_add": _EXTEND, "extend_half_add": _EXTEND, "add_high": _SHIFT,
    "add_shifted": _SHIFT, "sxtab16": _EXTEND, "sxtab16_ror8": _EXTEND,
    "sub_shifted": _SHIFT, "sub_high": _SHIFT, "shift_left": _SHIFT,
    "sign": _SHIFT, "shift": _SHIFT, "shift_right": _SHIFT, "saturate": _SATURATE, "saturate_unsigned": _SATURATE,
    "add": Unit("add", 1, count=2), "sub": Unit("add", 1, count=2), "move": Unit("add", 1, count=2),
    "eor": Unit("add", 1, count=2), "mask": Unit("add", 1, count=2), "mask_shifted": _SHIFT,
    "advance": Unit("add", 1, count=2), "compare": Unit("add", 1, count=2),
    "test": Unit("add", 1, count=2), "constant": Unit("add", 1, count=2),
    "constant_high": Unit("add", 1, count=2), "flip_signs": Unit("add", 1, count=2), "high_bytes": Unit("add", 1, count=2),
    "clamp": Unit("shift", 2, alone=True, late=True),
    "store": Unit("store", 1, late=True), "store_byte": Unit("store", 1, late=True), "store_half": Unit("store", 1, late=True),
    "store_pair": Unit("store", 1, alone=True, late=True),
}  # fmt: skip
