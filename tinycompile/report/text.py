"""Tables as plain text: one width and one style for all that we print."""

from io import StringIO

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table

WIDTH = 130

_TEXT_COLUMNS = frozenset(
    (
        "op",
        "name",
        "kernel",
        "kind",
        "assumption",
        "what",
        "value",
        "shape",
        "output",
        "purpose",
        "state",
        "what to do",
        "why",
        "option",
    )
)


def as_text(part: RenderableType) -> str:
    """Print a table without colour at a fixed width."""
    console = Console(
        file=StringIO(), width=WIDTH, color_system=None, force_terminal=False, legacy_windows=False
    )
    console.print(part)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def table(title: str, *columns: str) -> Table:
    """A table in the style of all our reports; columns of figures are right-aligned."""
    made = Table(title=title, box=box.ASCII2, title_justify="left")
    for column in columns:
        text = column in _TEXT_COLUMNS
        made.add_column(column, justify="left" if text else "right", overflow="fold")
    return made
