"""Small streaming models: variables read and assigned in every order, windows over rows that persist."""

import numpy as np

from tests.state.streaming import QUANTIZATION, Streaming, ramp
from tflite_support.builder import Builder, Spec


def accumulate() -> bytes:
    """y = x + v, which v holds next; initial values that differ."""
    model = Streaming({"v": ramp(1, 7)})
    total = model.add(model.input(1, 7), model.read("v"), 1, 7)
    model.assign("v", total)
    return model.finish(total)


def delay() -> bytes:
    """The output is the old value itself, which the input replaces."""
    model = Streaming({"v": np.full((1, 5), 9, np.int8)})
    x, old = model.input(1, 5), model.read("v")
    model.assign("v", x)
    return model.finish(old)


def early_assignment() -> bytes:
    """The old value is still read when the file has assigned a new one."""
    model = Streaming({"v": ramp(1, 6)})
    x, old = model.input(1, 6), model.read("v")
    model.assign("v", x)
    first = model.add(old, x, 1, 6)
    return model.finish(model.add(first, old, 1, 6))


def swap() -> bytes:
    """Two variables change places; one of them is an output too."""
    model = Streaming({"a": ramp(1, 4), "b": np.full((1, 4), -7, np.int8)})
    x, a, b = model.input(1, 4), model.read("a"), model.read("b")
    model.assign("a", b)
    model.assign("b", a)
    return model.finish(model.add(x, a, 1, 4), b)


def rotate() -> bytes:
    """Three variables hand on their values in a circle, and rows of one rotate within it."""
    names = ("a", "b", "c")
    model = Streaming(
        {name: ramp(1, 3, 1, 4) + np.int8(i) for i, name in enumerate(names)} | {"r": ramp(1, 4, 1, 4)}
    )
    x = model.input(1, 3, 1, 4)
    a, b, c, r = (model.read(name) for name in (*names, "r"))
    model.assign("a", b)
    model.assign("b", c)
    model.assign("c", a)
    head, tail = model.rows(r, 0, 1, 1, 1, 1, 4), model.rows(r, 1, 4, 1, 3, 1, 4)
    model.assign("r", model.concat([tail, head], 1, 1, 4, 1, 4))
    return model.finish(model.add(x, a, 1, 3, 1, 4), model.add(x, tail, 1, 3, 1, 4))


def chain() -> bytes:
    """A delay line of three variables: each takes the old value of the one before."""
    model = Streaming({name: np.full((1, 3), i, np.int8) for i, name in enumerate("abc")})
    x = model.input(1, 3)
    a, b, c = (model.read(name) for name in "abc")
    model.assign("a", x)
    model.assign("b", a)
    model.assign("c", b)
    return model.finish(model.add(x, c, 1, 3))


def assign_before_read() -> bytes:
    """What is read was assigned in the same call; of two assignments the last one persists."""
    model = Streaming({"v": ramp(1, 5), "w": ramp(1, 5)})
    x = model.input(1, 5)
    old = model.read("w")
    model.assign("v", x)
    model.assign("w", model.read("v"))
    middle = model.add(model.read("w"), old, 1, 5)
    model.assign("w", middle)
    return model.finish(model.add(model.read("w"), x, 1, 5))


def constants() -> bytes:
    """A variable that nobody assigns, once as an output; one that nobody reads; one assigned to itself."""
    model = Streaming({"fixed": ramp(1, 6), "unread": ramp(1, 6), "same": ramp(1, 6)})
    x, same = model.input(1, 6), model.read("same")
    model.assign("unread", x)
    model.assign("same", same)
    return model.finish(model.add(x, same, 1, 6), model.read("fixed"))


def window(
    rows: int = 5, new: int = 2, width: int = 1, depth: int = 8, padding: str = "VALID", stride: int = 1
) -> bytes:
    """A convolution over rows that persist and new ones, as streaming layers are exported."""
    held = rows - new
    model = Streaming({"v": ramp(1, held, width, depth)})
    x, old = model.input(1, new, width, depth), model.read("v")
    image = model.concat([old, x], 1, 1, rows, width, depth)
    model.assign("v", model.rows(image, new, rows, 1, held, width, depth))
    taps = min(3, rows)
    out_rows = -(-(rows if padding == "SAME" else rows - taps + 1) // stride)
    out = model.conv(image, (taps, 1), (depth, 6), 1, out_rows, width, 6, padding=padding, stride_h=stride)
    return model.finish(out)


def mixed_windows(low_depth: int = 4, high_depth: int = 4) -> bytes:
    """Parts of the channels go to depthwise convolutions of different length (MixConv)."""
    depth = low_depth + high_depth
    model = Streaming({"v": ramp(1, 8, 1, depth)})
    x, old = model.input(1, 1, 1, depth), model.read("v")
    image = model.concat([old, x], 1, 1, 9, 1, depth)
    model.assign("v", model.rows(image, 1, 9, 1, 8, 1, depth))
    parts = [Spec((1, 9, 1, channels), "int8", *QUANTIZATION) for channels in (low_depth, high_depth)]
    low, high = model.split(image, 3, *parts)
    short = model.depthwise(model.rows(low, 4, 9, 1, 5, 1, low_depth), 5, low_depth, 1, 1, 1, low_depth)
    long = model.depthwise(high, 9, high_depth, 1, 1, 1, high_depth)
    return model.finish(model.concat([short, long], 3, 1, 1, 1, depth))


def unread_rows() -> bytes:
    """More rows and channels persist than the window reads."""
    model = Streaming({"v": ramp(1, 5, 1, 8)})
    x = model.input(1, 1, 1, 8)
    image = model.concat([model.read("v"), x], 1, 1, 6, 1, 8)
    model.assign("v", model.rows(image, 1, 6, 1, 5, 1, 8))
    halves = Spec((1, 6, 1, 4), "int8", *QUANTIZATION)
    _, high = model.split(image, 3, halves, halves)
    return model.finish(model.depthwise(model.rows(high, 3, 6, 1, 3, 1, 4), 3, 4, 1, 1, 1, 4))


def matrix(per_channel: bool) -> bytes:
    """FULLY_CONNECTED over all rows; its scales are multiplied in float32 when there is one for all weights."""
    model = Streaming({"v": ramp(1, 4, 1, 6)})
    x = model.input(1, 1, 1, 6)
    image = model.concat([model.read("v"), x], 1, 1, 5, 1, 6)
    model.assign("v", model.rows(image, 1, 5, 1, 4, 1, 6))
    shape = model.builder.const(np.array([1, 30], np.int32))
    flat = model.builder.op(
        "RESHAPE", [image, shape], Spec((1, 30), "int8", *QUANTIZATION), new_shape=[1, 30]
    )
    rng = np.random.default_rng(9)
    scale = [0.0137, 0.0091, 0.0173] if per_channel else 0.0137
    weights = model.builder.const(rng.integers(-127, 128, (3, 30), np.int8), scale=scale)
    bias = model.builder.const(rng.integers(-99, 99, 3, np.int32), scale=np.float32(0.5) * np.float32(scale))
    out = model.builder.op("FULLY_CONNECTED", [flat, weights, bias], Spec((1, 3), "int8", 1.7, 4))
    return model.finish(out)


def two_stages() -> bytes:
    """A window over the results of another one; the image is read by an addition as well."""
    model = Streaming({"v": ramp(1, 2, 1, 4), "w": np.full((1, 3, 1, 6), -3, np.int8)})
    x = model.input(1, 1, 1, 4)
    image = model.concat([model.read("v"), x], 1, 1, 3, 1, 4)
    model.assign("v", model.rows(image, 1, 3, 1, 2, 1, 4))
    features = model.conv(image, (3, 1), (4, 6), 1, 1, 1, 6)
    second = model.concat([model.read("w"), features], 1, 1, 4, 1, 6)
    model.assign("w", model.rows(second, 1, 4, 1, 3, 1, 6))
    return model.finish(model.conv(second, (4, 1), (6, 5), 1, 1, 1, 5), model.add(second, second, 1, 4, 1, 6))


def other_types() -> bytes:
    """Rows of int16 and of float32 wait in variables."""
    model = Streaming({"s": ramp(1, 2, 1, 3, dtype="int16"), "f": ramp(1, 2, 1, 3, dtype="float32")})
    outputs = []
    for name, dtype in (("s", "int16"), ("f", "float32")):
        x = model.input(1, 1, 1, 3, dtype=dtype)
        image = model.concat([model.read(name), x], 1, 1, 3, 1, 3, dtype=dtype)
        model.assign(name, model.rows(image, 1, 3, 1, 2, 1, 3, dtype=dtype))
        outputs.append(image)
    return model.finish(*outputs)


def computed_initial_values() -> bytes:
    """The subgraph that CALL_ONCE runs computes what it assigns, and reads it again."""
    builder = Builder()
    init = builder.subgraph("initialise")
    handles = [init.op("VAR_HANDLE", [], Spec((), "resource"), shared_name=name) for name in "ab"]
    spec = Spec((1, 4), "int8", *QUANTIZATION)
    constant = init.const(ramp(1, 4), *QUANTIZATION)
    init.op("ASSIGN_VARIABLE", [handles[0], init.op("ADD", [constant, constant], spec)], [])
    again = init.op("READ_VARIABLE", [handles[0]], spec)
    init.op("ASSIGN_VARIABLE", [handles[1], init.op("ADD", [again, constant], spec)], [])
    builder.op("CALL_ONCE", [], [], init_subgraph_index=init.close([], []))
    x = builder.input((1, 4), "int8", *QUANTIZATION)
    total = x
    for name in "ab":
        handle = builder.op("VAR_HANDLE", [], Spec((), "resource"), shared_name=name)
        total = builder.op("ADD", [total, builder.op("READ_VARIABLE", [handle], spec)], spec)
        builder.op("ASSIGN_VARIABLE", [handle, total], [])
    return builder.finish([x], [total])


MODELS = {
    "accumulate": accumulate(),
    "delay": delay(),
    "early_assignment": early_assignment(),
    "swap": swap(),
    "rotate": rotate(),
    "chain": chain(),
    "assign_before_read": assign_before_read(),
    "constants": constants(),
    "window": window(),
    "window_one_row": window(3, 1),
    "window_all_rows_but_one_new": window(4, 3),
    "window_padded": window(padding="SAME"),
    "window_padded_stride_2": window(7, 3, padding="SAME", stride=2),
    "window_wide": window(6, 2, width=5, depth=3),
    "window_odd_depth": window(5, 1, depth=5),
    "mixed_windows": mixed_windows(),
    "mixed_windows_odd": mixed_windows(5, 7),
    "mixed_windows_unaligned": mixed_windows(2, 4),
    "unread_rows": unread_rows(),
    "matrix": matrix(per_channel=False),
    "matrix_per_channel": matrix(per_channel=True),
    "two_stages": two_stages(),
    "other_types": other_types(),
    "computed_initial_values": computed_initial_values(),
}
