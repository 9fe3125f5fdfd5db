"""TFLite_Detection_PostProcess against the reference."""

from typing import ClassVar

import numpy as np

from tests.ops.case import Array, Case, rng_of
from tests.ops.matrix import OperatorMatrix
from tests.ops.signal_cases import flexbuffer
from tflite_support.builder import Builder, Spec

BOXES = Spec((), "uint8", 0.05, 128)
SCORES = Spec((), "uint8", 1 / 256, 0)


def _anchors(count: int) -> Array:
    """Places on a grid, of a few sizes."""
    side = int(np.ceil(np.sqrt(count)))
    places = np.stack(np.unravel_index(np.arange(count), (side, side)), axis=1) / side + 0.05
    return np.concatenate([places, 0.1 + 0.1 * (np.arange(2 * count).reshape(-1, 2) % 3)], axis=1)


def _bytes(values: Array, scale: float, zero_point: int) -> Array:
    return np.clip(np.round(values / scale) + zero_point, 0, 255).astype(np.uint8)


def _case(
    name: str,
    boxes: int,
    classes: int,
    detections: int,
    *,
    background: int = 1,
    box_length: int = 4,
    box_type: str = "float32",
    score_type: str = "float32",
    open_shapes: bool = False,
    **changed: float | bool,
) -> Case:
    """Scores are all different, since TFLite does not say in which order equal ones come."""
    options = {
        "max_detections": detections,
        "max_classes_per_detection": 1,
        "num_classes": classes,
        "nms_score_threshold": 0.0,
        "nms_iou_threshold": 0.5,
        "y_scale": 10.0,
        "x_scale": 10.0,
        "h_scale": 5.0,
        "w_scale": 5.0,
    } | changed
    builder, rng = Builder(), rng_of(name)
    shapes = (1, boxes, box_length), (1, boxes, classes + background)
    specs = [
        Spec(shape, dtype, *((like.scale, like.zero_point) if dtype == "uint8" else ()))
        for shape, dtype, like in zip(shapes, (box_type, score_type), (BOXES, SCORES), strict=True)
    ]
    anchors = _anchors(boxes)
    if box_type == "uint8":
        third = builder.const(_bytes(anchors, 1 / 200, 20), 1 / 200, 20)
    else:
        third = builder.const(anchors.astype(np.float32))
    inputs = [builder.tensor(spec) for spec in specs]
    outputs = [
        Spec(shape, "float32") for shape in ((1, detections, 4), (1, detections), (1, detections), (1,))
    ]
    if open_shapes:
        outputs = [Spec((), "float32")] * 4
    results = builder.op(
        "TFLite_Detection_PostProcess", [*inputs, third], outputs, custom_options=flexbuffer(**options)
    )
    samples = []
    for _ in range(4):
        encodings = rng.normal(0, 2, shapes[0])
        levels = (rng.permutation(np.prod(shapes[1])) + 1.0).reshape(shapes[1]) / (np.prod(shapes[1]) + 1)
        first = _bytes(encodings, 0.05, 128) if box_type == "uint8" else encodings.astype(np.float32)
        second = _bytes(levels, 1 / 256, 0) if score_type == "uint8" else levels.astype(np.float32)
        samples.append((first, second))
    return Case(name, builder.finish(inputs, results), tuple(samples))


class TestDetectionPostProcess(OperatorMatrix):
    tflm_differs: ClassVar = {"open_shapes": "takes outputs without dimensions as scalars"}
    cases = (
        _case("fast", 40, 3, 5),
        _case("open_shapes", 40, 3, 5, open_shapes=True),
        _case("fast_one_class", 30, 1, 4, background=0),
        _case("fast_long_encodings", 25, 2, 3, box_length=7),
        _case("fast_tight", 60, 4, 8, nms_iou_threshold=0.05),
        _case("fast_bytes", 20, 4, 3, box_type="uint8", score_type="uint8"),
        _case("regular", 40, 3, 10, use_regular_nms=True),
        _case("regular_few_per_class", 40, 5, 7, use_regular_nms=True, detections_per_class=2),
        _case("regular_threshold", 40, 3, 60, use_regular_nms=True, nms_score_threshold=0.8),
        _case("regular_one", 40, 3, 1, use_regular_nms=True),
        _case("regular_no_background", 30, 4, 9, background=0, use_regular_nms=True, nms_iou_threshold=0.2),
        _case("regular_bytes", 20, 3, 6, box_type="uint8", score_type="uint8", use_regular_nms=True),
        _case("regular_byte_boxes", 25, 3, 6, box_type="uint8", use_regular_nms=True),
        _case("regular_byte_scores", 20, 3, 6, score_type="uint8", use_regular_nms=True),
    )
