"""Modelled cycles: exact block counts x static cost of each block. A model, not hardware: use the figures as ratios."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from tinycompile.toolchain import cost_m4, cost_m7
from tinycompile.toolchain.block_counts import Block, Profile
from tinycompile.toolchain.disassembly import disassemble

_MARKER_INSTRUCTIONS = 2
"""Passing the layer's number and the call; they belong to no layer."""
_MARKER_M4 = 4
_MARKER_M7 = 2


@dataclass(frozen=True)
class Cost:
    """Instructions, modelled cycles on two processors, and what the M7 model did not know: mnemonic -> executed."""

    instructions: int
    cycles_m7: int
    cycles_m4: int
    unmodelled: Mapping[str, int]


@dataclass(frozen=True)
class _BlockCost:
    instructions: int
    m7: float
    m4: float
    unmodelled: tuple[str, ...]


def total_cost(profile: Profile) -> Cost:
    """Cost of a whole inference, of a build without markers."""
    return _sum(profile.counts, _block_costs(profile), markers=0)


def layer_costs(profile: Profile) -> dict[int, Cost]:
    """Cost by layer, of a build with markers. What comes behind the last marker belongs to the last layer."""
    costs = _block_costs(profile)
    counts: dict[int, Counter[Block]] = {}
    markers: Counter[int] = Counter()
    layer = None
    for segment in profile.segments:
        layer = layer if segment.layer is None else segment.layer
        if layer is None:
            continue
        counts.setdefault(layer, Counter()).update(segment.counts)
        markers[layer] += segment.layer is not None
    return {layer: _sum(counts[layer], costs, markers[layer]) for layer in sorted(counts)}


def _block_costs(profile: Profile) -> dict[Block, _BlockCost]:
    blocks = sorted(profile.code)
    instructions = [disassemble(profile.code[block], block[0]) for block in blocks]
    m7 = cost_m7.block_costs(instructions)
    return {
        block: _BlockCost(len(listed), on_m7.cycles, cost_m4.block_cycles(listed), on_m7.unmodelled)
        for block, listed, on_m7 in zip(blocks, instructions, m7, strict=True)
    }


def _sum(counts: Mapping[Block, int], costs: Mapping[Block, _BlockCost], markers: int) -> Cost:
    return Cost(
        instructions=sum(n * costs[block].instructions for block, n in counts.items())
        - markers * _MARKER_INSTRUCTIONS,
        cycles_m7=round(sum(n * costs[block].m7 for block, n in counts.items())) - markers * _MARKER_M7,
        cycles_m4=round(sum(n * costs[block].m4 for block, n in counts.items())) - markers * _MARKER_M4,
        unmodelled=_unmodelled(counts, costs),
    )


def _unmodelled(counts: Mapping[Block, int], costs: Mapping[Block, _BlockCost]) -> dict[str, int]:
    executed: Counter[str] = Counter()
    for block, n in counts.items():
        for mnemonic in costs[block].unmodelled:
            executed[mnemonic] += n
    return dict(sorted(executed.items()))
