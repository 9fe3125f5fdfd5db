"""What a build says of itself: `collect` makes the data of report.json, `render_text` the tables of report.txt."""

from tinycompile.report.collect import Report, collect, to_json
from tinycompile.report.render import render_text

__all__ = ["Report", "collect", "render_text", "to_json"]
