"""A static bound of the stack of `NAME_invoke`: the deepest chain of calls, with the frames that the compiler states.

Frames and calls come from GCC's `-fcallgraph-info=su` (one .ci file a source file); functions without one are read off their
machine code.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tinycompile.toolchain.cmake import Firmware
from tinycompile.toolchain.generated import Generated
from tinycompile.toolchain.machine_stack import LinkedProgram

_NODE = re.compile(
    r'node: \{ title: "([^"]*)" label: "[^"]*?(\d+) bytes \((static|dynamic,bounded|dynamic|bounded)\)'
)
_EDGE = re.compile(r'edge: \{ sourcename: "([^"]*)" targetname: "([^"]*)"')


@dataclass(frozen=True)
class StackBound:
    """The bound; None when something on the way has none, and then `unknown` names it."""

    stack_bytes: int | None
    chain: tuple[str, ...] = ()
    """The deepest chain of calls, from `NAME_invoke` down."""
    from_machine_code: tuple[str, ...] = ()
    """Functions whose frame was read off their code."""
    unknown: tuple[str, ...] = ()


@dataclass
class _Graph:
    frames: dict[str, int] = field(default_factory=dict)
    calls: dict[str, set[str]] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    from_machine_code: set[str] = field(default_factory=set)


def stack_bound(generated: Generated, firmware: Firmware) -> StackBound:
    """The bound of a firmware for an emulated board, compiled by GCC."""
    objects = firmware.directory / "model" / "CMakeFiles" / f"{generated.name}.dir"
    graph = _read_graph(sorted(objects.rglob("*.ci")))
    assert firmware.minimal is not None, "the bound is that of a build without trace"
    _complete(graph, LinkedProgram(firmware.minimal))
    entry = f"{generated.name}_invoke"
    reached = _reached(graph.calls, entry)
    unknown = tuple(
        sorted(_short(name) for name in (graph.unknown & reached) | _recursive(graph.calls, entry))
    )
    if unknown or entry not in graph.frames:
        return StackBound(None, unknown=unknown or (entry,))
    depth, chain = _deepest(graph, entry, {})
    return StackBound(
        depth, tuple(_short(name) for name in chain), tuple(sorted(graph.from_machine_code & reached))
    )


def _read_graph(paths: list[Path]) -> _Graph:
    graph = _Graph()
    for path in paths:
        text = path.read_text(encoding="utf-8", errors="replace")
        for name, frame, kind in _NODE.findall(text):
            graph.frames[name] = int(frame)
            if kind == "dynamic":
                graph.unknown.add(name)
        for source, target in _EDGE.findall(text):
            graph.calls.setdefault(source, set()).add(target)
    return graph


def _complete(graph: _Graph, program: LinkedProgram) -> None:
    """Add the functions that are called but have no frame, and those that they call."""
    known = {_short(name): name for name in graph.frames}
    wanted = sorted({target for targets in graph.calls.values() for target in targets} - graph.frames.keys())
    while wanted:
        name = wanted.pop()
        alias = next((known[other] for other in program.aliases(_short(name)) if other in known), None)
        if alias is not None:
            graph.frames[name] = 0
            graph.calls[name] = {alias}
            continue
        function = program.function(_short(name))
        if function is None:
            graph.unknown.add(name)
            graph.frames[name] = 0
            continue
        graph.frames[name] = function.stack_bytes
        graph.from_machine_code.add(name)
        targets = {program.name_at(address) or f"0x{address:x}" for address in function.targets}
        graph.calls[name] = targets
        wanted += sorted(targets - graph.frames.keys() - set(wanted))


def _reached(calls: Mapping[str, set[str]], entry: str) -> set[str]:
    seen, wanted = set(), [entry]
    while wanted:
        name = wanted.pop()
        if name not in seen:
            seen.add(name)
            wanted += calls.get(name, set())
    return seen


def _recursive(calls: Mapping[str, set[str]], entry: str) -> set[str]:
    """Functions that can call themselves, through others or not."""
    return {
        name
        for name in _reached(calls, entry)
        if any(name in _reached(calls, target) for target in calls.get(name, set()))
    }


def _deepest(
    graph: _Graph, name: str, known: dict[str, tuple[int, tuple[str, ...]]]
) -> tuple[int, tuple[str, ...]]:
    if name not in known:
        below = [_deepest(graph, target, known) for target in sorted(graph.calls.get(name, set()))]
        depth, chain = max(below, default=(0, ()))
        known[name] = (graph.frames[name] + depth, (name, *chain))
    return known[name]


def _short(name: str) -> str:
    """GCC puts the path of the file in front of the names of static functions."""
    return name.rsplit(":", 1)[-1]
