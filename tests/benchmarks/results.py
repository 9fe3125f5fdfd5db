"""Results written by hand, so that the tables are tested without a measurement."""

from dataclasses import replace

from benchmarks.measure import Build, Result
from benchmarks.references import Bars, Limits, Peer, Reference

LIMITS = Limits(balanced_extra_cycles_percent=10, estimate_error_percent=10)

BUILD = Build(
    instructions=900,
    cycles_m7=1_000,
    estimated_cycles=1_000,
    arena_bytes=64,
    state_bytes=0,
    stack_bytes=16,
    code_bytes=200,
    weights_bytes=100,
    exact=True,
    samples=4,
)

REFERENCE = Reference(
    name="toy",
    tflm=Peer(instructions=3_600, cycles_m7=3_000, arena_bytes=512, stack_bytes=128, code_bytes=1_000),
    tinyengine_arena_bytes=256,
    bars=Bars(
        instructions=900,
        cycles_m7=800,
        ram_arena_bytes=64,
        balanced_arena_bytes=60,
        ram_extra_cycles_percent=5,
    ),
)


def result(reference: Reference = REFERENCE, **builds: Build) -> Result:
    """A result of a model of 500 bytes."""
    return Result(reference, 500, builds)


def build(**figures: int | bool | None) -> Build:
    """A build that differs from BUILD in these figures."""
    return replace(BUILD, **figures)  # type: ignore[arg-type]


def cells(columns: tuple[str, ...], row: tuple[str, ...], head: str) -> list[str]:
    """The cells of a row below a head; heads may be there twice."""
    return [cell for name, cell in zip(columns, row, strict=True) if name == head]
