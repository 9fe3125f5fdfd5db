"""What a build says of itself: `collect` makes the data of report.json, `render_text` the tables of report.txt."""

from tinycompile.report.collect import Report, collect, to_json
from tinycompile.report.inspect import inspect, render_inspection
from tinycompile.report.operators import operators_markdown, operators_table, supported_operators
from tinycompile.report.render import as_text, render_text, table

__all__ = [
    "Report", "as_text", "collect", "inspect", "operators_markdown", "operators_table", "render_inspection", "render_text",
    "supported_operators", "table", "to_json",
]  # fmt: skip
