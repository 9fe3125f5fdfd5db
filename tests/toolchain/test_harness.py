"""The harness on this computer and on every emulated board: outputs, trace, guards, status."""

import pytest

from tinycompile.board import board_names, load_board
from tinycompile.errors import ToolError, VerificationError
from tinycompile.toolchain import process
from tinycompile.toolchain.cmake import build_firmware
from tinycompile.toolchain.generated import read_generated
from tinycompile.toolchain.harness import read_trace
from tinycompile.toolchain.process import run
from tinycompile.toolchain.runner import run_harness

EVERY_BOARD = [
    pytest.param(name, marks=[] if load_board(name).is_host else [pytest.mark.qemu]) for name in board_names()
]


def build_and_run(directory, board_name, samples, work, **options):
    board, generated = load_board(board_name), read_generated(directory)
    firmware = build_firmware(generated, board, work / board_name, **options)
    assert firmware.warnings == ()
    return generated, firmware, run_harness(generated, firmware, board, samples, timeout_seconds=60)


@pytest.mark.parametrize("board", EVERY_BOARD)
def test_outputs_of_all_samples(board, make_toy, toy_samples, tmp_path):
    _, _, result = build_and_run(make_toy(), board, toy_samples, tmp_path)
    assert [output.tolist() for (output,) in result.outputs] == [data.tolist() for (data,) in toy_samples]


@pytest.mark.parametrize("board", EVERY_BOARD)
def test_trace_has_every_row_of_the_wanted_sample(board, make_toy, toy_samples, tmp_path):
    """The toy's rows come last to first; they are put in order."""
    generated, firmware, result = build_and_run(
        make_toy(), board, toy_samples, tmp_path, trace="ROWS", trace_sample=2
    )
    trace = read_trace(generated, firmware.directory)
    wanted = toy_samples[2][0]
    assert trace.keys() == {(0, 0), (1, 0)}
    assert trace[0, 0].tolist() == wanted.T.tolist()
    assert trace[1, 0].tolist() == wanted.tolist()
    assert result.outputs[0][0].tolist() == toy_samples[0][0].tolist()


@pytest.mark.parametrize(
    ("here", "message"),
    [
        ("arena[64] = 1;", "behind the arena"),
        ("arena[-1] = 1;", "in front of the arena"),
        ("((uint8_t *)ctx->state)[4] = 1;", "behind the state"),
        ("((uint8_t *)ctx->state)[-1] = 1;", "in front of the state"),
        ("return TC_ERROR;", "status 1"),
    ],
)
def test_wrong_behaviour_is_told(here, message, make_toy, toy_samples, tmp_path):
    with pytest.raises(VerificationError, match=message):
        build_and_run(make_toy(here), "host", toy_samples, tmp_path)


def test_crash_on_the_host_is_a_tool_error(make_toy, toy_samples, tmp_path):
    with pytest.raises(ToolError, match="signal"):
        build_and_run(make_toy("__builtin_trap();"), "host", toy_samples, tmp_path)


@pytest.mark.qemu
def test_fault_on_the_emulator_is_a_tool_error(make_toy, toy_samples, tmp_path):
    with pytest.raises(ToolError, match=r"status 100\s+fault, CFSR 0x[0-9a-f]{8}"):
        build_and_run(make_toy('__asm volatile("udf #0");'), "m7", toy_samples, tmp_path)


@pytest.mark.qemu
def test_endless_loop_is_stopped(make_toy, toy_samples, tmp_path):
    board, generated = load_board("m7"), read_generated(make_toy("for (;;) { }"))
    firmware = build_firmware(generated, board, tmp_path / "build")
    with pytest.raises(ToolError, match="within 2 s"):
        run_harness(generated, firmware, board, toy_samples, timeout_seconds=2)


def test_arena_is_stale_before_each_sample(make_toy, toy_samples, tmp_path):
    """Byte 40 is written by each inference; the next one finds the fill pattern there, so nobody can rely on it."""
    directory = make_toy("arena[0] = first;")
    source = directory / "toy.c"
    source.write_text(
        source.read_text().replace("++*(uint32_t *)ctx->state;", "const int8_t first = arena[40];")
    )
    _, _, result = build_and_run(directory, "host", toy_samples, tmp_path)
    assert [int(output[0, 0]) & 0xFF for (output,) in result.outputs] == [0xA5] * len(toy_samples)


def test_sample_of_another_shape_is_refused(make_toy, toy_samples, tmp_path):
    with pytest.raises(ToolError, match=r"int8 \[3, 8\]; the model takes int8 \[4, 8\]"):
        build_and_run(make_toy(), "host", [(toy_samples[0][0][:3],)], tmp_path)


def test_compiler_error_is_shown(make_toy, toy_samples, tmp_path):
    with pytest.raises(ToolError, match="unknown_name"):
        build_and_run(make_toy("unknown_name;"), "host", toy_samples, tmp_path)


def test_no_report_is_told(tmp_path):
    with pytest.raises(ToolError, match=r"report\.json"):
        read_generated(tmp_path)


def test_missing_program_names_the_command_that_installs_it(monkeypatch):
    monkeypatch.setattr(process, "find_program", lambda name: None)
    with pytest.raises(ToolError, match="apt-get install qemu-system-arm"):
        process.require_program("qemu-system-arm")


def test_failing_program_shows_its_last_lines():
    with pytest.raises(ToolError, match=r"status 3\n    the reason"):
        run(["sh", "-c", "echo the reason; exit 3"], task="trying")
