"""Tables as plain text: alignment, cells that are broken, what cannot be printed."""

from hypothesis import given
from hypothesis import strategies as st

from tinycompile.report.text import WIDTH, as_text, table

texts = st.text(alphabet="ab漢 \n", max_size=90)


def lines(title: str, columns: list[str], *rows: list[str]) -> list[str]:
    """The lines of a table."""
    made = table(title, *columns)
    for row in rows:
        made.add_row(*row)
    return as_text(made).splitlines()


def test_texts_are_left_and_figures_right() -> None:
    assert lines("two layers", ["op", "bytes"], ["CONV_2D", "1,024"], ["ADD", "8"]) == [
        "two layers",
        "+---------+-------+",
        "| op      | bytes |",
        "+---------+-------+",
        "| CONV_2D | 1,024 |",
        "| ADD     |     8 |",
        "+---------+-------+",
    ]


def test_a_title_is_no_wider_than_its_table() -> None:
    assert lines("the first layers", ["op"], ["ADD"])[:4] == ["the", "first", "layers", "+-----+"]


def test_cells_have_several_lines_and_heads_stand_at_the_bottom() -> None:
    words = " ".join(["word"] * 40)
    found = lines("", ["why", "cycles " * 20], [words, "7"])
    inside = [line.strip("|").split("|") for line in found[2:-1] if line.startswith("|")]
    assert max(map(len, found)) <= WIDTH
    assert inside[0][0].strip() == "" and inside[0][1].strip().startswith("cycles")
    head = next(i for i, cells in enumerate(inside) if "why" in cells[0])
    assert inside[head][1].strip() and "word" in inside[head + 1][0]
    assert " ".join(cells[0].strip() for cells in inside[head + 1 :]) == words
    assert inside[head + 1][1].strip() == "7"


def test_words_that_are_too_long_are_cut() -> None:
    name = "x" * 300
    found = lines("names", ["name", "bytes"], [name, "1"])
    assert {len(line) for line in found[1:]} == {WIDTH}
    assert "".join(line.split("|")[1].strip() for line in found[4:-1]) == name


def test_names_are_no_markup_and_cannot_break_a_table() -> None:
    (row,) = lines("", ["name"], ["a[bold]b:smile:\r\x1b[31m\u2028c"])[4:-1]
    assert row == "| a[bold]b:smile:  [31m c |"


@given(st.lists(st.tuples(texts, texts, texts), min_size=1, max_size=4))
def test_nothing_is_lost_and_all_lines_are_of_one_width(rows: list[tuple[str, str, str]]) -> None:
    columns = ["name", "bytes", "why"]
    _, rule, *found = lines("", columns, *map(list, rows))
    widths = {sum(2 if character == "漢" else 1 for character in line) for line in (rule, *found)}
    assert len(widths) == 1 and widths.pop() <= WIDTH
    for index in range(3):
        given_text = "".join(row[index] for row in rows)
        printed = "".join(line.split("|")[index + 1] for line in found[2:-1])
        assert "".join(printed.split()) == "".join(given_text.split())
