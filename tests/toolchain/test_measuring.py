"""What is measured is known beforehand: loops of so many instructions, frames of so many bytes."""

import random

import numpy as np
import pytest

from tests.toolchain.test_harness import build_and_run
from tinycompile.board import board_names, load_board
from tinycompile.toolchain import ticks
from tinycompile.toolchain.block_counts import profile
from tinycompile.toolchain.cycles import layer_costs, total_cost
from tinycompile.toolchain.harness import READINGS, Measurement
from tinycompile.toolchain.process import run
from tinycompile.toolchain.runner import run_harness
from tinycompile.toolchain.sizes import firmware_sizes
from tinycompile.toolchain.stack import stack_bound

EMULATED = [name for name in board_names() if not load_board(name).is_host]

KNOWN = """
    #include "toy.h"
    tc_status toy_init(toy_context *ctx, void *arena, void *state) {{ ctx->arena = arena; (void)state; return TC_OK; }}
    int8_t *toy_input_0(const toy_context *ctx) {{ return ctx->arena; }}
    const int8_t *toy_output_0(const toy_context *ctx) {{ return ctx->arena; }}
    __attribute__((naked)) tc_status toy_invoke(const toy_context *ctx __attribute__((unused)))
    {{
        __asm volatile(".syntax unified\\n{body}");
    }}
"""

# The first two bytes of the input are a number n >= 2: n + 5 instructions, one of them only when n is odd.
COUNTED = KNOWN.format(
    body="ldr r1, [r0]\\nldrh r0, [r1]\\nlsrs r0, r0, #1\\nbcc 0f\\nnop\\n0: subs r0, r0, #1\\nbne 0b\\nbx lr\\n"
)
CONSTANT = 5


def numbers(n):
    """Samples of the counted loop; the second one is measured."""
    return tuple((np.frombuffer(number.to_bytes(32, "little"), np.int8).reshape(4, 8),) for number in (2, n))


@pytest.mark.qemu
@pytest.mark.parametrize("board", EMULATED)
def test_instructions_are_exact(board, make_toy, tmp_path):
    """Neighbouring counts are told apart, whatever the phase of the timer."""
    machine = load_board(board)
    generated, firmware, _ = build_and_run(make_toy(source=COUNTED), board, numbers(2), tmp_path)
    for n in (2, 3, 4, 5, 6, 1000, 1001, 40_000, 65_535):
        result = run_harness(
            generated, firmware, machine, numbers(n), count_instructions=True, timeout_seconds=60
        )
        assert ticks.instructions(result.invoke, result.empty, machine.emulator.timer_hz) == n + CONSTANT


@pytest.mark.parametrize("timer_hz", sorted({load_board(name).emulator.timer_hz for name in EMULATED}))
def test_readings_of_an_ideal_timer_give_the_count_back(timer_hz):
    """A timer simulated with integers, at random phases and counts."""
    chance = random.Random(1)

    def readings(phase_ps, first):
        places = (phase_ps + 64_000 * (first + k) for k in range(READINGS))
        return tuple(place * timer_hz // 10**12 % 2**32 for place in places)

    def measured(count):
        phase_ps, start = chance.randrange(10**6), chance.randrange(10**10)
        return Measurement(readings(phase_ps, start), readings(phase_ps, start + count), 0)

    for _ in range(2000):
        count, overhead = chance.randrange(1, 10 ** chance.randrange(1, 9)), chance.randrange(9, 20)
        assert ticks.instructions(measured(count + overhead - 1), measured(overhead), timer_hz) == count


@pytest.mark.qemu
@pytest.mark.parametrize("board", ["m7", "m4"])
def test_unicorn_and_qemu_count_the_same(board, make_toy, toy_samples, tmp_path):
    """Two emulators of two authors; and the layers of a build with markers add up to the whole of the one without."""
    machine = load_board(board)
    generated, firmware, _ = build_and_run(make_toy(), board, toy_samples, tmp_path)
    result = run_harness(
        generated, firmware, machine, toy_samples, count_instructions=True, timeout_seconds=60
    )
    counted = ticks.instructions(result.invoke, result.empty, machine.emulator.timer_hz)
    cost = total_cost(profile(firmware.harness, "toy", machine, firmware.directory))
    assert (cost.instructions, cost.unmodelled) == (counted, {})

    _, marked, _ = build_and_run(generated.directory, board, toy_samples, tmp_path, trace="MARKERS")
    layers = layer_costs(profile(marked.harness, "toy", machine, marked.directory))
    assert sorted(layers) == [0, 1]
    assert sum(layer.instructions for layer in layers.values()) == pytest.approx(counted, abs=4)
    assert layers[0].instructions > layers[1].instructions > 0


@pytest.mark.qemu
def test_blocks_of_a_known_loop(make_toy, tmp_path):
    """M4 cycles by hand: LDR 2, LDRH behind it 1, LSRS 1, BCC 3; 1000 turns of SUBS 1, BNE 3; BX 3."""
    _, firmware, _ = build_and_run(make_toy(source=COUNTED), "m4", numbers(2000), tmp_path)
    found = profile(firmware.harness, "toy", load_board("m4"), firmware.directory)
    assert sorted(found.counts.values()) == [1, 1, 1000]
    cost = total_cost(found)
    assert (cost.instructions, cost.cycles_m4) == (2000 + CONSTANT, 2 + 1 + 1 + 3 + 1000 * 4 + 3)


@pytest.mark.qemu
@pytest.mark.parametrize("board", ["m7", "m33"])
def test_painted_stack_is_exact(board, make_toy, toy_samples, tmp_path):
    body = "movs r0, #0\\npush {{r4-r7, lr}}\\nsub sp, #76\\nmovs r4, #1\\nstr r4, [sp]\\nadd sp, #76\\npop {{r4-r7, pc}}\\n"
    directory = make_toy(source=KNOWN.format(body=body.format()))
    _, _, result = build_and_run(directory, board, toy_samples, tmp_path)
    assert result.invoke.stack_bytes - result.empty.stack_bytes == 5 * 4 + 76


CALLS = """
    #define FUNCTION __attribute__((noinline)) static void
    FUNCTION leaf(volatile int8_t *to) { volatile int8_t big[256]; big[to[0] & 7] = 1; to[0] = big[0]; }
    FUNCTION middle(volatile int8_t *to) { volatile int8_t some[64]; some[to[0] & 7] = 2; leaf(to); to[1] = some[1]; }
"""


@pytest.mark.qemu
def test_static_bound_covers_the_painted_stack(make_toy, toy_samples, tmp_path):
    directory = make_toy("middle(arena);")
    source = directory / "toy.c"
    source.write_text(source.read_text().replace("tc_status toy_init", CALLS + "\ntc_status toy_init", 1))
    generated, firmware, result = build_and_run(directory, "m7", toy_samples, tmp_path)
    bound = stack_bound(generated, firmware)
    painted = result.invoke.stack_bytes - result.empty.stack_bytes
    assert bound.chain == ("toy_invoke", "middle", "leaf")
    assert (
        256 + 64 < painted <= bound.stack_bytes <= painted + 8 + 256 + 64
    )  # `leaf` writes the lower part of `big` only


@pytest.mark.qemu
def test_folded_functions_are_found_under_their_other_name(make_toy, toy_samples, tmp_path):
    """GCC makes one function of two equal ones and states the frame of one of them only."""
    body = "(volatile int8_t *to) { volatile int8_t big[256]; big[to[0] & 7] = 1; to[0] = big[0]; }"
    twins = (
        f"#define FUNCTION __attribute__((noinline)) static void\nFUNCTION one{body}\nFUNCTION two{body}\n"
    )
    directory = make_toy("one(arena); two(arena + 1);")
    source = directory / "toy.c"
    source.write_text(source.read_text().replace("tc_status toy_init", twins + "tc_status toy_init", 1))
    generated, firmware, _ = build_and_run(directory, "m7", toy_samples, tmp_path)
    bound = stack_bound(generated, firmware)
    assert bound.from_machine_code == ()
    assert 256 <= bound.stack_bytes < 256 + 64


@pytest.mark.qemu
def test_functions_without_source_are_bounded_by_their_code(make_toy, toy_samples, tmp_path):
    assembly = """
        .syntax unified
        .thumb
        .section .text.kernel, "ax", %progbits
        .global kernel
        .type kernel, %function
        kernel:
            push {r4-r11, lr}
            vpush {d8-d9}
            sub sp, #20
            add sp, #20
            vpop {d8-d9}
            pop {r4-r11, pc}
        .size kernel, . - kernel
    """
    directory = make_toy("extern void kernel(void); kernel();")
    (directory / "kernel.S").write_text(assembly)
    cmake = directory / "CMakeLists.txt"
    cmake.write_text(cmake.read_text().replace("toy_weights.c", "toy_weights.c kernel.S"))
    generated, firmware, _ = build_and_run(directory, "m7", toy_samples, tmp_path)
    bound = stack_bound(generated, firmware)
    assert bound.from_machine_code == ("kernel",)
    own = stack_bound(*build_and_run(make_plain(directory), "m7", toy_samples, tmp_path)[:2]).stack_bytes
    assert (
        bound.stack_bytes >= 9 * 4 + 2 * 8 + 20 + 4
    )  # what `kernel` takes, and the return address of `invoke`
    assert bound.stack_bytes - own <= 9 * 4 + 2 * 8 + 20 + 8


def make_plain(directory):
    """The same directory without the call."""
    source = directory / "toy.c"
    source.write_text(source.read_text().replace("extern void kernel(void); kernel();", ""))
    return directory


@pytest.mark.qemu
def test_recursion_has_no_bound(make_toy, toy_samples, tmp_path):
    directory = make_toy("arena[0] = again(arena, 3);")
    source = directory / "toy.c"
    recursive = """
        __attribute__((noinline)) static int8_t again(volatile int8_t *p, int n)
        {
            volatile int8_t kept[8];
            kept[n] = p[n];
            return (int8_t)((n ? again(p, n - 1) : 0) + kept[n]);
        }
    """
    source.write_text(source.read_text().replace("tc_status toy_init", recursive + "tc_status toy_init", 1))
    bound = stack_bound(*build_and_run(directory, "m7", toy_samples, tmp_path)[:2])
    assert (bound.stack_bytes, bound.unknown) == (None, ("again",))


@pytest.mark.qemu
def test_sizes_of_the_minimal_firmware(make_toy, toy_samples, tmp_path):
    """The weights are the table of 256 bytes; arena and state with a byte each are the variables; code is the rest of flash."""
    generated, firmware, _ = build_and_run(make_toy(), "m7", toy_samples, tmp_path)
    sizes = firmware_sizes(generated, firmware)
    assert sizes.weights_bytes == 256
    assert 65 + 5 <= sizes.bss_bytes <= 65 + 5 + 32
    assert sizes.data_bytes == 0
    loaded = firmware.directory / "minimal.bin"
    run(["arm-none-eabi-objcopy", "-O", "binary", firmware.minimal, loaded], task="copying")
    padding = 16
    assert 0 <= loaded.stat().st_size - (sizes.code_bytes + sizes.weights_bytes) < padding


def test_sizes_on_the_host_are_those_of_the_objects(make_toy, toy_samples, tmp_path):
    generated, firmware, _ = build_and_run(make_toy(), "host", toy_samples, tmp_path)
    sizes = firmware_sizes(generated, firmware)
    assert sizes.weights_bytes == 256
    assert 50 < sizes.code_bytes < 1000
