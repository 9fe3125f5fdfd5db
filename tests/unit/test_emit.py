"""`build --emit STAGE` prints what a stage of the compilation made, and writes nothing."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tflite_support.builder import Builder, Spec
from tinycompile.cli import main
from tinycompile.driver import compile_model
from tinycompile.driver.stages import STAGES
from tinycompile.ir import to_text


def emit(model: Path, stage: str, *options: str) -> Result:
    return CliRunner().invoke(main, ["build", str(model), "--emit", stage, *options])


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_graph_and_its_passes(folder: Path) -> None:
    builder = Builder()
    x = builder.input((1, 4), "int8", 0.5, 3)
    y = builder.op("RESHAPE", [x], Spec((1, 4), "int8", 0.5, 3), new_shape=(1, 4))
    z = builder.op("ADD", [y, y], Spec((1, 4), "int8", 1.0, 0))
    model = folder / "twice.tflite"
    model.write_bytes(builder.finish([x], [z]))
    made = compile_model(model)
    assert emit(model, "graph").stdout == to_text(made.imported)
    assert "RESHAPE" in to_text(made.imported) and "RESHAPE" not in to_text(made.graph)
    shown = emit(model, "passes").stdout
    assert shown.startswith("as the file has it:\n" + to_text(made.imported))
    assert shown.endswith(":\n" + to_text(made.graph))
    assert "after remove-no-ops:" in shown.replace("_", "-"), shown


def test_the_plan(digits_model: Path, folder: Path) -> None:
    made = compile_model(digits_model, optimize="ram")
    text = emit(digits_model, "plan", "--optimize", "ram").stdout
    assert f"arena {made.memory.arena_bytes} bytes" in text
    assert text.count("\nregion ") == len(made.schedule.regions)
    for placement in made.memory.placements:
        buffer = placement.buffer
        where = (
            f"{buffer.name!r}: {placement.offset}..{placement.end}, regions {buffer.first} to {buffer.last}"
        )
        assert where in text
    for choice in made.selection.values():
        assert f": {choice.chosen.kernel} (" in text
    assert all(bound.assumption in text for bound in made.memory.bounds)


def test_the_worked_model_of_the_documents_is_current(digits_model: Path, project_root: Path) -> None:
    text = (project_root / "docs" / "memory-planning.md").read_text(encoding="utf-8")
    block = text.partition("## A worked model")[2].split("```")[1]
    command, *lines = block.strip().splitlines()
    assert command.endswith("--board host --optimize ram --emit plan")
    printed = emit(digits_model, "plan", "--board", "host", "--optimize", "ram").stdout
    assert len(lines) > 5 and [line for line in lines if line not in printed.splitlines()] == []
    assert "arena 2016 bytes" in printed and "bound 4608: layer by layer" in printed


def test_the_program(digits_model: Path, folder: Path) -> None:
    program = compile_model(digits_model).program
    lines = emit(digits_model, "program").stdout.splitlines()
    assert [line.split()[1][:-1] for line in lines if line.startswith("function ")] == [
        function.name for function in program.functions
    ]
    assert [line.split()[1][:-1] for line in lines if line.startswith("constant ")] == [
        constant.name for constant in program.constants
    ]
    calls = [line.split() for line in lines if " x " in line]
    stages = [stage for region in program.regions for stage in region.stages]
    assert [(call[1], int(call[3].rstrip(","))) for call in calls] == [(s.function, s.calls) for s in stages]


@pytest.mark.parametrize("stage", STAGES)
def test_nothing_is_written(stage: str, digits_model: Path, folder: Path) -> None:
    first, second = (emit(digits_model, stage) for _ in range(2))
    assert first.exit_code == 0 and first.stdout == second.stdout != ""
    assert not list(folder.iterdir())


def test_cmake_is_the_default(digits_model: Path, folder: Path) -> None:
    assert emit(digits_model, "cmake").exit_code == 0
    assert (folder / "build" / "digits_int8-m7" / "CMakeLists.txt").is_file()


def test_errors(digits_model: Path, folder: Path) -> None:
    assert emit(digits_model, "magic").exit_code == 2
    for options in (["-o", "out"], ["--shared-arena"], [str(digits_model)]):
        result = emit(digits_model, "plan", *options)
        assert result.exit_code == 2 and "prints a stage of one model" in result.stderr
    assert emit(folder / "nothing.tflite", "graph").exit_code == 3
    assert emit(digits_model, "program", "--ram-limit", "100").exit_code == 4
