"""The passes, in order."""

import logging
from collections.abc import Callable, Sequence

from tinycompile.ir import Graph, verify
from tinycompile.passes.base import Pass
from tinycompile.passes.choose_branches import ChooseBranches
from tinycompile.passes.constant_channels import EliminateConstantChannels
from tinycompile.passes.copy_views import CopyViews
from tinycompile.passes.float_tables import FloatTables
from tinycompile.passes.fold_constants import FoldConstants
from tinycompile.passes.fold_pad import FoldPad
from tinycompile.passes.join_lookups import JoinLookups
from tinycompile.passes.quantize_through_tables import QuantizeThroughTables
from tinycompile.passes.quantized_edges import QuantizedEdges
from tinycompile.passes.remove_dead import RemoveDead
from tinycompile.passes.remove_no_ops import RemoveNoOps
from tinycompile.passes.simplify_mean import SimplifyMean
from tinycompile.passes.split_hybrid import SplitHybrid
from tinycompile.passes.split_matrices import SplitMatrices
from tinycompile.passes.stream_inputs import StreamInputs
from tinycompile.passes.transposed_windows import TransposedWindows
from tinycompile.passes.trim_variables import TrimVariables
from tinycompile.passes.trim_windows import TrimWindows
from tinycompile.passes.view_rows import ViewRows

_log = logging.getLogger(__name__)

PASSES: tuple[Pass, ...] = (
    FoldConstants(),  # first: constants show the others what an operator does
    ChooseBranches(),  # after it, which finds conditions
    SimplifyMean(),  # leaves transposes that only move extents of 1
    RemoveNoOps(),  # removes those
    FloatTables(),  # after no-ops, which may stand between two functions; before tables are joined
    JoinLookups(),  # after no-ops, which may stand between two tables
    SplitMatrices(),  # before what follows looks at single units
    TransposedWindows(),  # before those that look at windows
    FoldPad(),  # after no-ops, which may stand between PAD and convolution
    SplitHybrid(),  # after it: a PAD of floats that is folded is not quantized
    EliminateConstantChannels(),  # sees every window as it will be computed
    TrimWindows(),  # after it: fewer channels may have fewer taps
    ViewRows(),  # after EliminateConstantChannels, which knows CONCATENATION and the like but not ROWS
    TrimVariables(),  # after it, which shows what of a variable is read
    QuantizeThroughTables(),  # after those that know LOOKUP and QUANTIZE
    RemoveDead(),  # drops what the others left over
    CopyViews(),  # last: sees which operators are left to show or to assign a variable
)


def passes_for(*, quantized_edges: bool = False, streamed_inputs: bool = False) -> tuple[Pass, ...]:
    """The passes of an interface that exchanges integers, or whose inputs the caller delivers row by row."""
    before: tuple[Pass, ...] = (QuantizedEdges(),) if quantized_edges else ()
    after: tuple[Pass, ...] = (StreamInputs(),) if streamed_inputs else ()
    return (*before, *PASSES, *after)


def run_passes(
    graph: Graph, passes: Sequence[Pass] = PASSES, dump: Callable[[str, Graph], None] | None = None
) -> Graph:
    """Run the passes in order; the graph is verified after each one.

    `dump`, when given, is called with the name of each pass and the graph after it.
    """
    for step in passes:
        before = graph
        graph = step.run(graph)
        verify(graph)
        if (len(graph.nodes), graph.changes) != (len(before.nodes), before.changes):
            _log.info("%s: %d operators -> %d", step.name, len(before.nodes), len(graph.nodes))
        if dump is not None:
            dump(step.name, graph)
    return graph
