"""What a build says of itself: `collect` makes the data of report.json, `render_text` the tables of report.txt."""

from tinycompile.report.collect import Report, collect, to_json
from tinycompile.report.exploration import exploration_svg, render_exploration
from tinycompile.report.inspect import inspect, render_inspection
from tinycompile.report.memory_map import memory_svg
from tinycompile.report.operators import operators_markdown, operators_table, supported_operators
from tinycompile.report.picture import check_picture, picture
from tinycompile.report.render import render_text
from tinycompile.report.shared import collect_shared, render_shared
from tinycompile.report.stages import plan_text, program_text
from tinycompile.report.tables import boards_table, render_bench, tools_table
from tinycompile.report.text import as_text

__all__ = [
    "Report", "as_text", "boards_table", "check_picture", "collect", "collect_shared", "exploration_svg", "inspect", "memory_svg",
    "operators_markdown", "operators_table", "picture", "plan_text", "program_text", "render_bench", "render_exploration",
    "render_inspection", "render_shared", "render_text", "supported_operators", "to_json", "tools_table",
]  # fmt: skip
