"""The C functions on int16 equal those in numpy for every input."""

import subprocess
from pathlib import Path

import numpy as np

from tinycompile.board import load_board
from tinycompile.quant import logistic, tanh
from tinycompile.resources import runtime_dir

INTEGER_BITS = range(7)
_CALLS = "".join(f"put(tc_tanh_16(x, {bits}));" for bits in INTEGER_BITS)
_PROGRAM = f"""
#include <stdio.h>
#include "tc_fixed_point_16.h"
static void put(int32_t value)
{{
    fwrite(&value, sizeof value, 1, stdout);
}}
int main(void)
{{
    for (int32_t x = INT16_MIN; x <= INT16_MAX; ++x) {{
        put(tc_logistic_16(x));
        {_CALLS}
    }}
    return 0;
}}
"""


def test_every_input(tmp_path: Path) -> None:
    """logistic with 3 integer bits, tanh with each number of them."""
    source, program = tmp_path / "all.c", tmp_path / "all"
    source.write_text(_PROGRAM, encoding="utf-8")
    flags = ["-O1", "-Wall", "-Wextra", "-Werror", "-fsanitize=undefined", f"-I{runtime_dir()}"]
    subprocess.run([load_board("host").compiler, *flags, str(source), "-o", str(program)], check=True)
    output = subprocess.run([str(program)], check=True, capture_output=True).stdout
    found = np.frombuffer(output, np.int32).reshape(1 << 16, -1)
    values = np.arange(-(1 << 15), 1 << 15, dtype=np.int64)
    assert np.array_equal(found[:, 0], logistic(values, 3, 16))
    for bits in INTEGER_BITS:
        assert np.array_equal(found[:, 1 + bits], tanh(values, bits, 16)), bits
