"""Small models for the tests of the front end."""

import numpy as np

from tflite_support.builder import Builder, Spec


def convolution_model(**changes: object) -> bytes:
    """CONV_2D 3x3 with SAME padding, stride 2 and RELU6 on int8[1,8,6,3], per-channel scales; `changes` replace options."""
    options: dict[str, object] = {
        "padding": "SAME",
        "stride_w": 2,
        "stride_h": 2,
        "dilation_w_factor": 1,
        "dilation_h_factor": 1,
        "fused_activation_function": "RELU6",
    }
    rng = np.random.default_rng(1)
    builder = Builder()
    image = builder.input((1, 8, 6, 3), "int8", 0.5, -3, name="image")
    weights = rng.integers(-127, 128, (4, 3, 3, 3), np.int8)
    scales = (0.01, 0.02, 0.03, 0.04)
    filters = builder.const(weights, scale=scales, axis=0, name="filters")
    bias = builder.const(np.arange(4, dtype=np.int32), scale=tuple(0.5 * s for s in scales), name="bias")
    result = Spec((1, 4, 3, 4), "int8", 0.1, -128, name="features")
    output = builder.op("CONV_2D", [image, filters, bias], result, **{**options, **changes})
    return builder.finish([image], [output])


def chain_model() -> bytes:
    """CONV_2D, RESHAPE, FULLY_CONNECTED: several tables, options and buffers to break."""
    rng = np.random.default_rng(2)
    builder = Builder()
    image = builder.input((1, 4, 4, 2), "int8", 0.5, 1, name="image")
    filters = builder.const(rng.integers(-9, 9, (3, 1, 1, 2), np.int8), scale=(0.1, 0.2, 0.3), name="filters")
    bias = builder.const(np.ones(3, np.int32), scale=(0.05, 0.1, 0.15), name="bias")
    features = builder.op(
        "CONV_2D", [image, filters, bias], Spec((1, 4, 4, 3), "int8", 0.2, 0), stride_w=1, stride_h=1
    )
    shape = builder.const(np.array([1, 48], np.int32), name="shape")
    flat = builder.op("RESHAPE", [features, shape], Spec((1, 48), "int8", 0.2, 0), new_shape=[1, 48])
    dense = builder.const(rng.integers(-9, 9, (5, 48), np.int8), scale=0.02, name="dense")
    scores = builder.op("FULLY_CONNECTED", [flat, dense, None], Spec((1, 5), "int8", 0.4, 2, name="scores"))
    return builder.finish([image], [scores])
