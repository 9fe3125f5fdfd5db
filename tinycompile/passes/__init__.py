"""Graph -> Graph: rewrites to an equal, smaller graph."""

from tinycompile.passes.pipeline import run_passes

__all__ = ["run_passes"]
