"""Directories are replaced as a whole or not at all; names are C identifiers."""

from pathlib import Path

import pytest

from tinycompile.driver.output import MARK, c_identifier, write_directory
from tinycompile.errors import UsageError

FILES = {"a.c": "int a;\n", MARK: "{}\n", "sub/b.h": "#pragma once\n"}


def contents(directory: Path) -> dict[str, str]:
    return {p.relative_to(directory).as_posix(): p.read_text() for p in directory.rglob("*") if p.is_file()}


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("kws", "kws"),
        ("my-model.v2", "my_model_v2"),
        ("8bit", "model_8bit"),
        ("int", "model_int"),
        ("class", "model_class"),
        ("", "model_"),
        ("größe", "gro_e"),
        ("模型", "model___"),
        ("_x", "model__x"),
        ("string", "model_string"),
        ("Math", "model_Math"),
        ("tc_types", "model_tc_types"),
        ("TC_types", "model_TC_types"),
        ("types", "model_types"),
        ("m", "model_m"),
        ("all", "model_all"),
        ("test", "model_test"),
    ],
)
def test_c_identifier(stem: str, name: str) -> None:
    assert c_identifier(stem) == name


def test_writes_a_new_directory(tmp_path: Path) -> None:
    write_directory(FILES, tmp_path / "deep" / "out")
    assert contents(tmp_path / "deep" / "out") == FILES
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["out"], "nothing is left beside it"


def test_replaces_our_own_output_as_a_whole(tmp_path: Path) -> None:
    write_directory({**FILES, "old.c": "int old;\n"}, tmp_path / "out")
    write_directory(FILES, tmp_path / "out")
    assert contents(tmp_path / "out") == FILES


def test_fills_an_empty_directory(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    write_directory(FILES, tmp_path / "out")
    assert contents(tmp_path / "out") == FILES


def test_refuses_a_directory_that_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_text("meow")
    with pytest.raises(UsageError, match="no output of tinycompile"):
        write_directory(FILES, tmp_path / "photos")
    assert contents(tmp_path / "photos") == {"cat.jpg": "meow"}


def test_refuses_a_file(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("text")
    with pytest.raises(UsageError):
        write_directory(FILES, tmp_path / "out")
    assert (tmp_path / "out").read_text() == "text"


def test_an_interrupted_write_leaves_the_old_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_directory(FILES, tmp_path / "out")
    real = Path.write_text

    def fails_on_b(self: Path, *args: object, **kwargs: object) -> int:
        if self.name == "b.h":
            raise KeyboardInterrupt
        return real(self, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "write_text", fails_on_b)
    with pytest.raises(KeyboardInterrupt):
        write_directory({**FILES, "a.c": "int other;\n"}, tmp_path / "out")
    monkeypatch.undo()
    assert contents(tmp_path / "out") == FILES
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
