"""Graph, plan and board -> Program: kernels chosen by cost, weights packed, operands resolved to addresses."""

from tinycompile.lowering.footprint import Footprints, footprints
from tinycompile.lowering.lower import BuildInfo, lower
from tinycompile.lowering.select import select

__all__ = ["BuildInfo", "Footprints", "footprints", "lower", "select"]
