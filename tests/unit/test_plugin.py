"""Plugins: what is wrong with them is said with their place, and nothing of a broken one stays."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tflite_support.builder import Builder, Spec
from tinycompile import compile_model
from tinycompile.errors import ModelError, UsageError
from tinycompile.ops import load_plugin, operators, unload_plugins

PLUGIN = """
from pathlib import Path
from tinycompile.custom import *

@register
class Twice(CustomOperator):
    custom_code = "{code}"
    types = (TypeRule((DType.INT8,), (DType.INT8,)),)
    kernels = (TemplateKernel(lambda operation: TemplateCode(str(Path(__file__).with_name("{template}")))),)

    def infer(self, operation):
        return (operation.input(0).shape,)

    def evaluate(self, operation, inputs):
        return (inputs[0] * 2,)
"""


@pytest.fixture(autouse=True)
def _no_plugin_stays() -> Iterator[None]:
    yield
    unload_plugins()


def model(code: str) -> bytes:
    builder = Builder()
    start = builder.tensor(Spec((4,), "int8", 0.5))
    return builder.finish([start], [builder.op(code, [start], Spec((4,), "int8", 0.5))])


def write(folder: Path, text: str) -> Path:
    path = folder / "plugin.py"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import nothing_like_this", "ModuleNotFoundError"),
        ("x = (", "SyntaxError"),
        ("x = 1", "registers no operator"),
        (PLUGIN.format(code="SignalDelay", template="-"), "CUSTOM SignalDelay is registered twice"),
        (PLUGIN.format(code="HalfDone", template="-") + "\nraise RuntimeError('late')", "late"),
    ],
)
def test_a_broken_plugin_leaves_nothing_behind(text: str, found: str, tmp_path: Path) -> None:
    before = dict(operators())
    with pytest.raises(UsageError, match=found):
        load_plugin(write(tmp_path, text))
    assert operators() == before


def test_a_plugin_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.py: cannot be read"):
        load_plugin(tmp_path / "nowhere.py")


def test_a_model_without_its_plugin_says_what_to_do() -> None:
    with pytest.raises(ModelError, match=r"#0 CUSTOM Unheard .*not supported; .*custom-operators\.md"):
        compile_model(model("Unheard"))


def test_a_plugin_is_loaded_once(tmp_path: Path) -> None:
    path = write(tmp_path, PLUGIN.format(code="Once", template="-"))
    load_plugin(path)
    load_plugin(path)
    assert "CUSTOM Once" in operators()


@pytest.mark.parametrize(
    ("template", "found"),
    [(None, "TemplateNotFound"), ("static void ${fn}(int8_t *out, ${missing})\n{\n}\n", "UndefinedError")],
)
def test_a_template_that_cannot_be_filled(template: str | None, found: str, tmp_path: Path) -> None:
    if template is not None:
        (tmp_path / "twice.c.j2").write_text(template, encoding="utf-8")
    code = f"Twice{found}"
    path = write(tmp_path, PLUGIN.format(code=code, template="twice.c.j2"))
    with pytest.raises(UsageError, match=rf"twice\.c\.j2: cannot be filled \({found}"):
        compile_model(model(code), plugins=[path])
