"""Peers' figures and our bars, read from references.toml."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PATH = Path(__file__).with_name("references.toml")


@dataclass(frozen=True)
class Peer:
    """What TensorFlow Lite Micro with CMSIS-NN takes for one inference; None where it was not measured."""

    instructions: int | None = None
    cycles_m7: int | None = None
    arena_bytes: int | None = None
    stack_bytes: int | None = None
    code_bytes: int | None = None
    """Flash without the model."""


@dataclass(frozen=True)
class Bars:
    """The most that we may take; None where no bar was set."""

    instructions: int | None = None
    """Of `--optimize speed`, like `cycles_m7`."""
    cycles_m7: int | None = None
    packed_instructions: int | None = None
    """Within the flash of TFLM and the model's file; also in place of `instructions` when the weights of `--optimize speed` take
    no more than in the model (a tenth more for biases and scales)."""
    ram_arena_bytes: int | None = None
    balanced_arena_bytes: int | None = None
    ram_extra_cycles_percent: int | None = None
    """Modelled cycles of `--optimize ram` above those of `speed`."""
    build_seconds: int | None = None
    """Of `tinycompile build` from start to end, on a computer of two cores that does nothing else."""


@dataclass(frozen=True)
class Reference:
    """A model with its bars and what peers reach on it."""

    name: str
    file: str | None = None
    """Path from the root of the checkout; None: NAME.tflite in the folder of real models."""
    oracle: str = "tflite-runtime"
    mlperf_tiny: bool = False
    tflm: Peer = field(default_factory=Peer)
    tinyengine_arena_bytes: int | None = None
    bars: Bars = field(default_factory=Bars)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Limits:
    """Bars that hold for every model."""

    balanced_extra_cycles_percent: int
    estimate_error_percent: int
    host_time_ratio: float = 1.5
    """Time of an inference on the host, as a multiple of tflite-runtime's with one thread."""


@dataclass(frozen=True)
class References:
    """Everything in references.toml."""

    sources: Mapping[str, str]
    limits: Limits
    models: tuple[Reference, ...]


def load_references(path: Path = PATH) -> References:
    """Read the file; an unknown key is a TypeError, for the file is ours."""
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    return References(data["sources"], Limits(**data["limits"]), tuple(map(_reference, data["model"])))


def _reference(entry: dict[str, Any]) -> Reference:
    nested = {
        "tflm": Peer(**entry.get("tflm", {})),
        "bars": Bars(**entry.get("bars", {})),
        "notes": tuple(entry.get("notes", ())),
    }
    return Reference(**{**entry, **nested})
