"""Graph and kernels -> Schedule and MemoryPlan: order, regions, offsets, bounds."""

from tinycompile.planning.planner import Plan, plan, plans_not_dominated
from tinycompile.planning.stripes import stripes_within

__all__ = ["Plan", "plan", "plans_not_dominated", "stripes_within"]
