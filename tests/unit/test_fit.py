"""`--ram-limit` and the memory of boards: the fastest plan that fits, or by how much it misses and what would help."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tflite_support.builder import Builder, Spec
from tinycompile.board import load_board
from tinycompile.cli import main
from tinycompile.cli.options import byte_count
from tinycompile.driver import Compilation, compile_model
from tinycompile.errors import FitError, UsageError


def build(model: Path, limit: str, out: Path) -> Result:
    return CliRunner().invoke(main, ["build", str(model), "--ram-limit", limit, "-o", str(out)])


def ram(compilation: Compilation) -> int:
    return compilation.program.arena_bytes + compilation.program.state_bytes


def cycles(compilation: Compilation) -> int:
    kernels = sum(layer.estimated_cycles for layer in compilation.program.layers)
    return kernels + sum(region.call_cycles for region in compilation.schedule.regions)


@pytest.mark.parametrize(
    "text, count",
    [("1", 1), ("512B", 512), ("32K", 32768), ("32KiB", 32768), ("32 kib", 32768), ("2M", 2097152), ("1MiB", 1048576)],
)  # fmt: skip
def test_units(text: str, count: int) -> None:
    assert byte_count(text) == count


@pytest.mark.parametrize("text", ["", "K", "1.5K", "-3", "32kB", "12x", "0x10"])
def test_what_is_no_number_of_bytes(text: str, digits_model: Path, tmp_path: Path) -> None:
    result = build(digits_model, text, tmp_path / "out")
    assert result.exit_code == 2
    assert "no number of bytes" in result.stderr
    assert not list(tmp_path.iterdir())


def test_the_fastest_plan_that_fits(digits_model: Path) -> None:
    fastest = compile_model(digits_model, ram_limit=2**20)
    smallest = compile_model(digits_model, optimize="ram")
    assert ram(smallest) < ram(fastest)
    assert ram(compile_model(digits_model, ram_limit=ram(fastest))) <= ram(fastest)
    between = compile_model(digits_model, ram_limit=ram(fastest) - 1)
    assert ram(between) < ram(fastest)
    assert cycles(fastest) < cycles(between) <= cycles(smallest)
    assert ram(compile_model(digits_model, ram_limit=ram(smallest))) <= ram(smallest)


def test_the_limit_is_in_the_report(digits_model: Path, tmp_path: Path) -> None:
    result = build(digits_model, "4K", tmp_path / "out")
    assert result.exit_code == 0, result.output
    data = json.loads((tmp_path / "out" / "report.json").read_text())
    assert data["options"]["ram_limit"] == 4096 >= data["arena_bytes"]


@pytest.mark.slow
def test_a_limit_that_no_plan_keeps(digits_model: Path, tmp_path: Path) -> None:
    assert build(digits_model, "1M", tmp_path / "out").exit_code == 0
    before = (tmp_path / "out" / "report.json").read_bytes()
    result = build(digits_model, "256", tmp_path / "out")
    assert result.exit_code == 4
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: digits_int8: arena and state take ")
    with pytest.raises(FitError) as caught:
        compile_model(digits_model, ram_limit=256)
    needed = int(line.split(" take ")[1].split(" bytes")[0].replace(",", ""))
    assert f"it misses by {needed - 256:,} bytes" in line and line == f"error: {caught.value}"
    assert needed == min(ram(compile_model(digits_model, ram_limit=limit)) for limit in (needed, 10**6))
    assert (tmp_path / "out" / "report.json").read_bytes() == before


def test_limits_that_make_no_sense(digits_model: Path) -> None:
    with pytest.raises(UsageError):
        compile_model(digits_model, ram_limit=0)


def test_a_board_that_a_smaller_plan_fits(digits_model: Path) -> None:
    ample = load_board("m7")
    fastest = ram(compile_model(digits_model, board=ample))
    board = replace(ample, ram_bytes=fastest - 1)
    with pytest.raises(FitError, match=r"misses by 1 bytes; --ram-limit \d+ fits with [\d,]+"):
        compile_model(digits_model, board=board)
    assert ram(compile_model(digits_model, board=board, ram_limit=fastest - 1)) < fastest


def test_a_board_that_is_too_small_for_all(digits_model: Path) -> None:
    board = replace(load_board("m7"), ram_bytes=300, flash_bytes=100)
    with pytest.raises(FitError) as caught:
        compile_model(digits_model, board=board)
    memory, flash = caught.value.problems
    assert "--ram-limit 300 takes" in memory and "does not suffice" in memory and "board m7 has 300" in memory
    assert "weights take" in flash and "board m7 has 100" in flash


def least_ram(model: Path, **options: str) -> int:
    """What a limit that nothing keeps says of the smallest plan."""
    with pytest.raises(FitError) as caught:
        compile_model(model, ram_limit=1, **options)  # type: ignore[arg-type]
    found = re.search(r" take ([\d,]+) bytes", str(caught.value))
    assert found is not None
    return int(found[1].replace(",", ""))


@pytest.fixture
def large_input(tmp_path: Path) -> Path:
    """A model whose input is most of its memory."""
    builder = Builder()
    x = builder.input((1, 24, 24, 4), scale=0.05)
    pool = {"padding": "VALID", "filter_height": 4, "filter_width": 4, "stride_h": 4, "stride_w": 4}
    y = builder.op("MAX_POOL_2D", [x], Spec((1, 6, 6, 4), "int8", 0.05, 0), **pool)
    model = tmp_path / "large_input.tflite"
    model.write_bytes(builder.finish([x], [y]))
    return model


@pytest.mark.slow
def test_what_would_help_is_true(large_input: Path) -> None:
    """Every option that the message names keeps the limit, with the bytes that it tells."""
    limit = least_ram(large_input) - 1
    assert least_ram(large_input, input_mode="const") <= limit
    with pytest.raises(FitError) as caught:
        compile_model(large_input, ram_limit=limit)
    found = dict(re.findall(r"--input (\w+) fits with ([\d,]+)", str(caught.value)))
    assert "const" in found
    for mode, text in found.items():
        assert (
            ram(compile_model(large_input, input_mode=mode, ram_limit=limit))
            == int(text.replace(",", ""))
            <= limit
        )
