"""`--flash-limit`: the fastest kernels with which code and weights fit, or by how much the smallest ones miss."""

import json
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import tinycompile.driver.compile as stages
from tinycompile.cli import main
from tinycompile.driver import OPTIMIZE, Compilation, compile_model
from tinycompile.errors import FitError, UsageError


def build(model: Path, limit: int | str, out: Path) -> Result:
    return CliRunner().invoke(main, ["build", str(model), "--flash-limit", str(limit), "-o", str(out)])


def cycles(compilation: Compilation) -> int:
    return sum(layer.estimated_cycles for layer in compilation.program.layers)


@pytest.fixture(scope="module")
def least_bytes(digits_model: Path) -> int:
    """Flash of the smallest program, as a limit that nothing keeps tells it."""
    with pytest.raises(FitError) as caught:
        compile_model(digits_model, flash_limit=1)
    return int(str(caught.value).split(" take ")[1].split(" bytes")[0].replace(",", ""))


def test_a_limit_that_fits_all_changes_nothing(digits_model: Path) -> None:
    free, limited = compile_model(digits_model), compile_model(digits_model, flash_limit=2**20)
    assert limited.program.layers == free.program.layers
    assert limited.flash_bytes == free.flash_bytes


def test_a_larger_limit_never_gives_more_cycles(digits_model: Path, least_bytes: int) -> None:
    most = compile_model(digits_model)
    limits = [least_bytes + (most.flash_bytes - least_bytes) * part // 4 for part in range(5)]
    made = [compile_model(digits_model, flash_limit=limit) for limit in limits]
    for limit, one in zip(limits, made, strict=True):
        assert one.flash_bytes <= limit
    figures = [cycles(one) for one in made]
    assert figures == sorted(figures, reverse=True)
    assert figures[0] > 2 * figures[-1] and figures[-1] == cycles(most)


def test_the_report_says_the_limit_and_what_is_taken(
    digits_model: Path, least_bytes: int, tmp_path: Path
) -> None:
    limit = least_bytes + 3000
    assert build(digits_model, limit, tmp_path / "out").exit_code == 0
    data = json.loads((tmp_path / "out" / "report.json").read_text())
    taken = data["weights_bytes"] + data["estimated_code_bytes"]
    assert data["options"]["flash_limit"] == limit >= taken
    assert f"{limit:,}, of which {taken:,} are taken" in (tmp_path / "out" / "report.txt").read_text()


def test_a_limit_that_nothing_keeps(digits_model: Path, least_bytes: int, tmp_path: Path) -> None:
    result = build(digits_model, "1K", tmp_path / "out")
    assert result.exit_code == 4
    (line,) = result.stderr.splitlines()
    assert line.startswith(
        f"error: digits_int8: code and weights take {least_bytes:,} bytes of flash at least"
    )
    assert f"--flash-limit is 1,024; it misses by {least_bytes - 1024:,} bytes" in line
    assert f"--flash-limit {least_bytes} fits" in line
    assert not (tmp_path / "out").exists()
    assert build(digits_model, least_bytes, tmp_path / "out").exit_code == 0


@pytest.mark.slow
@pytest.mark.parametrize("optimize", OPTIMIZE)
def test_every_mode_keeps_it(digits_model: Path, least_bytes: int, optimize: str) -> None:
    limit = least_bytes + 4000
    made = compile_model(digits_model, optimize=optimize, flash_limit=limit)
    assert made.flash_bytes <= limit


@pytest.mark.slow
def test_both_limits(digits_model: Path, least_bytes: int) -> None:
    ram = compile_model(digits_model, optimize="ram").ram_bytes + 200
    made = compile_model(digits_model, ram_limit=ram, flash_limit=least_bytes + 4000)
    assert made.ram_bytes <= ram and made.flash_bytes <= least_bytes + 4000
    with pytest.raises(FitError) as caught:
        compile_model(digits_model, ram_limit=256, flash_limit=1024)
    memory, flash = caught.value.problems
    assert "--ram-limit is 256" in memory and "--flash-limit is 1,024" in flash


def test_what_a_limit_refuses_is_neither_replayed_nor_printed_whole(
    digits_model: Path, least_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several drafts are made within a limit; only the one that is kept goes through the stages behind it."""
    calls: Counter[str] = Counter()

    def count(name: str) -> None:
        stage = getattr(stages, name)

        def counted(*arguments: object) -> object:
            calls[name] += 1
            return stage(*arguments)

        monkeypatch.setattr(stages, name, counted)

    for name in ("lower", "emit_code", "replay", "emit", "collect", "render_text", "to_json", "memory_svg"):
        count(name)
    compile_model(digits_model, flash_limit=least_bytes + 3000)
    drafts = calls.pop("lower"), calls.pop("emit_code")
    assert drafts[0] == drafts[1] > 1
    assert set(calls.values()) == {1} and len(calls) == 6
    calls.clear()
    with pytest.raises(FitError):
        compile_model(digits_model, flash_limit=1)
    assert calls.keys() == {"lower", "emit_code"}


@pytest.mark.parametrize("limit", [0, -5])
def test_limits_that_make_no_sense(digits_model: Path, limit: int) -> None:
    with pytest.raises(UsageError, match="hold no model"):
        compile_model(digits_model, flash_limit=limit)
    with pytest.raises(UsageError):
        compile_model(digits_model, ram_limit=limit)
