"""Exact simplifications of the whole graph: Graph -> Graph, the same bytes at every output."""

from tinycompile.passes.base import Pass
from tinycompile.passes.pipeline import PASSES, passes_for, run_passes

__all__ = ["PASSES", "Pass", "passes_for", "run_passes"]
