"""Operators of the user: a Python file that registers them, loaded into the compiler."""

import sys
from hashlib import sha256
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from tinycompile.errors import Problem, UsageError
from tinycompile.ops.base import registry
from tinycompile.ops.catalog import operators

_loaded: dict[str, set[str]] = {}
"""Kinds of the operators of each plugin, by the name of its module."""


def load_plugin(path: str | Path) -> None:
    """Run a Python file that registers operators; they stay until `unload_plugins`. A file is run once.

    Raises UsageError when the file cannot be read or run, or registers nothing, or what is there already; then nothing of it
    stays.
    """
    file = Path(path).resolve()
    try:
        name = f"tinycompile_plugin_{sha256(str(file).encode() + file.read_bytes()).hexdigest()}"
    except OSError as error:
        raise UsageError(Problem(f"plugin {path}", f"cannot be read ({error.strerror})")) from error
    if name in _loaded:
        return
    before = dict(operators())
    try:
        _run(name, file)
        if len(registry.operators) == len(before):
            raise ValueError("it registers no operator")
        _loaded[name] = registry.operators.keys() - before.keys()
    except Exception as error:  # the file is the user's: whatever it raises is told with its place
        sys.modules.pop(name, None)
        registry.operators.clear()
        registry.operators.update(before)
        found = f"cannot be loaded ({type(error).__name__}: {error})"
        action = "see docs/custom-operators.md"
        raise UsageError(Problem(f"plugin {path}", found, action=action)) from error
    finally:
        operators.cache_clear()


def unload_plugins() -> None:
    """Forget the operators of all plugins."""
    for name, kinds in _loaded.items():
        sys.modules.pop(name, None)
        for kind in kinds:
            del registry.operators[kind]
    _loaded.clear()
    operators.cache_clear()


def _run(name: str, file: Path) -> None:
    spec = spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ValueError("its name must end with .py")
    module = module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
