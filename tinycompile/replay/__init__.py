"""Graph, kernels and Program -> violations: the finished program, run on memory in which every byte knows what it holds."""

from tinycompile.replay.replay import ReplayError, ReplayResult, replay

__all__ = ["ReplayError", "ReplayResult", "replay"]
