"""Boards: every file loads, and a wrong file is answered with all of its problems."""

import tomllib

import pytest

from tinycompile import board as board_module
from tinycompile.board import Board, board_names, load_board, parse_board
from tinycompile.errors import UsageError
from tinycompile.resources import boards_dir

GOOD = {"description": "d", "cpu": "cortex-m7", "compiler": "cc", "cflags": ["-O2"]}
EMULATOR = {"machine": "m", "linker_script": "l", "timer": "cmsdk", "timer_address": 4, "timer_hz": 5}


def test_the_promised_boards_exist():
    assert {"host", "m7", "m4", "m33", "m55"} <= set(board_names())


@pytest.mark.parametrize("name", board_names())
def test_every_board_file_loads(name):
    board = load_board(name)
    assert board.name == name
    assert board.description
    assert board.is_host or (boards_dir() / "firmware" / board.emulator.linker_script).is_file()
    assert board.is_host == (board.compiler == "cc")


def test_no_two_boards_share_a_description():
    descriptions = [load_board(name).description for name in board_names()]
    assert len(set(descriptions)) == len(descriptions)


def test_m7_is_what_its_file_and_family_say():
    board = load_board("m7")
    own = tomllib.loads((boards_dir() / "m7.toml").read_text())
    assert (board.cpu, board.dsp, board.fpu) == ("cortex-m7", True, True)
    assert board.ram_bytes == own["ram_bytes"]
    assert board.compiler == "arm-none-eabi-gcc"
    assert board.cflags == ("-O2", "-ffp-contract=off")
    assert board.emulator.machine == "mps2-an500"


def test_unknown_board_lists_those_there_are():
    with pytest.raises(UsageError) as caught:
        load_board("m8")
    assert "m8" in str(caught.value)
    assert all(name in str(caught.value) for name in board_names())


def test_path_is_no_board_name():
    with pytest.raises(UsageError):
        load_board("families/cortex_m")


def test_all_problems_are_reported_at_once():
    values = {"description": 3, "cpu": "x", "cflags": "-O2", "ram_kb": 4, "dsp": 1, "cycle_model": "z80"}
    with pytest.raises(UsageError) as caught:
        parse_board("bad", values)
    text = "\n".join(caught.value.problems)
    assert len(caught.value.problems) == 6
    for part in (
        "unknown key 'ram_kb'",
        "'compiler' is missing",
        "description is 3",
        "cflags is",
        "dsp is 1",
        "z80",
    ):
        assert part in text
    assert "ram_bytes" in text  # what is allowed


@pytest.mark.parametrize("value", [True, -1, 0, "4096", 1.5], ids=repr)
def test_memory_is_a_positive_integer(value):
    with pytest.raises(UsageError, match="ram_bytes"):
        parse_board("bad", {**GOOD, "ram_bytes": value})


def test_emulator_is_checked():
    with pytest.raises(UsageError) as caught:
        parse_board("bad", {**GOOD, "emulator": {**EMULATOR, "timer": "sundial", "cores": 2}})
    assert len(caught.value.problems) == 2
    with pytest.raises(UsageError, match="no table"):
        parse_board("bad", {**GOOD, "emulator": "qemu"})


def test_good_values_make_a_board():
    board = parse_board("good", {**GOOD, "emulator": EMULATOR})
    assert board == Board(
        name="good",
        description="d",
        cpu="cortex-m7",
        compiler="cc",
        cflags=("-O2",),
        emulator=board_module.Emulator(**EMULATOR),
    )


def test_inheritance_merges_tables_and_finds_loops(tmp_path, monkeypatch):
    monkeypatch.setattr(board_module, "boards_dir", lambda: tmp_path)
    (tmp_path / "families").mkdir()
    (tmp_path / "families" / "base.toml").write_text(
        'description = "base"\ncpu = "c"\ncompiler = "cc"\ncflags = []\n[emulator]\nmachine = "m"\nlinker_script = "l"\n'
        'timer = "sse"\ntimer_address = 4\ntimer_hz = 5\n'
    )
    (tmp_path / "heir.toml").write_text(
        'inherits = "base"\ndescription = "heir"\n[emulator]\nmachine = "n"\n'
    )
    (tmp_path / "loop.toml").write_text('inherits = "loop"\n')
    (tmp_path / "orphan.toml").write_text('inherits = "nobody"\n')
    (tmp_path / "broken.toml").write_text("description = \n")
    heir = load_board("heir")
    assert (heir.description, heir.emulator.machine, heir.emulator.timer) == ("heir", "n", "sse")
    for name, message in (("loop", "itself"), ("orphan", "nobody"), ("broken", "broken.toml")):
        with pytest.raises(UsageError, match=message):
            load_board(name)
