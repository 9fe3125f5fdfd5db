"""Exact simplifications of the whole graph: Graph -> Graph, the same bytes at every output."""

from tinycompile.passes.base import Pass
from tinycompile.passes.pipeline import PASSES, passes_for, run_passes
from tinycompile.passes.split_stripes import SplitStripes

__all__ = ["PASSES", "Pass", "SplitStripes", "passes_for", "run_passes"]
