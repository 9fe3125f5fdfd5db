"""The marks of our templates, literals that read back to the same value, comments that cannot end early."""

import ctypes
import subprocess
from pathlib import Path

import jinja2
import numpy as np
import pytest

from tinycompile.codegen.environment import c_array, c_comment, c_float, environment

CASES = {
    "int8_t": np.array([-128, -1, 0, 127], np.int8),
    "uint8_t": np.array([0, 1, 255], np.uint8),
    "int16_t": np.array([-32768, 32767], np.int16),
    "int32_t": np.array([-(2**31), -1, 2**31 - 1], np.int32),
    "uint32_t": np.array([0, 2**32 - 1], np.uint32),
    "int64_t": np.array([-(2**63), 2**63 - 1], np.int64),
    "float": np.array([0.1, -0.0, 1e-45, 3.4028235e38, 1 / 3, 1e30], np.float32),
}


def test_literals_read_back_to_the_same_bytes(tmp_path: Path) -> None:
    lines = ["#include <stdint.h>", "#include <math.h>"]
    lines += [f"const {t} values_{i}[] = {{{c_array(v)}}};" for i, (t, v) in enumerate(CASES.items())]
    source, library = tmp_path / "values.c", tmp_path / "values.so"
    source.write_text("\n".join(lines) + "\n")
    subprocess.run(
        ["cc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", library, source],
        check=True,
    )
    loaded = ctypes.CDLL(str(library))
    for i, values in enumerate(CASES.values()):
        stored = (ctypes.c_char * values.nbytes).in_dll(loaded, f"values_{i}")
        assert bytes(stored) == values.tobytes()


def test_long_arrays_wrap() -> None:
    assert max(map(len, c_array(np.arange(1000, dtype=np.int32)).splitlines())) <= 120


@pytest.mark.parametrize(
    ("value", "text"), [(float("inf"), "INFINITY"), (-float("inf"), "-INFINITY"), (0.5, "5.0e-01f")]
)
def test_float_literals(value: float, text: str) -> None:
    assert c_float(value) == text


@pytest.mark.parametrize("name", ["a*/b", "a/*b", "line\nbreak", "größe", "tab\there"])
def test_names_cannot_end_a_comment(name: str) -> None:
    safe = c_comment(name)
    assert "*/" not in safe
    assert "/*" not in safe
    assert safe.isascii()
    assert "\n" not in safe


def test_templates_keep_c_braces() -> None:
    text = (
        environment()
        .from_string("int a[1][2] = {{0, 0}};\n//% for i in [1, 2]\nf(${i});\n//% endfor\n")
        .render()
    )
    assert text == "int a[1][2] = {{0, 0}};\nf(1);\nf(2);\n"


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError):
        environment().from_string("${unknown}").render()


def test_a_template_can_refuse_its_parameters() -> None:
    with pytest.raises(AssertionError, match="K is odd"):
        environment().from_string('${fail("K is odd")}').render()
