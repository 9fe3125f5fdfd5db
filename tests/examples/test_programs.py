"""The example programs build as their README says, and read the digit that the reference reads."""

import re
import subprocess
from pathlib import Path
from typing import Unpack

import numpy as np
import pytest

from tflite_support.oracles import Question, ask
from tinycompile.driver import CompileOptions, compile_model
from tinycompile.driver.output import write_directory

_INPUT_SCALE = np.float32(16 / 255)


@pytest.fixture(scope="module")
def digit(project_root: Path, digits_model: Path) -> int:
    """What tflite-runtime reads in the drawing of examples/drawing.h."""
    text = (project_root / "examples" / "drawing.h").read_text()
    rows = re.findall(r'^    "([ +#]{16})",', text, flags=re.MULTILINE)
    ink = {" ": 0, "+": 8, "#": 16}
    pixels = np.array([[ink[c] for c in row] for row in rows], np.float32)
    assert pixels.shape == (16, 16)
    image = (np.round(pixels / _INPUT_SCALE) - 128).astype(np.int8).reshape(1, 16, 16, 1)
    (answer,) = ask([Question(digits_model.read_bytes(), [[image]])])
    assert answer.refusal is None, answer.refusal
    return int(answer.outputs[0][0].argmax())


def build(
    example: str,
    board: str,
    project_root: Path,
    model: Path,
    folder: Path,
    *options: str,
    **compile_options: Unpack[CompileOptions],
) -> Path:
    """Compile the model, then the example around it; the folder of its build."""
    compiled = compile_model(model, board=board, name="digits", **compile_options)
    write_directory(compiled.files, folder / "model")
    build_folder = folder / "build"
    source = project_root / "examples" / example
    configure = ["cmake", "-S", source, "-B", build_folder, f"-DMODEL_DIR={folder / 'model'}", *options]
    subprocess.run(configure, check=True, capture_output=True)
    subprocess.run(["cmake", "--build", build_folder], check=True, capture_output=True)
    return build_folder


@pytest.mark.needs("cmake", "cc")
def test_on_the_host(project_root: Path, digits_model: Path, tmp_path: Path, digit: int) -> None:
    folder = build("host", "host", project_root, digits_model, tmp_path)
    printed = subprocess.run([folder / "digits_on_host"], check=True, capture_output=True, text=True).stdout
    scores = {int(d): float(s) for d, s in re.findall(r"^(\d): +(\d+\.\d) %$", printed, flags=re.MULTILINE)}
    assert sorted(scores) == list(range(10))
    assert max(scores, key=lambda d: scores[d]) == digit
    assert sum(scores.values()) == pytest.approx(100, abs=2)


@pytest.mark.needs("cmake", "cc")
@pytest.mark.parametrize(("example", "mode"), [("frame_buffer", "const"), ("camera_lines", "rows")])
def test_without_the_image_in_the_arena(
    example: str, mode: str, project_root: Path, digits_model: Path, tmp_path: Path, digit: int
) -> None:
    folder = build(example, "host", project_root, digits_model, tmp_path, optimize="ram", input_mode=mode)
    program = folder / f"digits_in_{example}"
    printed = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    assert printed.startswith(f"it is a {digit}, ")
    if mode == "rows":
        assert "16 lines of 16" in printed


@pytest.mark.qemu
@pytest.mark.needs("cmake")
def test_on_a_bare_metal_cortex_m7(
    project_root: Path, digits_model: Path, tmp_path: Path, digit: int
) -> None:
    toolchain = f"-DCMAKE_TOOLCHAIN_FILE={project_root / 'boards' / 'toolchains' / 'arm-none-eabi.cmake'}"
    folder = build("cortex_m7", "m7", project_root, digits_model, tmp_path, toolchain)
    emulator = ["qemu-system-arm", "-M", "mps2-an500", "-display", "none", "-monitor", "none", "-serial", "none",
                "-semihosting-config", "enable=on,target=native", "-kernel"]  # fmt: skip
    done = subprocess.run(
        [*emulator, folder / "digits_on_cortex_m7.elf"], capture_output=True, text=True, timeout=60
    )
    assert f"it is a {digit}" in done.stdout + done.stderr
