"""Graph and kernels -> Schedule and MemoryPlan: order, regions, offsets, bounds, and a replay that checks the result."""

from tinycompile.planning.planner import plan
from tinycompile.planning.replay import ReplayError, ReplayResult, replay

__all__ = ["ReplayError", "ReplayResult", "plan", "replay"]
