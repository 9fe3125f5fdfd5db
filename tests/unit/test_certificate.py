"""The certificate of a memory plan: peak, bounds and levers in report.json and report.txt, and the picture of the memory."""

import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest

from tinycompile.driver import OPTIMIZE, Compilation, compile_model

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module", params=OPTIMIZE)
def compiled(request: pytest.FixtureRequest, digits_model: Path) -> Compilation:
    return compile_model(digits_model, optimize=request.param)


def memory(compilation: Compilation) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(compilation.files["report.json"])["memory"]
    return found


def occupied(buffers: list[dict[str, Any]], region: int) -> set[int]:
    """Addresses that hold something during a region."""
    live = [b for b in buffers if b["first"] <= region <= b["last"]]
    return {address for b in live for address in range(b["offset"], b["offset"] + b["bytes"])}


def test_the_peak_is_where_most_bytes_are_in_use(compiled: Compilation) -> None:
    found = memory(compiled)
    in_use = [len(occupied(found["buffers"], region["index"])) for region in found["regions"]]
    assert [region["bytes_in_use"] for region in found["regions"]] == in_use
    assert found["peak_bytes"] == max(in_use) == in_use[found["peak_region"]] <= found["arena_bytes"]
    live = [b for b in found["buffers"] if b["first"] <= found["peak_region"] <= b["last"]]
    assert sorted(live, key=lambda b: (b["offset"], b["bytes"])) == found["peak_buffers"]
    assert [layer for region in found["regions"] for layer in region["layers"]] == [
        layer.index for layer in compiled.program.layers
    ]


def test_bounds_have_assumptions_and_hold(compiled: Compilation) -> None:
    found = memory(compiled)
    bounds = {bound["name"]: bound for bound in found["bounds"]}
    assert all(bound["assumption"] and isinstance(bound["proved"], bool) for bound in found["bounds"])
    assert bounds["input resident"]["bytes"] == compiled.program.inputs[0].bytes
    for name in ("input resident", "plan family", "placement"):
        assert bounds[name]["bytes"] <= found["arena_bytes"]


def test_the_text_says_what_the_data_say(compiled: Compilation) -> None:
    found, text = memory(compiled), " ".join(compiled.files["report.txt"].split())
    assert (
        f"peak {found['peak_bytes']:,} of {found['arena_bytes']:,} bytes, in region {found['peak_region']}"
        in text
    )
    for bound in found["bounds"]:
        assert re.search(
            rf"\| {bound['name']} \| {bound['bytes']:,} \| [+-]\d+\.\d% \| (yes|not proved) \|", text
        )
    for lever in found["levers"]:
        assert re.search(rf"\| {lever['option']} \| {lever['acts_on_bytes']:,} \|", text)


def test_levers(digits_model: Path) -> None:
    def options(**chosen: Any) -> list[str]:
        return [lever["option"] for lever in memory(compile_model(digits_model, **chosen))["levers"]]

    assert options()[-1] == "--optimize ram" and options(optimize="ram")[-1] == "--ram-limit"
    assert not any(option.startswith("--input") for option in options(input_mode="const"))
    assert "--recompute 5" in options() and not any("recompute" in option for option in options(recompute=1))


@pytest.mark.models
def test_a_peak_at_the_input_is_told(models_dir: Path) -> None:
    found = memory(compile_model(models_dir / "vww_96_int8.tflite", optimize="ram"))
    assert [lever["option"] for lever in found["levers"]] == [
        "--input const",
        "--input rows",
        "--recompute 5",
        "--ram-limit",
    ]
    assert found["levers"][0]["acts_on_bytes"] == 96 * 96 * 3


def test_the_picture_shows_every_buffer(compiled: Compilation) -> None:
    found = memory(compiled)
    root = ElementTree.fromstring(compiled.files["memory.svg"])
    boxes = {rect[0].text: rect for rect in root.iter(f"{SVG}rect") if len(rect)}
    assert len(boxes) == len(found["buffers"])
    for buffer in found["buffers"]:
        where = f"{buffer['bytes']:,} bytes at {buffer['offset']:,}, regions {buffer['first']} to {buffer['last']}"
        box = boxes[f"{buffer['name']}: {where}, {buffer['kind']}"]
        width, height = (float(box.get(key, "nan")) for key in ("width", "height"))
        columns = buffer["last"] - buffer["first"] + 1
        assert width == pytest.approx(columns * max(22, 640 / len(found["regions"])), abs=0.2)
        assert height == pytest.approx(420 * buffer["bytes"] / found["arena_bytes"], abs=0.2)
