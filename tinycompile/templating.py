"""The marks of our templates: `${value}`, `//% statement`, `//# comment`, so that they read as the C (or SVG) that they make.

Jinja's own marks would turn the C text `{{0, 0}}` into `(0, 0)` without an error; ours cannot meet C by accident, and a name
that is not defined is an error, never an empty string.
"""

from collections.abc import Mapping
from typing import Any

import jinja2

MARKS: Mapping[str, Any] = {
    "undefined": jinja2.StrictUndefined,
    "variable_start_string": "${",
    "variable_end_string": "}",
    "block_start_string": "<%",
    "block_end_string": "%>",
    "comment_start_string": "<#",
    "comment_end_string": "#>",
    "line_statement_prefix": "//%",
    "line_comment_prefix": "//#",
    "trim_blocks": True,
    "lstrip_blocks": True,
    "keep_trailing_newline": True,
}
"""Arguments of `jinja2.Environment`."""
