"""The command line: exit codes, messages, what is written and what is not."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tinycompile.cli import main


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def files(directory: Path) -> dict[str, bytes]:
    return {p.relative_to(directory).as_posix(): p.read_bytes() for p in directory.rglob("*") if p.is_file()}


@pytest.fixture
def in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_build_writes_a_directory_of_its_own(digits_model: Path, in_tmp_path: Path) -> None:
    result = run("build", digits_model, "--board", "m7")
    assert result.exit_code == 0, result.output
    written = files(in_tmp_path / "build" / "digits_int8-m7")
    expected = {"digits_int8.h", "digits_int8.c", "digits_int8_weights.c", "CMakeLists.txt", "report.json", "report.txt",
                "LICENSE", "tc_types.h"}  # fmt: skip
    assert expected <= set(written)
    report = json.loads(written["report.json"])
    assert report["sources"] == sorted(p for p in written if p.endswith((".c", ".S")))
    assert str(in_tmp_path).encode() not in b"".join(written.values())


def test_build_takes_a_name_and_a_directory(digits_model: Path, in_tmp_path: Path) -> None:
    result = run("build", digits_model, "--board", "host", "--name", "my-digits", "-o", "out")
    assert result.exit_code == 0, result.output
    assert "my_digits_invoke" in (in_tmp_path / "out" / "my_digits.h").read_text()


def test_verbose_tells_what_is_done(digits_model: Path, tmp_path: Path) -> None:
    """In a process of its own: the level of a process's log is set once."""
    command = [sys.executable, "-m", "tinycompile"]
    build = ["build", str(digits_model), "-o", str(tmp_path / "out")]
    quiet, verbose = (
        subprocess.run([*command, *more, *build], capture_output=True, text=True, check=True)
        for more in ([], ["-v"])
    )
    assert quiet.stderr == "" and quiet.stdout == verbose.stdout
    assert "planned digits_int8: 12 layers" in verbose.stderr


def test_two_builds_are_equal(digits_model: Path, in_tmp_path: Path) -> None:
    for directory in ("one", "two"):
        assert run("build", digits_model, "-o", directory).exit_code == 0
    assert files(in_tmp_path / "one") == files(in_tmp_path / "two")


BAD_MODELS = {
    "empty": b"",
    "text": b"this is no model",
    "truncated": None,
}


@pytest.mark.parametrize("kind", BAD_MODELS)
def test_a_bad_model_ends_with_3_and_leaves_the_old_output(
    kind: str, digits_model: Path, in_tmp_path: Path
) -> None:
    assert run("build", digits_model, "-o", "out").exit_code == 0
    before = files(in_tmp_path / "out")
    good = digits_model.read_bytes()
    bad = in_tmp_path / "bad.tflite"
    bad.write_bytes(good[: len(good) // 2] if BAD_MODELS[kind] is None else BAD_MODELS[kind] or b"")
    result = run("build", bad, "-o", "out")
    assert result.exit_code == 3
    assert result.stderr.startswith("error: bad.tflite")
    assert "Traceback" not in result.output
    assert files(in_tmp_path / "out") == before
    assert run("build", bad, "-o", "new").exit_code == 3
    assert not (in_tmp_path / "new").exists()


def test_a_model_that_is_not_there(in_tmp_path: Path) -> None:
    result = run("build", "nothing.tflite")
    assert result.exit_code == 3
    assert "nothing.tflite" in result.stderr
    assert not list(in_tmp_path.iterdir())


def test_a_board_that_does_not_exist(digits_model: Path, in_tmp_path: Path) -> None:
    result = run("build", digits_model, "--board", "m99")
    assert result.exit_code == 2
    assert "m99" in result.stderr and "m7" in result.stderr, "it lists the boards there are"
    assert not list(in_tmp_path.iterdir())


def test_a_directory_that_is_not_ours(digits_model: Path, in_tmp_path: Path) -> None:
    (in_tmp_path / "mine").mkdir()
    (in_tmp_path / "mine" / "notes.txt").write_text("keep me")
    assert run("build", digits_model, "-o", "mine").exit_code == 2
    assert files(in_tmp_path / "mine") == {"notes.txt": b"keep me"}


def test_wrong_usage() -> None:
    assert run("build").exit_code == 2
    assert run("build", "x.tflite", "--optimize", "magic").exit_code == 2
    assert run("frobnicate").exit_code == 2


def test_inspect(digits_model: Path) -> None:
    result = run("inspect", digits_model)
    assert result.exit_code == 0, result.output
    assert "CONV_2D" in result.stdout and "memory over time" in result.stdout


def test_inspect_as_json(digits_model: Path) -> None:
    result = run("inspect", digits_model, "--json", "-")
    data = json.loads(result.stdout)
    assert data["inputs"][0]["shape"] == [1, 16, 16, 1]
    assert data["macs"] == sum(entry["macs"] for entry in data["operators"]) > 0


def test_json_that_cannot_be_written(digits_model: Path, in_tmp_path: Path) -> None:
    result = run("inspect", digits_model, "--json", "nowhere/data.json")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: nowhere/data.json: cannot be written")


@pytest.mark.parametrize("command", ["boards", "ops"])
def test_lists(command: str) -> None:
    result = run(command)
    assert result.exit_code == 0, result.output
    assert {"boards": "m7", "ops": "CONV_2D"}[command] in result.stdout


def test_a_bug_of_ours_ends_with_70(digits_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise AssertionError("invariant")

    monkeypatch.setattr("tinycompile.cli.commands.compile_model", broken)
    result = run("build", digits_model)
    assert result.exit_code == 70
    assert "bug of tinycompile" in result.stderr
