"""`tinycompile explore`: plans that are not dominated, each built by the command that stands beside it."""

import json
import re
import shlex
import struct
import sys
import xml.etree.ElementTree as ElementTree
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.state.models import MODELS
from tinycompile.cli import main
from tinycompile.driver.explore import explore_model
from tinycompile.report import picture
from tinycompile.report.drawing import Scale, place_labels, si_text


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


@pytest.fixture(scope="module")
def explored(digits_model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the command says of the digits model, without tools; the drawing is in `svg`."""
    folder = tmp_path_factory.mktemp("explored")
    paths = folder / "plans.json", folder / "plans.svg"
    result = run("explore", digits_model, "--estimate", "--json", paths[0], "--plot", paths[1])
    assert result.exit_code == 0, result.output
    return {**json.loads(paths[0].read_text()), "stdout": result.stdout, "svg": paths[1].read_text()}


def test_there_are_plans_to_choose_from(explored: dict[str, Any]) -> None:
    plans = explored["plans"]
    assert len(plans) >= 4
    assert [p["cycles"] for p in plans] == sorted(p["cycles"] for p in plans)
    assert {p["optimize"] for p in plans} >= {"speed", "flash"}
    limited = [plan for plan in plans if plan["flash_limit"]]
    assert limited and all(f"--flash-limit {plan['flash_limit']}" in plan["command"] for plan in limited)
    assert min(p["ram_bytes"] for p in plans) < 0.8 * plans[0]["ram_bytes"]


def test_no_plan_is_dominated(explored: dict[str, Any]) -> None:
    costs = [(p["ram_bytes"], p["cycles"], p["flash_bytes"]) for p in explored["plans"]]
    for one in costs:
        assert not any(
            other != one and all(a <= b for a, b in zip(other, one, strict=True)) for other in costs
        )
    assert len(set(costs)) == len(costs)


@pytest.mark.slow
def test_the_commands_build_the_plans(explored: dict[str, Any], tmp_path: Path) -> None:
    for number, plan in enumerate(explored["plans"]):
        program, *arguments = shlex.split(plan["command"])
        assert program == "tinycompile"
        result = run(*arguments, "-o", tmp_path / str(number))
        assert result.exit_code == 0, result.output
        report = json.loads((tmp_path / str(number) / "report.json").read_text())
        assert (report["arena_bytes"], report["state_bytes"]) == (plan["arena_bytes"], plan["state_bytes"])
        kernels = sum(layer["estimated_cycles"] for layer in report["layers"])
        assert kernels <= plan["cycles"]
        assert plan["cycles"] - kernels < 0.2 * plan["cycles"], "calls by row are the rest"


def test_the_extremes_are_those_of_the_modes(
    explored: dict[str, Any], digits_model: Path, tmp_path: Path
) -> None:
    for mode in ("speed", "ram"):
        assert run("build", digits_model, "--optimize", mode, "-o", tmp_path / mode).exit_code == 0
    speed, ram = (
        json.loads((tmp_path / mode / "report.json").read_text())["arena_bytes"] for mode in ("speed", "ram")
    )
    assert explored["plans"][0]["arena_bytes"] >= speed, "which spends a few cycles"
    assert min(p["arena_bytes"] for p in explored["plans"]) <= ram


@pytest.mark.slow
def test_extra_work_gives_smaller_plans(digits_model: Path, tmp_path: Path) -> None:
    options = ("--estimate", "--input", "const", "--recompute", "30", "--json", tmp_path / "plans.json")
    assert run("explore", digits_model, *options).exit_code == 0
    plans = json.loads((tmp_path / "plans.json").read_text())["plans"]
    striped = [plan for plan in plans if plan["recompute"]]
    least = {
        optimize: min(p["ram_bytes"] for p in plans if not p["recompute"] and p["optimize"] == optimize)
        for optimize in {p["optimize"] for p in striped}
    }
    assert striped and all(plan["ram_bytes"] < least[plan["optimize"]] for plan in striped)
    assert "--recompute 30" in striped[0]["command"] and "--input const" in striped[0]["command"]
    assert run(*shlex.split(striped[0]["command"])[1:], "-o", tmp_path / "out").exit_code == 0
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["arena_bytes"] == striped[0]["arena_bytes"]


def test_what_is_printed(explored: dict[str, Any]) -> None:
    assert "plans that are not dominated" in explored["stdout"] and "cycles (estimated)" in explored["stdout"]
    for plan in explored["plans"]:
        assert plan["command"] in explored["stdout"]
        assert f"{plan['ram_bytes']:,}" in explored["stdout"]


def test_the_drawing_has_every_plan_twice(explored: dict[str, Any]) -> None:
    root = ElementTree.fromstring(explored["svg"])
    titles = [element.text for element in root.iter("{http://www.w3.org/2000/svg}title")]
    assert titles == [f"{n}: {p['command']}" for n, p in enumerate(explored["plans"], 1)] * 2
    panels = [group for group in root if group.tag.endswith("}g")]
    for panel in panels:
        heights = [
            float(circle.get("cy", "nan")) for circle in panel.iter("{http://www.w3.org/2000/svg}circle")
        ]
        by_ram = sorted(zip((p["ram_bytes"] for p in explored["plans"]), heights, strict=True))
        assert [y for _, y in by_ram] == sorted(heights, reverse=True), "more RAM lies higher"


@pytest.mark.needs("module:vl_convert")
def test_the_drawing_as_png(explored: dict[str, Any]) -> None:
    """Two pixels for each unit of the SVG, and texts have a font."""
    drawn = picture(explored["svg"], Path("plans.png"))
    assert drawn.startswith(b"\x89PNG\r\n\x1a\n")
    root = ElementTree.fromstring(explored["svg"])
    assert struct.unpack(">2I", drawn[16:24]) == (
        2 * int(root.get("width", 0)),
        2 * int(root.get("height", 0)),
    )
    mute = re.sub(r"<text.*?</text>", "", explored["svg"])
    assert mute != explored["svg"] and picture(mute, Path("mute.png")) != drawn


def test_png_without_its_package(digits_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    result = run("explore", digits_model, "--estimate", "--plot", tmp_path / "plans.png")
    assert result.exit_code == 5
    assert "pip install vl-convert-python" in result.stderr and not list(tmp_path.iterdir())


def test_labels_keep_clear_of_points_and_of_each_other() -> None:
    alone, *_ = place_labels([(100, 100), (300, 100)])
    assert (alone.x > 100, alone.y < 100, alone.anchor) == (True, True, "start")
    points = [(100.0, 100.0), (107.0, 101.0), (104.0, 95.0)]
    labels = place_labels(points)
    assert len({(label.x, label.y) for label in labels}) == len(points)
    assert not any(label.covers(*point) for label in labels for point in points)


def test_scales() -> None:
    linear = Scale.over([300, 900], 0, 100)
    assert linear.at(0) == 0 and linear.at(linear.high) == 100 and not linear.is_log
    assert [text for _, text in linear.ticks()] == ["0", "200", "400", "600", "800"]
    wide = Scale.over([10_000, 2_000_000], 0, 100)
    places = {text: place for place, text in wide.ticks()}
    assert wide.is_log
    assert places["100k"] - places["10k"] == pytest.approx(places["1M"] - places["100k"], abs=0.2)
    assert [si_text(v) for v in (0, 640, 1500, 32_000, 1_250_000)] == ["0", "640", "1.5k", "32k", "1.25M"]


@pytest.mark.qemu
@pytest.mark.slow
def test_measured() -> None:
    """Modelled cycles are near the estimates, and flash includes the code."""
    model = MODELS["matrix"]
    measured, estimated = (explore_model(model, measured=m) for m in (True, False))
    assert measured["measured"] and not estimated["measured"]
    options = itemgetter("optimize", "ram_limit", "flash_limit")
    by_options = {options(plan): plan for plan in estimated["plans"]}
    both = [(by_options[options(plan)], plan) for plan in measured["plans"]]
    assert len(both) > 1
    for estimate, measurement in both:
        assert estimate["arena_bytes"] == measurement["arena_bytes"]
        assert 0.5 < estimate["cycles"] / measurement["cycles"] < 2
        assert measurement["flash_bytes"] > estimate["flash_bytes"]


def test_errors(digits_model: Path, tmp_path: Path) -> None:
    result = run("explore", digits_model, "--board", "host")
    assert result.exit_code == 2 and "--estimate" in result.stderr
    result = run("explore", digits_model, "--estimate", "--plot", tmp_path / "plans.pdf")
    assert result.exit_code == 2 and ".svg or .png" in result.stderr
    assert run("explore", tmp_path / "nothing.tflite", "--estimate").exit_code == 3
    assert not list(tmp_path.iterdir())
