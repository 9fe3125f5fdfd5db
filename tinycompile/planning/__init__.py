"""Graph and kernels -> Schedule and MemoryPlan: order, regions, offsets, bounds, and a replay that checks the result."""

from tinycompile.planning.planner import Plan, plan, plans_not_dominated
from tinycompile.planning.replay import ReplayError, ReplayResult, replay
from tinycompile.planning.stripes import stripes_within

__all__ = ["Plan", "ReplayError", "ReplayResult", "plan", "plans_not_dominated", "replay", "stripes_within"]
