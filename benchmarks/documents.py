"""Writes docs/benchmarks.md and the figures of README.md out of one run."""

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from textwrap import fill

from benchmarks.checks import (
    build_check,
    estimate_summary,
    flash_checks,
    memory_checks,
    speed_checks,
    summary,
)
from benchmarks.measure import BOARD, ROOT, Result
from benchmarks.references import References
from benchmarks.render import Section, as_markdown, gaps
from benchmarks.tables import flash_summary, total_table
from tinycompile.version import __version__

DOCUMENT = ROOT / "docs" / "benchmarks.md"
README = ROOT / "README.md"
BEGIN = "<!-- figures: `python -m benchmarks --markdown` writes what follows -->"
END = "<!-- end of figures -->"

_DEMO_MODEL = "examples/digits/digits_int8.tflite"

_HEAD = f"""# Benchmarks

`make bench` prints these tables for the current checkout. This page was written by `python -m benchmarks --markdown` with
tinycompile {__version__}; do not edit it.

Every build is compared byte for byte with the reference before it is measured. Figures are those of the second inference on QEMU
`mps2-an500` (Cortex-M7), the whole of `invoke`. Instructions are counted exactly. Cycles are **modelled**: exact counts of basic
blocks times a static cost of each block; nothing here was measured on a board. A ratio above 1 is in our favour; "missed" says
by how much. Bars and the figures of others are data: [references.toml](../benchmarks/references.toml).
"""


def write_documents(
    results: Sequence[Result], references: References, report: Sequence[Section]
) -> tuple[Path, ...]:
    """Write both documents; the paths that were written."""
    DOCUMENT.write_text(document(results, references, report), encoding="utf-8")
    readme = with_figures(README.read_text(encoding="utf-8"), readme_figures(results, references, demo()))
    README.write_text(readme, encoding="utf-8")
    return DOCUMENT, README


def document(results: Sequence[Result], references: References, report: Sequence[Section]) -> str:
    """The text of docs/benchmarks.md."""
    parts = [_HEAD]
    for section in report:
        subject, _, rest = section.table.title.partition(": ")
        parts += [f"## {subject}\n", f"{rest[0].upper()}{rest[1:]}.\n", as_markdown(section.table)]
        parts += [f"{sentence}\n" for sentence in section.sentences]
    if said := gaps(results):
        parts += ["## Not measured or not exact\n", *(f"* {sentence}" for sentence in said), ""]
    parts += ["## Sources\n", *(f"* {name}: {source}" for name, source in references.sources.items())]
    return "\n".join(parts) + "\n"


def readme_figures(results: Sequence[Result], references: References, demo_text: str) -> str:
    """The figures of README.md: the demo's own output, MLPerf Tiny's models, and which bars are not met."""
    listed = [result for result in results if result.reference.mlperf_tiny]
    speed = [check for result in results for check in speed_checks(result).values()]
    flash = [check for result in results for check in flash_checks(result)]
    memory = [check for result in results for check in memory_checks(result, references.limits)]
    timed = [check for result in results if (check := build_check(result)) is not None]
    said = (
        f"Speed: {summary(speed)}",
        f"Memory: {summary(memory)}",
        f"Build time: {summary(timed)}",
        f"Flash with `--optimize speed`: {flash_summary(results)}",
        f"Within that flash (`--flash-limit`): {summary(flash)}",
        f"Estimates: {estimate_summary(results, references.limits, named=False)}",
        *gaps(results),
    )
    return "\n".join((
        "The digits model of this repository, as `make demo` prints it:\n",
        f"```\n{demo_text}```\n",
        "MLPerf Tiny's models with `--optimize speed` on the emulated Cortex-M7, beside TensorFlow Lite Micro with",
        "CMSIS-NN (TFLM) on the same emulator. RAM is arena, state and stack in bytes, flash is code and weights (of TFLM: its",
        "code and the .tflite file); instructions are counted, cycles are modelled, and nothing was measured on a board.\n",
        as_markdown(total_table(listed)),
        "What falls short of the bars that the project set itself (all figures: [docs/benchmarks.md](docs/benchmarks.md)):\n",
        *(fill(f"* {sentence}", 130, subsequent_indent="  ", break_long_words=False) for sentence in said),
    )) + "\n"  # fmt: skip


def with_figures(text: str, figures: str) -> str:
    """A document whose lines between the marks are replaced.

    Raises:
        ValueError: the marks are not there.
    """
    pattern = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"the document has no lines `{BEGIN}` and `{END}`")
    return pattern.sub(lambda _: f"{BEGIN}\n{figures}{END}", text)


def demo() -> str:
    """What the commands of `make demo` print for the digits model, without the layers."""
    parts = []
    for command in ("build", "verify", "bench"):
        arguments = [command, _DEMO_MODEL, "--board", BOARD]
        done = subprocess.run(
            [sys.executable, "-m", "tinycompile", *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        parts.append(f"$ tinycompile {' '.join(arguments)}\n{done.stdout}")
    return "".join(parts)
