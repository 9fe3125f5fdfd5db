"""Runs one oracle in a process of its own: `python -P oracle_child.py ORACLE DIRECTORY`.

An oracle may abort or crash on a file; then only this process ends. Files in DIRECTORY:

    model.tflite   the model
    inputs.npz     input_<i>: all samples of input i, stacked; tensors: indices of the tensors wanted after the last sample
    outputs.npz    written: output_<i>, tensor_<index>
"""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_TFLM_ARENA_BYTES = 64 << 20
"""TFLM plans its arena itself; with all tensors preserved it needs more than a microcontroller has."""

_MESSAGE_CHARACTERS = 300
"""Of an oracle's refusal; TFLite repeats itself for each tensor."""


class Oracle(Protocol):
    """An interpreter of .tflite files, whatever package it is from."""

    def invoke(self, inputs: list[Array]) -> list[Array]:
        """Run one sample; resource variables keep their values between samples."""

    def tensor(self, index: int) -> Array | None:
        """A tensor after the last invoke; None when the interpreter has no data for it."""


class LiteInterpreter:
    """tflite_runtime or ai_edge_litert with the reference kernels, never the optimized ones: those round differently."""

    def __init__(self, model: bytes, module: str) -> None:
        package = import_module(module)
        self._interpreter = package.Interpreter(
            model_content=model,
            experimental_op_resolver_type=package.OpResolverType.BUILTIN_REF,
            experimental_preserve_all_tensors=True,
        )
        self._interpreter.allocate_tensors()
        self._inputs = self._interpreter.get_input_details()
        self._outputs = self._interpreter.get_output_details()

    def invoke(self, inputs: list[Array]) -> list[Array]:
        for detail, data in zip(self._inputs, inputs, strict=True):
            self._interpreter.set_tensor(detail["index"], data.reshape(detail["shape"]))
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(detail["index"]) for detail in self._outputs]

    def tensor(self, index: int) -> Array | None:
        try:
            data: Array = self._interpreter.get_tensor(index)
        except ValueError:
            return None
        return data


class MicroInterpreter:
    """TensorFlow Lite Micro (PyPI `tflite-micro`)."""

    def __init__(self, model: bytes) -> None:
        runtime = import_module("tflite_micro.python.tflite_micro.runtime")
        self._interpreter = runtime.Interpreter.from_bytes(
            model,
            arena_size=_TFLM_ARENA_BYTES,
            intrepreter_config=runtime.InterpreterConfig.kPreserveAllTensors,
        )

    def invoke(self, inputs: list[Array]) -> list[Array]:
        for index, data in enumerate(inputs):
            shape = self._interpreter.get_input_details(index)["shape"]
            self._interpreter.set_input(data.reshape(shape), index)
        self._interpreter.invoke()
        return list(self._all_outputs())

    def _all_outputs(self) -> list[Array]:
        outputs: list[Array] = []
        while True:
            try:
                outputs.append(np.array(self._interpreter.get_output(len(outputs))))
            except (IndexError, RuntimeError, ValueError):
                return outputs

    def tensor(self, index: int) -> Array | None:
        try:
            return np.array(self._interpreter.GetTensor(index, 0)["tensor_data"])
        except (IndexError, RuntimeError, ValueError):
            return None


ORACLES: Mapping[str, Callable[[bytes], Oracle]] = {
    "tflite-runtime": lambda model: LiteInterpreter(model, "tflite_runtime.interpreter"),
    "litert": lambda model: LiteInterpreter(model, "ai_edge_litert.interpreter"),
    "tflm": MicroInterpreter,
}


def main(name: str, directory: Path) -> None:
    """Run all samples in one interpreter, one after the other."""
    oracle = ORACLES[name]((directory / "model.tflite").read_bytes())
    with np.load(directory / "inputs.npz") as archive:
        stacks = [archive[f"input_{i}"] for i in range(len(archive.files) - 1)]
        wanted = [int(index) for index in archive["tensors"]]
    samples = [oracle.invoke([stack[n] for stack in stacks]) for n in range(len(stacks[0]))]
    results = {f"output_{i}": np.stack([sample[i] for sample in samples]) for i in range(len(samples[0]))}
    for index in wanted:
        data = oracle.tensor(index)
        if data is not None:
            results[f"tensor_{index}"] = data
    np.savez(directory / "outputs.npz", **results)


if __name__ == "__main__":
    try:
        main(sys.argv[1], Path(sys.argv[2]))
    except Exception as error:
        sys.exit(f"{type(error).__name__}: {str(error)[:_MESSAGE_CHARACTERS]}")
