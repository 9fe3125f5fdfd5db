"""`tinycompile verify`: which samples it compares."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from tinycompile.cli import main


def verify(model: Path, *arguments: str | Path) -> Result:
    options = ["--board", "host", "--oracle", "evaluate", "--json", "-"]
    return CliRunner().invoke(main, ["verify", str(model), *options, *map(str, arguments)])


@pytest.fixture
def three_images(tmp_path: Path) -> Path:
    path = tmp_path / "images.npz"
    np.savez(path, x=np.random.default_rng(3).integers(-128, 128, (3, 1, 16, 16, 1)).astype(np.int8))
    return path


@pytest.mark.slow
@pytest.mark.parametrize(("made", "compared"), [(0, 3), (2, 5)])
def test_samples_are_made_besides_the_inputs_of_a_file(
    made: int, compared: int, digits_model: Path, three_images: Path
) -> None:
    """With 0 there are only those of the file."""
    result = verify(digits_model, "--samples", str(made), "--inputs", three_images)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["samples"] == compared


@pytest.mark.parametrize(("count", "with_file", "least"), [(0, False, 1), (-1, False, 1), (-1, True, 0)])
def test_nothing_to_compare_is_a_usage_error(
    count: int, with_file: bool, least: int, digits_model: Path, three_images: Path
) -> None:
    inputs = ["--inputs", three_images] if with_file else []
    result = verify(digits_model, "--samples", str(count), *inputs)
    assert result.exit_code == 2
    assert f"--samples: {count} is too few; {least} or more" in result.stderr
