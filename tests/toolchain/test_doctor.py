"""The list of tools agrees with what the machine has."""

import shutil

from tinycompile.toolchain import check_tools, doctor


def test_programs_are_those_in_the_path():
    tools = {tool.name: tool for tool in check_tools()}
    for name in ("cc", "arm-none-eabi-gcc", "qemu-system-arm", "llvm-mca"):
        assert tools[name].found == (shutil.which(name) is not None)
        assert tools[name].install.startswith("apt-get install ")
        assert not tools[name].found or tools[name].version[0].isdigit()


def test_missing_tools_are_told_with_a_command(monkeypatch):
    monkeypatch.setattr(doctor, "find_program", lambda name: None)
    monkeypatch.setattr(doctor, "available_oracles", lambda: ())
    tools = {tool.name: tool for tool in check_tools()}
    assert not tools["cmake"].found
    assert tools["cmake"].install == "pip install cmake"
    assert [name for name in ("ninja", "make") if tools[name].required] == ["make"]
    assert [
        name for name in ("tflite-runtime", "tflite-micro", "ai-edge-litert") if tools[name].required
    ] == ["tflite-runtime"]


def test_one_oracle_is_enough(monkeypatch):
    monkeypatch.setattr(doctor, "available_oracles", lambda: ("litert",))
    tools = {tool.name: tool for tool in check_tools()}
    assert not tools["tflite-runtime"].required
