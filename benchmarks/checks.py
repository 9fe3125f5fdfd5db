"""What was measured against what was to be reached."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil

from benchmarks.measure import WITHIN, Build, Result
from benchmarks.references import Limits

_PACKED = 1.1


@dataclass(frozen=True)
class Check:
    """One figure that has a bar. A build with wrong outputs passes nothing."""

    model: str
    what: str
    measured: float | None
    bar: float
    exact: bool

    @property
    def met(self) -> bool:
        """The figure is at most the bar, on exact outputs."""
        return self.exact and self.measured is not None and self.measured <= self.bar

    @property
    def verdict(self) -> str:
        """`met`, or why not."""
        if self.measured is None:
            return "not measured"
        if not self.exact:
            return "not exact"
        return "met" if self.met else "missed"

    @property
    def shortfall(self) -> str:
        """By how much the bar is missed, rounded up to a tenth so that it is never shown as 0."""
        assert self.measured is not None
        return f"+{ceil(1000 * (self.measured - self.bar) / self.bar) / 10:.1f} %"


@dataclass(frozen=True)
class ExtraCycles(Check):
    """Cycles above those of `speed`: the figure and its bar are percentages already."""

    @property
    def shortfall(self) -> str:
        """The percentage beside its bar, rounded up so that the two are never shown as equal."""
        assert self.measured is not None
        return f"+{ceil(10 * self.measured) / 10:.1f} %, bar +{self.bar:.0f} %"


def speed_checks(result: Result) -> dict[str, Check]:
    """The bars of issue 4: `instructions` and `cycles_m7` of `--optimize speed`."""
    build, bars, name = result.builds.get("speed"), result.reference.bars, result.reference.name
    checks = {}
    packed = bars.packed_instructions if _is_packed(result, build) else None
    for key, what, bar in (
        ("instructions", "instructions", packed or bars.instructions),
        ("cycles_m7", "cycles", bars.cycles_m7),
    ):
        if bar is not None:
            checks[key] = Check(name, what, getattr(build, key, None), bar, _is_exact(build))
    return checks


def _is_packed(result: Result, build: Build | None) -> bool:
    """True when weights, with the constants of requantization, take hardly more flash than the model's file."""
    return build is not None and build.weights_bytes <= _PACKED * (result.model_bytes or 0)


def build_check(result: Result) -> Check | None:
    """The bar of issue 4 for the time of a build."""
    bar = result.reference.bars.build_seconds
    return None if bar is None else Check(result.reference.name, "build", result.build_seconds, bar, True)


def flash_checks(result: Result) -> tuple[Check, ...]:
    """What holds at the flash of TFLM and the model's file: that it is kept, and issue 4's bar of instructions within it."""
    build, name = result.builds.get(WITHIN), result.reference.name
    limit, bar = result.peer_flash_bytes, result.reference.bars.packed_instructions
    if limit is None:
        return ()
    exact = _is_exact(build)
    checks = [Check(name, "flash", build.flash_bytes if build else None, limit, exact)]
    if bar is not None:
        checks.append(
            Check(name, "instructions within it", build.instructions if build else None, bar, exact)
        )
    return tuple(checks)


def arena_check(result: Result, mode: str) -> Check | None:
    """The bar of issue 5 for the arena of `ram` or `balanced`."""
    bars, build = result.reference.bars, result.builds.get(mode)
    bar = {"ram": bars.ram_arena_bytes, "balanced": bars.balanced_arena_bytes}[mode]
    if bar is None:
        return None
    measured = build.arena_bytes if build else None
    return Check(result.reference.name, f"{mode} arena", measured, bar, _is_exact(build))


def cycles_check(result: Result, mode: str, limits: Limits) -> Check | None:
    """The bar of issue 5 for the cycles of `ram` or `balanced`, in percent above those of `speed`."""
    bars = result.reference.bars
    balanced = limits.balanced_extra_cycles_percent if bars.balanced_arena_bytes is not None else None
    bar = {"ram": bars.ram_extra_cycles_percent, "balanced": balanced}[mode]
    if bar is None:
        return None
    exact = _is_exact(result.builds.get(mode))
    return ExtraCycles(
        result.reference.name, f"{mode} cycles", extra_cycles_percent(result, mode), bar, exact
    )


def memory_checks(
    result: Result, limits: Limits, modes: Sequence[str] = ("ram", "balanced")
) -> tuple[Check, ...]:
    """The bars of issue 5 for a model."""
    made = [
        check for mode in modes for check in (arena_check(result, mode), cycles_check(result, mode, limits))
    ]
    return tuple(check for check in made if check is not None)


def extra_cycles_percent(result: Result, mode: str) -> float | None:
    """Modelled cycles of a build above those of `speed`."""
    build, base = result.builds.get(mode), result.builds.get("speed")
    if build is None or base is None or build.cycles_m7 is None or not base.cycles_m7:
        return None
    return 100 * (build.cycles_m7 - base.cycles_m7) / base.cycles_m7


def estimate_error_percent(build: Build | None) -> float | None:
    """Estimated above modelled cycles, in percent of the modelled ones."""
    if build is None or not build.cycles_m7:
        return None
    return 100 * (build.estimated_cycles - build.cycles_m7) / build.cycles_m7


def summary(checks: Iterable[Check]) -> str:
    """How many bars are met, and every one that is not."""
    listed = tuple(checks)
    missed = [check for check in listed if not check.met]
    head = f"{len(listed) - len(missed)} of {len(listed)} bars are met"
    if not missed:
        return f"{head}."
    return f"{head}; not met: {', '.join(map(_shortfall, missed))}."


def estimate_summary(results: Iterable[Result], limits: Limits, *, named: bool = True) -> str:
    """How many builds' estimates agree with the modelled cycles, and (`named`) which do not.

    Those of `--optimize flash` are told in the table only: small kernels are C, of which no schedule is known.
    """
    errors = {
        f"{result.reference.name} {mode}": error
        for result in results
        for mode, build in result.builds.items()
        if mode != "flash" and (error := estimate_error_percent(build)) is not None
    }
    off = {name: error for name, error in errors.items() if abs(error) > limits.estimate_error_percent}
    within = f"within {limits.estimate_error_percent} % of the modelled cycles"
    head = f"{len(errors) - len(off)} of {len(errors)} estimates are {within}"
    if not off or not named:
        return f"{head}."
    return f"{head}; off: {', '.join(f'{name} ({error:+.1f} %)' for name, error in off.items())}."


def _shortfall(check: Check) -> str:
    if check.verdict != "missed":
        return f"{check.model} {check.what} ({check.verdict})"
    return f"{check.model} {check.what} ({check.shortfall})"


def _is_exact(build: Build | None) -> bool:
    return build is not None and build.exact
