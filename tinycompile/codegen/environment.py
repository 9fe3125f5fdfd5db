"""The Jinja environment of the generated C: our marks (see `tinycompile.templating`), and filters that print C."""

from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import jinja2
import numpy as np
from numpy.typing import NDArray

from tinycompile.resources import templates_dir
from tinycompile.templating import MARKS

_LINE_WIDTH = 118


@cache
def environment() -> jinja2.Environment:
    """The environment over the folder `templates/`."""
    made = jinja2.Environment(
        loader=jinja2.ChoiceLoader(
            [jinja2.FileSystemLoader(templates_dir()), jinja2.FunctionLoader(_template_of_plugin)]
        ),
        extensions=["jinja2.ext.do"],
        autoescape=False,
        optimized=False,  # our templates have no constants to fold, and most are printed once
        **MARKS,
    )
    made.globals["fail"] = _fail
    made.filters["asm_text"] = asm_text
    made.filters["c_array"] = c_array
    made.filters["c_comment"] = c_comment
    made.filters["c_float"] = c_float
    return made


def _template_of_plugin(path: str) -> str | None:
    """Templates of custom operators stand beside their Python file, and are named by their absolute path."""
    file = Path(path)
    return file.read_text(encoding="utf-8") if file.is_absolute() and file.is_file() else None


def asm_text(text: str, indent: int = 4) -> str:
    """Lines of assembly as the string literals of a C `__asm__`; blank lines go, labels stay at the margin."""
    lines = (line.strip().replace('"', '\\"') for line in text.splitlines())
    made = [f'"{line}\\n"' if line.endswith(":") else f'"    {line}\\n"' for line in lines if line]
    return "\n".join(" " * indent + line for line in made)


def c_array(values: NDArray[Any], indent: int = 4) -> str:
    """The elements of a constant as the lines of a C initialiser, in row-major order."""
    flat = np.ascontiguousarray(values).reshape(-1)
    texts = [c_float(float(v)) for v in flat] if flat.dtype.kind == "f" else _integers(flat)
    per_line = max(1, (_LINE_WIDTH - indent) // (max(map(len, texts), default=1) + 2))
    lines = (", ".join(texts[i : i + per_line]) for i in range(0, len(texts), per_line))
    return (",\n" + " " * indent).join(lines)


def c_comment(text: str) -> str:
    """Text of the model made safe inside a C comment: no end mark, no line break, ASCII only."""
    printable = "".join(c if " " <= c <= "~" else "?" for c in str(text))
    return printable.replace("*/", "* /").replace("/*", "/ *")


def c_float(value: float) -> str:
    """A float32 literal that reads back to the same bits."""
    if np.isnan(value):
        return "NAN"
    if np.isinf(value):
        return "INFINITY" if value > 0 else "-INFINITY"
    text = np.format_float_scientific(np.float32(value), unique=True, trim="0")
    return f"{text}f"


def _integers(flat: NDArray[Any]) -> list[str]:
    """Decimal literals; the least int32 and int64 have none and are written as a difference."""
    if flat.dtype.itemsize == 1:
        table = (
            [str(v) for v in range(256)] if flat.dtype.kind in "ub" else [str(v) for v in range(-128, 128)]
        )
        offset = 0 if flat.dtype.kind in "ub" else 128
        return [table[v] for v in (flat.astype(np.int64) + offset).tolist()]
    least = {4: "(-2147483647 - 1)", 8: "(-9223372036854775807LL - 1)"}.get(flat.dtype.itemsize, "")
    suffix = "u" if flat.dtype.kind == "u" else ""
    wide = suffix + "LL" if flat.dtype.itemsize == 8 else suffix
    texts = [f"{v}{wide}" for v in flat.tolist()] if wide else list(map(str, flat.tolist()))
    if least and flat.dtype.kind == "i":
        for index in np.flatnonzero(flat == np.iinfo(flat.dtype).min):
            texts[index] = least
    return texts


def _fail(message: str) -> NoReturn:
    """Let a template refuse parameters that it was not written for: our own mistake."""
    raise AssertionError(message)
