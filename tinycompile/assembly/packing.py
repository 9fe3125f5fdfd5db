"""How long halves and bytes wait that are put together: a shifted operand is read a cycle earlier than others."""

_PACKING = frozenset({"pkhtb", "pkhbt", "add_shifted"})
_PACKED = {"smlawb": 1, "smlawt": 1, "saturate_unsigned": 1, "pkhtb": 0, "add_shifted": 0}
"""By how many cycles their results are later than in an accumulator, or in a store."""


def packing_wait(first: str, second: str, is_shifted: bool) -> int | None:
    """Cycles beyond the latency from a result to its use as a plain or shifted operand; None for what packs nothing."""
    return _PACKED[first] + is_shifted if second in _PACKING and first in _PACKED else None
