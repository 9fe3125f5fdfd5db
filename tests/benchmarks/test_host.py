"""`python -m benchmarks.host`: a real measurement of the model that the project owns."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.host import least_seconds, main


@pytest.mark.slow
@pytest.mark.needs("cc", "module:tflite_runtime")
def test_both_are_timed(digits_model: Path) -> None:
    ours, theirs = least_seconds(digits_model)
    assert 1e-6 < ours < 1e-1
    assert 1e-6 < theirs < 1e-1


def test_a_missing_file_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYCOMPILE_MODELS", str(tmp_path))
    done = CliRunner().invoke(main, ["vww_96_int8"])
    assert done.exit_code == 0 and "no file" in done.output
    assert CliRunner().invoke(main, ["nobody"]).exit_code == 2
