"""Cost models on blocks whose cycles are counted by hand from the manuals; disassembly of what the models ask about."""

import pytest

from tinycompile.toolchain import cost_m4, cost_m7
from tinycompile.toolchain.disassembly import Instruction, disassemble
from tinycompile.toolchain.process import run


def block(*lines):
    return tuple(Instruction(*(line.split(" ", 1) if " " in line else (line, ""))) for line in lines)


@pytest.mark.parametrize(
    ("lines", "cycles"),
    [
        (("add r0, r0, r1",), 1),
        (("smlad r0, r1, r2, r0",), 1),
        (("ldr r0, [r1]",), 2),
        (("ldr r0, [r1]", "ldr r2, [r1, #4]"), 3),
        (("ldr r0, [r1]", "str r0, [r2]", "ldr r3, [r1]"), 4),
        (("ldr r0, [r1]", "add r0, r0, #1", "ldr r2, [r1]"), 5),
        (("ldm r0!, {r1, r2, r3, r4}",), 5),
        (("push {r4-r7, lr}",), 6),
        (("pop {r4, pc}",), 5),
        (("sdiv r0, r0, r1",), 8),
        (("ldrd r0, r1, [r2]",), 3),
        (("bne #0x100",), 3),
        (("bl #0x100",), 3),
        (("bx lr",), 3),
        (("cbz r0, #0x100",), 3),
        (("bic r0, r0, r1",), 1),
        (("bfi r0, r1, #0, #8",), 1),
    ],
)
def test_m4_table(lines, cycles):
    assert cost_m4.block_cycles(block(*lines)) == cycles


@pytest.mark.needs("llvm-mca")
def test_m7_issues_two_independent_additions_in_a_cycle():
    adds = block(*(f"add r{n}, r{n}, #1" for n in range(8)))
    chain = block(*(["add r0, r0, #1"] * 8))
    together, one_by_one = cost_m7.block_costs([adds, chain])
    assert together.cycles == pytest.approx(4, abs=0.6)
    assert one_by_one.cycles == pytest.approx(8, abs=0.6)
    assert together.unmodelled == one_by_one.unmodelled == ()


@pytest.mark.needs("llvm-mca")
def test_m7_costs_of_many_blocks_are_those_of_each_alone():
    blocks = [
        block("smlad r0, r1, r2, r0", "ldr r1, [r3], #4"),
        block("bx lr"),
        block("ldm r0!, {r1, r2, r3, r4}", "subs r5, r5, #1", "bne #0x10"),
        block("nonsense r1", "add r0, r0, #1"),
        block("it eq"),
    ]
    together = cost_m7.block_costs(blocks)
    assert together == [cost_m7.block_costs([one])[0] for one in blocks]
    assert [cost.unmodelled for cost in together] == [(), (), (), ("nonsense",), ()]
    assert together[4].cycles == 0


@pytest.mark.needs("llvm-mca")
def test_m7_multiple_loads_cost_a_cycle_for_two_words():
    two, eight = cost_m7.block_costs([block("ldm r0, {r1, r2}"), block("ldm r0, {r1-r8}")])
    assert eight.cycles - two.cycles == pytest.approx(3)


@pytest.mark.qemu
def test_it_blocks_lose_their_conditions(tmp_path):
    source = tmp_path / "it.s"
    source.write_text(
        ".syntax unified\n.thumb\n.cpu cortex-m7\ncmp r0, #1\nitte ge\nmovge.w r8, #5\naddge r0, r0, #1\nsublt r1, r1, r2\n"
        "adds r0, r0, #1\nmuls r0, r1, r0\nteq r0, r1\nsmlal r0, r1, r2, r3\nbls .\nldmia r0!, {r4-r7, r9}\n"
    )
    task = "assembling"
    run(["arm-none-eabi-gcc", "-mcpu=cortex-m7", "-mthumb", "-c", source, "-o", tmp_path / "it.o"], task=task)
    run(["arm-none-eabi-objcopy", "-O", "binary", tmp_path / "it.o", tmp_path / "it.bin"], task=task)
    found = disassemble((tmp_path / "it.bin").read_bytes(), 0)
    stems = [instruction.stem for instruction in found]
    assert stems == ["cmp", "itte", "mov", "add", "sub", "adds", "muls", "teq", "smlal", "bls", "ldm"]
    assert [instruction.is_branch for instruction in found].index(True) == 9
    assert found[1].is_it
    assert not found[7].is_it
    assert found[10].registers == 5
    (cost,) = cost_m7.block_costs([found])
    assert cost.unmodelled == ()
