"""What all tests share: where models and samples are, and what happens when a tool is missing.

A missing tool is a failure in CI (`CI=true`) and a skip that names it elsewhere. Missing real models are always a skip:
they are not part of the project.
"""

import importlib.util
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

_ROOT = Path(__file__).resolve().parent.parent
_IN_CI = os.environ.get("CI") == "true"
_QEMU_TOOLS = ("arm-none-eabi-gcc", "qemu-system-arm")

# No deadline: how long an example takes says more of the machine than of the code. In CI the examples are the same each time.
settings.register_profile("project", deadline=None, derandomize=_IN_CI, print_blob=True)
settings.load_profile("project")


def _models() -> Path:
    return Path(os.environ.get("TINYCOMPILE_MODELS") or _ROOT.parent / "shared" / "models").resolve()


def _samples() -> Path:
    return Path(os.environ.get("TINYCOMPILE_SAMPLES") or _models().parent / "samples").resolve()


def _require_folder(folder: Path, variable: str) -> Path:
    if not folder.is_dir():
        pytest.skip(f"no folder {folder}: put the real models there or point {variable} at them")
    return folder


def _is_present(tool: str) -> bool:
    if tool.startswith("module:"):
        return importlib.util.find_spec(tool.removeprefix("module:")) is not None
    return shutil.which(tool) is not None


def _require_tools(*tools: str) -> None:
    missing = [tool for tool in tools if not _is_present(tool)]
    if not missing:
        return
    message = f"missing: {', '.join(missing)}; `make setup` installs it"
    if _IN_CI:
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


@pytest.fixture(scope="session")
def project_root() -> Path:
    """Root of the checkout."""
    return _ROOT


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """Folder of the real models: TINYCOMPILE_MODELS or ../shared/models."""
    return _require_folder(_models(), "TINYCOMPILE_MODELS")


@pytest.fixture(scope="session")
def samples_dir() -> Path:
    """Folder of the real inputs: TINYCOMPILE_SAMPLES, or `samples` beside the models."""
    return _require_folder(_samples(), "TINYCOMPILE_SAMPLES")


@pytest.fixture(scope="session")
def digits_model() -> Path:
    """The small real model that the project owns."""
    return _ROOT / "examples" / "digits" / "digits_int8.tflite"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="run the long sweeps too (marker `long`)")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the long sweeps out, unless `--long` or a marker expression asks for them."""
    if config.getoption("--long") or "long" in str(config.getoption("-m")):
        return
    long = [item for item in items if item.get_closest_marker("long")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Check what the markers of a test ask for before its fixtures run."""
    if item.get_closest_marker("models"):
        _require_folder(_models(), "TINYCOMPILE_MODELS")
    if item.get_closest_marker("qemu"):
        _require_tools(*_QEMU_TOOLS)
    for marker in item.iter_markers("needs"):
        _require_tools(*marker.args)
