"""Thumb-2 for kernels: which instructions, in which order, with which registers.

`scheduler.py` and `reorder.py` know the processor, the other modules know one algorithm each and yield its steps. The kernels in
`tinycompile/ops` choose among them and print the steps through templates.
"""
