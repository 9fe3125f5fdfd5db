"""Tables as plain text: one width and one style for all that we print."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from unicodedata import east_asian_width

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
_WORD = re.compile(r"\s*\S+\s*")


@dataclass
class Table:
    """Rows of cells; a cell may have several lines. Columns of figures are right-aligned."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)

    def add_row(self, *cells: str) -> None:
        """Append a row; what cannot be printed becomes a space."""
        assert len(cells) == len(self.columns), cells
        self.rows.append(tuple(map(_printable, cells)))


def table(title: str, *columns: str) -> Table:
    """A table without rows."""
    return Table(title, columns)


def as_text(made: Table) -> str:
    """A table in ASCII; cells are broken where it would be wider than WIDTH."""
    widths = _widths([made.columns, *made.rows])
    rule = "+" + "+".join("-" * (width + 2) for width in widths) + "+"
    heads = [_wrapped(column, width) for column, width in zip(made.columns, widths, strict=True)]
    most = max(map(len, heads))
    rows = [[[""] * (most - len(head)) + head for head in heads]]
    rows += [[_wrapped(cell, width) for cell, width in zip(row, widths, strict=True)] for row in made.rows]
    left = [column in _TEXT_COLUMNS for column in made.columns]
    head, *body = ("\n".join(_lines(row, widths, left)) for row in rows)
    return "\n".join([*_wrapped(made.title, len(rule)), rule, head, rule, *body, rule]) + "\n"


def _lines(cells: Sequence[Sequence[str]], widths: Sequence[int], left: Sequence[bool]) -> Iterator[str]:
    """A row of wrapped cells, as many lines as its longest cell has."""
    for texts in zip_longest(*cells, fillvalue=""):
        blanks = [" " * (width - _columns(text)) for text, width in zip(texts, widths, strict=True)]
        parts = zip(texts, blanks, left, strict=True)
        yield f"| {' | '.join(text + blank if is_left else blank + text for text, blank, is_left in parts)} |"


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    """Each column as wide as its longest line; the widest ones are made narrower, to the next ones, until all fit."""
    widths = [
        max(_columns(line) for cell in cells for line in cell.split("\n"))
        for cells in zip(*rows, strict=True)
    ]
    while (excess := sum(widths) + 3 * len(widths) + 1 - WIDTH) > 0:
        widest = [index for index, width in enumerate(widths) if width == max(widths)]
        most = max(widths) - max((width for width in widths if width < max(widths)), default=1)
        for done, index in enumerate(widest):
            less = min(most, round(excess / (len(widest) - done)))
            widths[index] -= less
            excess -= less
    return widths


def _wrapped(text: str, width: int) -> list[str]:
    """Lines of at most `width` columns, broken between words, longer words in themselves."""
    lines: list[str] = []
    for line in text.split("\n"):
        if _columns(line) <= width:
            lines.append(line.rstrip())
            continue
        current = ""
        for word in _WORD.findall(line):
            if _columns(current) + _columns(word.rstrip()) <= width:
                current += word
            else:
                *full, current = [*([current] if current else []), *_folded(word, width)]
                lines += [part.rstrip() for part in full]
        lines.append(current.rstrip())
    return lines


def _folded(word: str, width: int) -> list[str]:
    """A word in parts of at most `width` columns; blanks behind it do not count."""
    parts = [""]
    for character in word:
        if not character.isspace() and _columns(parts[-1] + character) > width:
            parts.append("")
        parts[-1] += character
    return parts


def _columns(text: str) -> int:
    """Columns of a terminal that a text takes: East Asian characters take two."""
    return len(text) if text.isascii() else len(text) + sum(east_asian_width(c) in "WF" for c in text)


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(c if c.isprintable() or c == "\n" else " " for c in text)
