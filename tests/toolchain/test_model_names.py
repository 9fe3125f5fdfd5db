"""Models with the names of what stands around them: macros, headers, functions and targets of the harness."""

from pathlib import Path

import pytest

from tflite_support.builder import Builder, Spec
from tinycompile.driver.prove import verify_model

NAMES = ("model", "harness", "harness_model", "port", "minimal", "TC_model", "types", "m")


def addition() -> bytes:
    builder = Builder()
    spec = Spec((1, 2, 3, 1), "int8", 0.5, 3)
    x = builder.tensor(spec)
    return builder.finish([x], [builder.op("ADD", [x, x], spec)])


@pytest.mark.slow
@pytest.mark.needs("gcc")
@pytest.mark.parametrize(
    ("name", "input_mode"),
    [*((name, "arena") for name in NAMES), ("harness", "rows"), ("harness_rows", "rows")],
)
def test_a_model_may_have_any_name(name: str, input_mode: str, tmp_path: Path) -> None:
    model = tmp_path / f"{name}.tflite"
    model.write_bytes(addition())
    found = verify_model(model, board="host", samples=1, oracle="evaluate", input_mode=input_mode)
    assert found.exact, found.summary()
