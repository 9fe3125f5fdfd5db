"""SELECT_V2: choose element by element, with broadcasting, see `_select.py`."""

from tinycompile.ops._select import Selection
from tinycompile.ops.base import register


@register
class SelectV2(Selection):
    """SELECT_V2."""

    kind = "SELECT_V2"
