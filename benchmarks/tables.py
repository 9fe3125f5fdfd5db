"""Tables of results beside bars and peers: plain text in cells, printed by render.py."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.checks import (
    Check,
    arena_check,
    build_check,
    cycles_check,
    estimate_error_percent,
    extra_cycles_percent,
    flash_checks,
    speed_checks,
)
from benchmarks.measure import TIMED_BUILDS, WITHIN, Build, Result
from benchmarks.references import Limits

NONE = "-"


@dataclass(frozen=True)
class Table:
    """A title, heads of columns, and rows of the same length."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def speed_table(results: Sequence[Result]) -> Table:
    """Instructions and modelled cycles of `--optimize speed` beside CMSIS-NN's and our bars."""
    columns = ["model"]
    for figure in ("instructions", "M7 cycles"):
        columns += [f"CMSIS-NN {figure}", "bar", "ours", "ratio", "bar is"]
    return Table(
        "Speed: `--optimize speed` on m7, in millions; cycles are modelled; ratio: CMSIS-NN to ours",
        (*columns, "exact"),
        tuple(_speed_row(result) for result in results),
    )


def _speed_row(result: Result) -> tuple[str, ...]:
    build, tflm, checks = result.builds.get("speed"), result.reference.tflm, speed_checks(result)
    row = [result.reference.name]
    for key, theirs in (("instructions", tflm.instructions), ("cycles_m7", tflm.cycles_m7)):
        ours, check = getattr(build, key, None), checks.get(key)
        row += [
            millions(theirs),
            millions(check.bar if check else None),
            millions(ours),
            _ratio(theirs, ours),
            _verdict(check),
        ]
    return (*row, _exact(build))


def build_table(results: Sequence[Result]) -> Table:
    """How long builds take, of the models that have a bar."""
    checks = [check for result in results if (check := build_check(result)) is not None]
    return Table(
        f"Build time: processor seconds of `tinycompile build` on one core, the least of {TIMED_BUILDS} builds",
        ("model", "bar", "ours", "bar is"),
        tuple(
            (check.model, f"{check.bar:.0f}", _seconds(check.measured), _verdict(check)) for check in checks
        ),
    )


def memory_table(results: Sequence[Result], mode: str, limits: Limits) -> Table:
    """Arena of `--optimize ram` or `balanced` beside TFLM's, TinyEngine's and our bars."""
    columns = ("model", "TFLM arena", "TinyEngine", "bar", "ours", "ratio", "bar is", "M7 cycles", "exact")
    return Table(
        f"Memory, {mode}: arena bytes of `--optimize {mode} --io quantized` with scratch and input; ratio: TFLM to ours "
        "with state; cycles: above those of `--optimize speed`",
        columns,
        tuple(_memory_row(result, mode, limits) for result in results),
    )


def _memory_row(result: Result, mode: str, limits: Limits) -> tuple[str, ...]:
    theirs, build, check = (
        result.reference.tflm.arena_bytes,
        result.builds.get(mode),
        arena_check(result, mode),
    )
    return (
        result.reference.name,
        full(theirs),
        full(result.reference.tinyengine_arena_bytes),
        full(check.bar if check else None),
        full(build.arena_bytes if build else None),
        _ratio(theirs, build.arena_bytes + build.state_bytes if build else None),
        _verdict(check),
        _cycles(extra_cycles_percent(result, mode), cycles_check(result, mode, limits)),
        _exact(build),
    )


def estimate_table(results: Sequence[Result], limits: Limits) -> Table:
    """The compiler's estimate of cycles beside the modelled cycles of the linked program."""
    within = f"within {limits.estimate_error_percent} %"
    columns = (
        "model",
        "estimated",
        "modelled",
        "difference",
        "of `balanced`",
        "of `ram`",
        within,
        "of `flash`",
    )
    return Table(
        "Estimate: sum of the layers' estimated cycles beside the modelled cycles of the whole inference, `--optimize speed`",
        columns,
        tuple(_estimate_row(result, limits) for result in results),
    )


def _estimate_row(result: Result, limits: Limits) -> tuple[str, ...]:
    build = result.builds.get("speed")
    errors = [estimate_error_percent(result.builds.get(mode)) for mode in ("speed", "balanced", "ram")]
    return (
        result.reference.name,
        full(build.estimated_cycles if build else None),
        full(build.cycles_m7 if build else None),
        *map(percent, errors),
        _within(errors, limits.estimate_error_percent),
        percent(estimate_error_percent(result.builds.get("flash"))),
    )


def flash_table(results: Sequence[Result]) -> Table:
    """Flash and cycles of `speed`, within the flash of TFLM and the model's file, and of `flash`."""
    columns = (
        "model", "TFLM", "`speed`", "M7 cycles", "within TFLM's", "instructions", "bar", "bar is", "M7 cycles",
        "`flash`", "M7 cycles", "exact",
    )  # fmt: skip
    return Table(
        "Flash: code and weights of `--optimize speed`, of the same with TFLM's code and the .tflite file as `--flash-limit`, "
        "and of `--optimize flash`; cycles: in millions, and as a multiple of those of `speed`",
        columns,
        tuple(_flash_row(result) for result in results),
    )


def _flash_row(result: Result) -> tuple[str, ...]:
    speed, within, least = (result.builds.get(mode) for mode in ("speed", WITHIN, "flash"))
    checks = {check.what: check for check in flash_checks(result)}
    bar = checks.get("instructions within it")
    return (
        result.reference.name,
        full(result.peer_flash_bytes),
        full(flash_bytes(speed)),
        millions(speed.cycles_m7 if speed else None),
        full(flash_bytes(within)),
        millions(within.instructions if within else None),
        millions(bar.bar if bar else None),
        _verdict(bar),
        _multiple(within, speed),
        full(flash_bytes(least)),
        _multiple(least, speed),
        "yes" if all(build.exact for build in (speed, within, least) if build) else "NO",
    )


def _multiple(build: Build | None, base: Build | None) -> str:
    return _ratio(build.cycles_m7 if build else None, base.cycles_m7 if base else None)


def total_table(results: Sequence[Result]) -> Table:
    """What an inference takes: RAM, flash, instructions, cycles, beside TFLM with CMSIS-NN."""
    columns = (
        "model",
        "RAM",
        "TFLM",
        "RAM of `ram`",
        "flash",
        "TFLM",
        "instructions",
        "TFLM",
        "M7 cycles",
        "TFLM",
    )
    return Table(
        "In all: `--optimize speed` beside TFLM with CMSIS-NN; RAM is arena, state and stack; flash is code and weights",
        columns,
        tuple(_total_row(result) for result in results),
    )


def _total_row(result: Result) -> tuple[str, ...]:
    build, tflm = result.builds.get("speed"), result.reference.tflm
    return (
        result.reference.name,
        full(ram_bytes(build)),
        full(_sum(tflm.arena_bytes, tflm.stack_bytes)),
        full(ram_bytes(result.builds.get("ram"))),
        full(flash_bytes(build)),
        full(result.peer_flash_bytes),
        full(build.instructions if build else None),
        full(tflm.instructions),
        full(build.cycles_m7 if build else None),
        full(tflm.cycles_m7),
    )


def ram_bytes(build: Build | None) -> int | None:
    """Everything in RAM that an inference needs."""
    return _sum(build.arena_bytes, build.state_bytes, build.stack_bytes) if build else None


def flash_bytes(build: Build | None) -> int | None:
    """Everything in flash: code, tables and weights."""
    return build.flash_bytes if build else None


def flash_summary(results: Sequence[Result]) -> str:
    """Where we take more flash than TFLM with its model file: weights in wider forms, a kernel for each shape."""
    compared = [
        (result.reference.name, ours, theirs)
        for result in results
        if (ours := flash_bytes(result.builds.get("speed"))) is not None
        and (theirs := result.peer_flash_bytes) is not None
    ]
    more = [f"{name} ({ours:,} beside {theirs:,})" for name, ours, theirs in compared if ours > theirs]
    head = f"{len(more)} of {len(compared)} models take more flash than TFLM and the .tflite file"
    return f"{head}: {', '.join(more)}." if more else f"{head}."


def full(value: float | None) -> str:
    """A figure with all its digits."""
    return NONE if value is None else f"{value:,.0f}"


def millions(value: float | None) -> str:
    """A figure in millions, with four digits or three decimals."""
    if value is None:
        return NONE
    return f"{value / 1e6:.2f}" if value >= 1e7 else f"{value / 1e6:.3f}"


def _seconds(value: float | None) -> str:
    return NONE if value is None else f"{value:.2f}"


def percent(value: float | None) -> str:
    """A signed percentage."""
    return NONE if value is None else f"{value:+.1f} %"


def _sum(*values: int | None) -> int | None:
    present = [value for value in values if value is not None]
    return sum(present) if len(present) == len(values) else None


def _ratio(theirs: float | None, ours: float | None) -> str:
    return f"{theirs / ours:.2f}x" if theirs and ours else NONE


def _verdict(check: Check | None) -> str:
    if check is None:
        return NONE
    return f"missed {check.shortfall}" if check.verdict == "missed" else check.verdict


def _cycles(extra: float | None, check: Check | None) -> str:
    if check is None or extra is None:
        return percent(extra)
    return f"{percent(extra)} {check.verdict}"


def _exact(build: Build | None) -> str:
    if build is None:
        return NONE
    return "yes" if build.exact else "NO"


def _within(errors: Sequence[float | None], limit: int) -> str:
    measured = [abs(error) for error in errors if error is not None]
    if not measured:
        return NONE
    return "yes" if max(measured) <= limit else "no"
