"""The files that the harness (`boards/firmware/harness.c`) is made of, reads and writes."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinycompile.errors import Problem, ToolError, VerificationError
from tinycompile.toolchain.generated import Array, Generated, TensorInfo

Sample = tuple[Array, ...]
"""All inputs of one inference, or all its outputs."""

READINGS = 8
_FORMAT = 0x54433031
_MEASUREMENT = struct.Struct(f"<{2 * READINGS + 1}I")
_HEAD = struct.Struct("<4I")
_ROW_HEAD = struct.Struct("<4I")
_GUARDS = ("in front of the arena", "behind the arena", "in front of the state", "behind the state")


@dataclass(frozen=True)
class Measurement:
    """Timer readings (elapsed ticks) in front of and behind one call, and the stack it took; see `tc_harness_port.h`."""

    before: tuple[int, ...]
    after: tuple[int, ...]
    stack_bytes: int


@dataclass(frozen=True)
class HarnessResult:
    """What one run of the harness gave."""

    outputs: tuple[Sample, ...]
    invoke: Measurement
    empty: Measurement
    """The same for a call of a function that is one instruction."""


def model_header(generated: Generated, trace_sample: int = 0) -> str:
    """Text of tc_harness_model.h, by which harness.c and minimal.c know the model."""
    name, macro = generated.name, generated.name.upper()
    in_arena = generated.input_mode == "arena"
    inputs = [
        (
            f"{name}_input_{i}(context)" if in_arena else f"tc_harness_input_{i}",
            f"{macro}_INPUT_{i}_BYTES",
        )
        for i in range(len(generated.inputs))
    ]
    outputs = [
        (f"{name}_output_{i}(context)", f"{macro}_OUTPUT_{i}_BYTES") for i in range(len(generated.outputs))
    ]
    lines = [
        "#ifndef TC_HARNESS_MODEL_INCLUDED",
        "#define TC_HARNESS_MODEL_INCLUDED",
        f'#include "{name}.h"',
        f"#define TC_MODEL_CONTEXT {name}_context",
        f"#define TC_MODEL_INIT {name}_init",
        f"#define TC_MODEL_INVOKE {name}_invoke",
        f"#define TC_MODEL_ARENA_BYTES {macro}_ARENA_BYTES",
        f"#define TC_MODEL_STATE_BYTES {macro}_STATE_BYTES",
        f"#define TC_MODEL_ALIGNED __attribute__((aligned({macro}_ARENA_ALIGN)))",
        f"#define TC_MODEL_INPUT_COUNT {macro}_INPUT_COUNT",
        f"#define TC_MODEL_OUTPUT_COUNT {macro}_OUTPUT_COUNT",
        f"#define TC_MODEL_INPUTS(context) {_regions(inputs)}",
        f"#define TC_MODEL_OUTPUTS(context) {_regions(outputs)}",
        f"#define TC_HARNESS_TRACE_SAMPLE {trace_sample}u",
        *_bind_inputs(generated),
        "#endif",
    ]
    return "\n".join(lines) + "\n"


def _regions(regions: Sequence[tuple[str, str]]) -> str:
    return "{" + ", ".join(f"{{{data}, {size}}}" for data, size in regions) + "}"


def _bind_inputs(generated: Generated) -> list[str]:
    """With inputs outside of the arena the harness owns their buffers, and hands them or their rows to the model."""
    if generated.input_mode == "arena":
        return ["#define TC_MODEL_BIND_INPUTS(context) ((void)(context))"]
    name, macro, indices = generated.name, generated.name.upper(), range(len(generated.inputs))
    lines = [
        f"TC_MODEL_ALIGNED static uint8_t tc_harness_input_{i}[{macro}_INPUT_{i}_BYTES];" for i in indices
    ]
    if generated.input_mode == "rows":
        lines.insert(0, '#include "tc_harness_rows.h"')
        for i in indices:
            rows = f"tc_harness_input_{i}, {macro}_INPUT_{i}_ROW_BYTES"
            lines.append(f"static tc_harness_rows tc_harness_rows_{i} = {{{rows}}};")
        calls = [
            f"{name}_set_rows_{i}((context), tc_harness_read_row, &tc_harness_rows_{i})" for i in indices
        ]
    else:
        calls = [f"{name}_set_input_{i}((context), (const void *)tc_harness_input_{i})" for i in indices]
    return [*lines, f"#define TC_MODEL_BIND_INPUTS(context) ({', '.join(calls)})"]


def write_inputs(generated: Generated, samples: Sequence[Sample], directory: Path) -> None:
    """Write inputs.bin. Raises ToolError when a sample does not have the model's types and sizes."""
    with (directory / "inputs.bin").open("wb") as file:
        for number, sample in enumerate(samples):
            _check_sample(generated, number, sample)
            for array in sample:
                file.write(np.ascontiguousarray(array).tobytes())


def _check_sample(generated: Generated, number: int, sample: Sample) -> None:
    found = [f"{array.dtype.name} {list(array.shape)}" for array in sample]
    expected = [f"{info.dtype} {list(info.shape)}" for info in generated.inputs]
    fits = len(sample) == len(generated.inputs) and all(
        array.dtype == np.dtype(info.dtype) and array.nbytes == info.data_bytes
        for array, info in zip(sample, generated.inputs, strict=True)
    )
    if not fits:
        place = f"{generated.name}: sample {number}"
        raise ToolError(Problem(place, f"it is {', '.join(found)}", f"the model takes {', '.join(expected)}"))


def read_result(generated: Generated, samples: int, directory: Path) -> HarnessResult:
    """Read what the harness left.

    Raises ToolError when it stopped early, VerificationError when the generated code reported an error or wrote outside of its
    memory.
    """
    data = _read(generated, directory / "result.bin")
    if len(data) != _HEAD.size + 2 * _MEASUREMENT.size:
        raise ToolError(Problem(generated.name, f"result.bin of the harness has {len(data)} bytes"))
    marker, done, status, guards = _HEAD.unpack_from(data)
    if marker != _FORMAT:
        raise ToolError(
            Problem(
                generated.name, "the harness's results were overwritten", action="is the stack too small?"
            )
        )
    if status != 0:
        raise VerificationError(
            Problem(generated.name, f"init or invoke returned status {status} (tc_status) in sample {done}")
        )
    if guards:
        broken = [text for bit, text in enumerate(_GUARDS) if guards >> bit & 1]
        raise VerificationError(Problem(generated.name, f"the generated code wrote {' and '.join(broken)}"))
    if done != samples:
        raise ToolError(Problem(generated.name, f"the harness ran {done} of {samples} samples"))
    outputs = _read_outputs(generated, samples, directory)
    invoke = _measurement(data, _HEAD.size)
    return HarnessResult(outputs, invoke, _measurement(data, _HEAD.size + _MEASUREMENT.size))


def read_trace(generated: Generated, directory: Path) -> dict[tuple[int, int], Array]:
    """Each layer's outputs out of trace.bin, by (layer, output): rows in the order of their numbers."""
    data = _read(generated, directory / "trace.bin")
    rows: dict[tuple[int, int], dict[int, bytes]] = {}
    offset = 0
    while offset < len(data):
        layer, output, row, count = _ROW_HEAD.unpack_from(data, offset)
        offset += _ROW_HEAD.size
        rows.setdefault((layer, output), {})[row] = data[offset : offset + count]
        offset += count
    return {key: _assemble(_output_info(generated, *key), parts) for key, parts in rows.items()}


def _output_info(generated: Generated, layer: int, output: int) -> TensorInfo:
    return generated.layers[layer].outputs[output]


def _assemble(info: TensorInfo, rows: dict[int, bytes]) -> Array:
    data = b"".join(rows[row] for row in sorted(rows))
    if info.planar and len(rows) == info.shape[0] * info.shape[1]:
        return info.from_planar(data)
    return info.from_bytes(data) if len(data) == info.data_bytes else np.frombuffer(data, dtype=info.dtype)


def _read(generated: Generated, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ToolError(Problem(generated.name, f"the harness did not write {path.name}")) from error


def _read_outputs(generated: Generated, samples: int, directory: Path) -> tuple[Sample, ...]:
    data = _read(generated, directory / "outputs.bin")
    expected = samples * sum(info.data_bytes for info in generated.outputs)
    if len(data) != expected:
        raise ToolError(
            Problem(generated.name, f"the harness wrote {len(data)} bytes of outputs instead of {expected}")
        )
    result, offset = [], 0
    for _ in range(samples):
        sample = []
        for info in generated.outputs:
            sample.append(info.from_bytes(data[offset : offset + info.data_bytes]))
            offset += info.data_bytes
        result.append(tuple(sample))
    return tuple(result)


def _measurement(data: bytes, offset: int) -> Measurement:
    words = _MEASUREMENT.unpack_from(data, offset)
    return Measurement(words[:READINGS], words[READINGS : 2 * READINGS], words[-1])
