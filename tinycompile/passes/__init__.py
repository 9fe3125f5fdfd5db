"""Exact simplifications of the whole graph: Graph -> Graph, the same bytes at every output."""

from tinycompile.passes.base import Pass
from tinycompile.passes.pipeline import PASSES, QUANTIZED_PASSES, run_passes

__all__ = ["PASSES", "QUANTIZED_PASSES", "Pass", "run_passes"]
