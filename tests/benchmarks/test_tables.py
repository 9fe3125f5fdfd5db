"""What the tables say of figures that are known: met, missed, not exact, not there."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.checks import (
    Check,
    cycles_check,
    estimate_error_percent,
    estimate_summary,
    flash_checks,
    memory_checks,
    speed_checks,
    summary,
)
from benchmarks.documents import BEGIN, END, document, readme_figures, with_figures
from benchmarks.measure import Result, measure
from benchmarks.references import Peer, Reference, References, load_references
from benchmarks.render import as_markdown, as_text, gaps, sections
from benchmarks.tables import (
    build_table,
    estimate_table,
    flash_summary,
    flash_table,
    memory_table,
    millions,
    speed_table,
    total_table,
)
from tests.benchmarks.results import BUILD, LIMITS, REFERENCE, build, cells, result


@pytest.mark.parametrize(
    ("measured", "exact", "verdict"),
    [(99, True, "met"), (100, True, "met"), (101, True, "missed"), (1, False, "not exact"), (None, True, "not measured")],
)  # fmt: skip
def test_verdict_below_at_and_above_the_bar(measured: int | None, exact: bool, verdict: str) -> None:
    check = Check("toy", "cycles", measured, 100, exact)
    assert (check.verdict, check.met) == (verdict, verdict == "met")


def test_a_missed_bar_is_never_shown_as_missed_by_nothing() -> None:
    assert Check("toy", "cycles", 1_000_001, 1_000_000, True).shortfall == "+0.1 %"


def test_build_time_beside_its_bar() -> None:
    reference = replace(REFERENCE, bars=replace(REFERENCE.bars, build_seconds=3))
    made = [
        replace(result(reference), build_seconds=2.994),
        replace(result(reference), build_seconds=3.3),
        result(reference),
        result(),
    ]
    assert build_table(made).rows == (
        ("toy", "3", "2.99", "met"),
        ("toy", "3", "3.30", "missed +10.0 %"),
        ("toy", "3", "-", "not measured"),
    )


def test_speed_row_has_peer_bar_ours_and_ratio() -> None:
    table = speed_table([result(speed=build(instructions=900, cycles_m7=1_000))])
    (row,) = table.rows
    assert row[0] == "toy"
    assert cells(table.columns, row, "ratio") == ["4.00x", "3.00x"]
    assert cells(table.columns, row, "bar is") == ["met", "missed +25.0 %"]
    assert cells(table.columns, row, "exact") == ["yes"]


def test_the_bar_is_another_one_when_weights_take_no_more_flash_than_in_the_model() -> None:
    """550 bytes are a tenth more than the model's 500; one more byte and the bar for larger weights holds."""
    reference = replace(REFERENCE, bars=replace(REFERENCE.bars, packed_instructions=1_000))
    for weights_bytes, bar in ((550, 1_000), (551, 900)):
        made = result(reference, speed=build(weights_bytes=weights_bytes))
        assert speed_checks(made)["instructions"].bar == bar


def test_memory_row_compares_cycles_with_those_of_speed() -> None:
    made = result(speed=BUILD, ram=build(cycles_m7=1_050), balanced=build(arena_bytes=75, cycles_m7=1_101))
    ram, balanced = memory_table([made], "ram", LIMITS), memory_table([made], "balanced", LIMITS)
    assert ram.rows == (("toy", "512", "256", "64", "64", "8.00x", "met", "+5.0 % met", "yes"),)
    assert balanced.rows == (
        ("toy", "512", "256", "60", "75", "6.83x", "missed +25.0 %", "+10.1 % missed", "yes"),
    )


def test_state_counts_beside_the_peer_which_has_it_in_its_arena() -> None:
    table = memory_table([result(speed=BUILD, ram=build(arena_bytes=64, state_bytes=64))], "ram", LIMITS)
    assert cells(table.columns, table.rows[0], "ratio") == ["4.00x"]


def test_cycles_have_no_verdict_without_a_build_to_compare_with() -> None:
    check = cycles_check(result(ram=BUILD), "ram", LIMITS)
    assert check is not None
    assert (check.verdict, check.met) == ("not measured", False)


def test_wrong_outputs_pass_no_bar() -> None:
    wrong = build(instructions=1, cycles_m7=1, arena_bytes=1, exact=False)
    made = result(speed=wrong, ram=wrong, balanced=wrong)
    checks = [*speed_checks(made).values(), *memory_checks(made, LIMITS)]
    assert len(checks) == 6
    assert {check.verdict for check in checks} == {"not exact"}
    assert not made.exact
    assert speed_table([made]).rows[0][-1] == memory_table([made], "ram", LIMITS).rows[0][-1] == "NO"
    assert [line for line in gaps([made]) if "NOT EXACT" in line]


def test_estimates_are_told_in_percent_of_the_modelled_cycles() -> None:
    low, high = build(estimated_cycles=900), build(estimated_cycles=1_200)
    assert estimate_error_percent(low) == pytest.approx(-10)
    table = estimate_table([result(speed=low), result(speed=low, ram=high, flash=high)], LIMITS)
    assert [row[-2:] for row in table.rows] == [("yes", "-"), ("no", "+20.0 %")]
    text = estimate_summary([result(speed=low, ram=high, flash=high)], LIMITS)
    assert text.startswith("1 of 2 ") and "toy ram (+20.0 %)" in text


def test_total_counts_everything_that_takes_memory() -> None:
    table = total_table([result(speed=build(arena_bytes=64, state_bytes=8, stack_bytes=16))])
    assert table.rows[0][1:3] == ("88", "640")
    assert cells(table.columns, table.rows[0], "flash") == ["300"]
    assert table.rows[0][5] == "1,500"


def test_more_flash_than_the_peer_is_said() -> None:
    reference = replace(REFERENCE, name="large")
    results = [
        result(speed=build(code_bytes=1_000, weights_bytes=500)),
        result(reference, speed=build(code_bytes=1_501)),
    ]
    text = flash_summary([*results, result(replace(REFERENCE, name="alone", tflm=Peer()), speed=BUILD)])
    assert text.startswith("1 of 2 models") and "large (1,601 beside 1,500)" in text and "toy" not in text


def test_flash_is_compared_within_that_of_the_peer() -> None:
    """1,500 bytes are TFLM's 1,000 and the model's 500; the bar of instructions is that of packed weights."""
    reference = replace(REFERENCE, bars=replace(REFERENCE.bars, packed_instructions=1_000))
    within = build(code_bytes=900, weights_bytes=600, instructions=1_001, cycles_m7=1_500)
    made = result(
        reference, speed=build(weights_bytes=2_000), within=within, flash=build(cycles_m7=4_000, exact=False)
    )
    flash, instructions = flash_checks(made)
    assert (flash.bar, flash.measured, flash.met) == (1_500, 1_500, True)
    assert (instructions.bar, instructions.measured, instructions.met) == (1_000, 1_001, False)
    (row,) = flash_table([made]).rows
    assert row[1:3] == ("1,500", "2,200") and row[4:9] == (
        "1,500",
        "0.001",
        "0.001",
        "missed +0.1 %",
        "1.50x",
    )
    assert row[-2:] == ("4.00x", "NO")
    (missing,) = flash_checks(result(speed=BUILD))
    assert missing.verdict == "not measured"
    assert flash_checks(result(replace(REFERENCE, tflm=Peer()), speed=BUILD)) == ()


def test_summary_names_what_is_not_met() -> None:
    checks = speed_checks(result(speed=BUILD)).values()
    assert summary(checks) == "1 of 2 bars are met; not met: toy cycles (+25.0 %)."
    assert summary([check for check in checks if check.met]) == "1 of 1 bars are met."


def test_missing_models_are_said_and_not_built(tmp_path: Path) -> None:
    told: list[str] = []
    results = measure([REFERENCE], ("speed",), tmp_path, told.append)
    assert told == []
    assert results == (Result(REFERENCE, None),)
    table = speed_table(results)
    assert cells(table.columns, table.rows[0], "ours") == ["-", "-"]
    assert cells(table.columns, table.rows[0], "bar is") == ["not measured"] * 2
    (line,) = gaps(results)
    assert "toy" in line and "TINYCOMPILE_MODELS" in line


def test_a_model_that_is_refused_does_not_stop_the_others(tmp_path: Path) -> None:
    (tmp_path / "toy.tflite").write_bytes(b"not a model")
    others = (REFERENCE, Reference("absent"))
    refused, absent = measure(others, ("speed",), tmp_path, lambda _: None)
    assert "toy.tflite" in refused.problems["speed"]
    assert absent.model_bytes is None
    assert [line for line in gaps([refused]) if refused.problems["speed"] in line]


@pytest.mark.parametrize(
    ("value", "text"), [(None, "-"), (60_000, "0.060"), (7_645_228, "7.645"), (24_025_570, "24.03"), (802_175_615, "802.18")]
)  # fmt: skip
def test_millions(value: int | None, text: str) -> None:
    assert millions(value) == text


def test_every_table_is_printed_whole() -> None:
    references = References({"bars": "hand"}, LIMITS, (REFERENCE,))
    made = [result(speed=BUILD, ram=BUILD, balanced=BUILD)]
    for only, subjects in (
        (None, {"Build time", "Speed", "Memory, ram", "Memory, balanced", "Flash", "Estimate", "In all"}),
        ("speed", {"Speed", "Estimate", "In all"}),
        ("flash", {"Flash", "Estimate", "In all"}),
        ("build", {"Build time"}),
    ):
        report = sections(made, references, only)
        assert {section.table.title.split(":")[0] for section in report} == subjects
        for section in report:
            printed = as_text(section)
            assert all(cell in printed for row in section.table.rows for cell in row)
            lines = as_markdown(section.table).splitlines()
            assert {line.count("|") for line in lines} == {len(section.table.columns) + 1}


def test_documents_have_the_figures_and_what_is_missing() -> None:
    references = References({"bars": "set by hand"}, LIMITS, (REFERENCE,))
    results = [result(speed=BUILD), Result(Reference("absent"), None)]
    text = document(results, references, sections(results, references, None))
    assert "set by hand" in text and "There is no file of: absent" in text
    figures = readme_figures(results, references, "$ tinycompile build\n")
    assert "toy cycles (+25.0 %)" in figures


def test_figures_are_replaced_between_their_marks() -> None:
    once = with_figures(f"head\n{BEGIN}\nold\n{END}\ntail\n", "new \\1\n")
    assert once == f"head\n{BEGIN}\nnew \\1\n{END}\ntail\n"
    assert with_figures(once, "new \\1\n") == once
    with pytest.raises(ValueError, match="no lines"):
        with_figures("head\n", "new\n")


def test_bars_ask_for_more_than_peers_reach() -> None:
    """A slip of a digit in references.toml would make a bar that anything passes."""
    references = load_references()
    assert len(references.models) >= 10
    for model in references.models:
        pairs = (
            (model.bars.instructions, model.tflm.instructions),
            (model.bars.cycles_m7, model.tflm.cycles_m7),
            (model.bars.ram_arena_bytes, model.bars.balanced_arena_bytes),
            (model.bars.balanced_arena_bytes, model.tflm.arena_bytes),
            (model.bars.balanced_arena_bytes, model.tinyengine_arena_bytes),
        )
        for bar, peer in pairs:
            assert bar is None or peer is None or bar < peer, model.name


def test_documents_agree(project_root: Path) -> None:
    """README.md and docs/benchmarks.md come from one run."""
    readme = (project_root / "README.md").read_text(encoding="utf-8")
    page = (project_root / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    names = [model.name for model in load_references().models if model.mlperf_tiny]
    rows = [line for line in readme.splitlines() if line.startswith(tuple(f"| {name} |" for name in names))]
    assert len(rows) == len(names) == 5
    assert [row for row in rows if row not in page] == []
