"""Generated documents are current, and documents speak of what is there."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from tinycompile.cli import main

_SOURCE_FILE = re.compile(r"`([\w./-]+\.(?:py|j2))`")
_LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")


def test_supported_operators_are_current(project_root: Path) -> None:
    """`make docs` writes the file again."""
    printed = CliRunner().invoke(main, ["ops", "--markdown"], catch_exceptions=False)
    assert (project_root / "docs" / "supported-operators.md").read_text(encoding="utf-8") == printed.stdout


def test_links_between_documents_lead_somewhere(project_root: Path) -> None:
    documents = [
        *project_root.glob("*.md"),
        *(project_root / "docs").rglob("*.md"),
        *(project_root / "examples").rglob("*.md"),
    ]
    assert documents
    broken = [
        f"{path.relative_to(project_root)}: {target}"
        for path in documents
        for target in _LINK.findall(path.read_text(encoding="utf-8"))
        if not (path.parent / target).exists()
    ]
    assert not broken


def test_files_that_documents_name_exist(project_root: Path) -> None:
    """By their path from the root or the package, or by their name; `<operator>` stands for several."""
    names = {
        path
        for folder in ("tinycompile", "tests", "templates", "examples")
        for path in _files(project_root / folder)
    }
    missing = [
        f"{document.relative_to(project_root)}: {name}"
        for document in [project_root / "README.md", *(project_root / "docs").rglob("*.md")]
        for name in _SOURCE_FILE.findall(document.read_text(encoding="utf-8"))
        if not any(f"/{known}".endswith(f"/{name}") for known in names)
    ]
    assert not missing


def _files(folder: Path) -> list[str]:
    return [path.relative_to(folder.parent).as_posix() for path in folder.rglob("*") if path.is_file()]


def _commands(project_root: Path, document: str) -> list[list[str]]:
    """The commands of tinycompile, with their options, in the fenced code of a document or in the Makefile."""
    text = (project_root / document).read_text(encoding="utf-8")
    if document.endswith(".md"):
        text = "\n".join(re.findall(r"^```\w*\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE))
    lines = re.findall(r"^\s*(?:\$ )?(?:\S*/)?tinycompile\s+([a-z].*)$", text, flags=re.MULTILINE)
    return [re.findall(r"^[a-z]+|--[a-z-]+", line.split("#")[0]) for line in lines]


@pytest.mark.parametrize("document", ["README.md", "Makefile"])
def test_commands_in_documents_exist(project_root: Path, document: str) -> None:
    found = _commands(project_root, document)
    assert found
    for name, *options in found:
        assert name in main.commands, f"{document}: tinycompile {name}"
        known = {option for parameter in main.commands[name].params for option in parameter.opts}
        assert set(options) <= known | {"--help"}, f"{document}: tinycompile {name} {options}"


def test_commands_of_the_contract_exist() -> None:
    assert set(main.commands) >= {"build", "verify", "bench", "inspect", "boards", "ops", "doctor"}
