"""How much flash the printed C takes, estimated from its text: a build has no compiler, and the same input gives the same C.

Assembly is told instruction by instruction. What GCC makes of C goes with the number of tokens, beside some that stand for much:
a general requantization is printed in place, library functions are linked once. The figures are a line through the linked
code of whole models for Cortex-M (`python -m benchmarks` compares), placed so that it is rather above than below.
"""

import re
from collections import Counter

from tinycompile.program import Program

_BYTES_PER_INSTRUCTION = 3.9
"""Nearly all instructions of the kernels have four bytes."""
_BYTES_PER_TOKEN = 0.27
_REQUANTIZATION_BYTES = 185
_DOT_PRODUCT_BYTES = 45
_FUNCTION_BYTES = 48
_LIBRARY_BYTES = 600
_LIBRARY = re.compile(r"\b(?:memcpy|memmove|memset)\b")
_FIRMWARE_BYTES = 1152
"""Vectors, start-up code and the API of a model."""

_IN_PLACE = {
    "tc_requantize": _REQUANTIZATION_BYTES,
    "tc_multiply": _REQUANTIZATION_BYTES,
    "tc_dot": _DOT_PRODUCT_BYTES,
    "tc_sum": _DOT_PRODUCT_BYTES,
}
"""Functions of `runtime_c/` that are compiled where they are called, by the beginnings of their names."""
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_PORTABLE_PART = re.compile(r"^#else$.*?^#endif$", re.DOTALL | re.MULTILINE)
"""What processors without the instructions of the first part compile."""
_ASSEMBLY = re.compile(r'^\s*"(.*?)(?:\\n(?:\\t)?)?"[\s);]*$')
_TOKEN = re.compile(r"\w+|[^\w\s]")


def estimated_code_bytes(program: Program, code: str) -> int:
    """Bytes in flash of what is generated beside the weights: its `code` as it is printed, and small tables."""
    text = _COMMENT.sub("", code)
    used = set(_LIBRARY.findall(text))
    tables = sum(constant.bytes for constant in program.constants if not constant.is_weight)
    return _FIRMWARE_BYTES + len(used) * _LIBRARY_BYTES + _bytes_without_comments(text) + tables


def text_bytes(text: str) -> int:
    """Bytes that a C text takes, without the library functions that it calls."""
    return _bytes_without_comments(_COMMENT.sub("", text))


def _bytes_without_comments(text: str) -> int:
    instructions, tokens = 0, Counter[str]()
    lines = Counter(_PORTABLE_PART.sub("", text).splitlines())
    for line, times in lines.items():
        found = _ASSEMBLY.match(line)
        if found:
            instructions += times * _is_instruction(found[1].strip())
        elif not line.startswith(("#", "extern ")):
            tokens.update(_TOKEN.findall(line) * times)
    in_place = sum(
        n * bytes_each
        for name, n in tokens.items()
        for start, bytes_each in _IN_PLACE.items()
        if name.startswith(start)
    )
    return round(
        instructions * _BYTES_PER_INSTRUCTION
        + tokens.total() * _BYTES_PER_TOKEN
        + in_place
        + tokens["static"] * _FUNCTION_BYTES
    )


def _is_instruction(text: str) -> bool:
    return bool(text) and not text.startswith(".") and not text.endswith(":")
