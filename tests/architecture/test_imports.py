"""The import direction, and what each part of the package may know."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

_PACKAGES = {
    "codegen",
    "frontend",
    "ir",
    "lowering",
    "ops",
    "passes",
    "planning",
    "program",
    "quant",
    "replay",
    "report",
    "toolchain",
}


def _modules(root: Path) -> list[Path]:
    return sorted((root / "tinycompile").rglob("*.py"))


def _imports(module: Path) -> Iterator[tuple[str, int]]:
    """Every module that a file imports, with the line; no relative imports in this project."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno}: relative import; the project uses absolute ones"
            assert node.module is not None
            yield node.module, node.lineno


@pytest.mark.needs("module:importlinter")
def test_import_contracts(project_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from importlinter.cli import lint_imports

    monkeypatch.chdir(project_root)
    assert lint_imports(no_cache=True) == 0


def test_packages_are_imported_by_their_front_door(project_root: Path) -> None:
    wrong = []
    for path in _modules(project_root):
        own = path.relative_to(project_root / "tinycompile").parts[0]
        for name, line in _imports(path):
            parts = name.split(".")
            if parts[0] == "tinycompile" and len(parts) > 2 and parts[1] != own and parts[1] in _PACKAGES:
                wrong.append(f"{path.relative_to(project_root)}:{line}: import from tinycompile.{parts[1]}")
    assert not wrong


def test_nothing_below_the_command_line_imports_the_package_root(project_root: Path) -> None:
    """The root's `__init__` imports the driver, so any other module that imports it makes a cycle."""
    wrong = [
        f"{path.relative_to(project_root)}:{line}"
        for path in _modules(project_root)
        for name, line in _imports(path)
        if name == "tinycompile" and path.parent.name != "cli"
    ]
    assert not wrong


def test_every_import_is_a_declared_dependency(project_root: Path) -> None:
    """Reads the dependencies from `pyproject.toml`, whatever the environment has installed."""
    project = tomllib.loads((project_root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *project["optional-dependencies"]["png"]]
    declared = {_normal(re.split(r"[^\w.-]", line, maxsplit=1)[0]) for line in lines}
    # the second reference comes with the test extra where the first one is installed
    declared |= {"tflite-micro"}
    # an extra need not be installed
    distributions = {"vl_convert": ["vl-convert-python"], **packages_distributions()}
    undeclared = []
    for path in _modules(project_root):
        for name, line in _imports(path):
            top = name.split(".")[0]
            if top == "tinycompile" or top in sys.stdlib_module_names:
                continue
            providers = {_normal(d) for d in distributions.get(top, [top])}
            if not providers & declared:
                undeclared.append(f"{path.relative_to(project_root)}:{line}: {top}")
    assert not undeclared


def _normal(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def test_dependencies_have_no_upper_bound_without_a_reason(project_root: Path) -> None:
    """Only numpy has one: tflite-runtime is built against numpy 1."""
    project = tomllib.loads((project_root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    bounded = [line for line in project["dependencies"] if "<" in line.split(";")[0]]
    assert bounded == ["numpy>=1.24,<2; python_version < '3.12'"]
