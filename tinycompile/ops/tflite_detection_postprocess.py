"""TFLite_Detection_PostProcess: boxes from their encodings, and those of them that are left by non-maximum suppression.

Fast (a box counts for its best class) or regular (each class by itself, then the best of all). Boxes of equal score go by their
order, as in TFLM. The C decodes in float32, where TFLite's intermediate results are double. Source of the semantics:
tensorflow/lite/kernels/detection_postprocess.cc.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tinycompile.ir import Array, Attributes, DType, Options, Tensor
from tinycompile.ops._copy import literal
from tinycompile.ops._limits import constant_input, has_elements, has_per_tensor_quantization
from tinycompile.ops._template import TemplateCode, TemplateKernel
from tinycompile.ops.access import WHOLE, Access
from tinycompile.ops.base import CustomOperator, Operation, TypeRule, register
from tinycompile.program import Constant

_BYTE, _FLOAT = DType.UINT8, DType.FLOAT32


@dataclass(frozen=True)
class DetectionAttributes(Attributes):
    """Options of the operator; scales in the order y, x, h, w."""

    max_detections: int
    max_classes_per_detection: int
    detections_per_class: int
    num_classes: int
    use_regular_nms: bool
    score_threshold: float
    iou_threshold: float
    scales: tuple[float, float, float, float]


def attributes_of(operation: Operation) -> DetectionAttributes:
    """The options of an operation."""
    assert isinstance(operation.node.attributes, DetectionAttributes)
    return operation.node.attributes


def has_sound_counts(operation: Operation) -> str | None:
    """`max_detections`, `detections_per_class` and `num_classes` are at least 1, and at most 65536."""
    found = attributes_of(operation)
    counts = found.max_detections, found.detections_per_class, found.num_classes
    return None if min(counts) >= 1 and max(counts) <= 65536 else "they are " + ", ".join(map(str, counts))


def has_one_class_a_box(operation: Operation) -> str | None:
    """`max_classes_per_detection` is 1 (TFLite writes outside of its outputs when it is not)."""
    classes = attributes_of(operation).max_classes_per_detection
    return None if classes == 1 else f"it is {classes}"


def has_sound_thresholds(operation: Operation) -> str | None:
    """`nms_iou_threshold` is above 0 and at most 1, and the scales are positive numbers."""
    found = attributes_of(operation)
    if 0 < found.iou_threshold <= 1 and all(0 < scale < np.inf for scale in found.scales):
        return None
    return f"nms_iou_threshold {found.iou_threshold:g}, scales {', '.join(f'{s:g}' for s in found.scales)}"


def has_shapes(operation: Operation) -> str | None:
    """Inputs are [1, boxes, 4 or more], [1, boxes, classes] with or without a background class, and [boxes, 4]."""
    boxes, scores, anchors = operation.inputs[:3]
    if boxes is None or scores is None or anchors is None:
        return "an input is missing"
    classes = attributes_of(operation).num_classes
    if (
        len(boxes.shape) == len(scores.shape) == 3
        and boxes.shape[:2] == scores.shape[:2] == (1, boxes.shape[1])
        and boxes.shape[2] >= 4
        and scores.shape[2] - classes in (0, 1)
        and anchors.shape == (boxes.shape[1], 4)
    ):
        return None
    shapes = ", ".join(tensor.describe() for tensor in (boxes, scores, anchors))
    return f"they are {shapes}; num_classes {classes}"


def has_sound_anchors(operation: Operation) -> str | None:
    """Anchors (y, x, h, w) have a positive height and width."""
    anchors = operation.inputs[2]
    if anchors is None or anchors.data is None or anchors.shape[-1:] != (4,):
        return None
    if anchors.dtype is _BYTE and has_per_tensor_quantization(operation):
        return None
    return None if (_reals(anchors, anchors.values)[..., 2:] > 0).all() else "some have none"


@register
class DetectionPostProcess(CustomOperator):
    """TFLite_Detection_PostProcess; outputs behind the last detection are 0."""

    custom_code = "TFLite_Detection_PostProcess"
    types = tuple(
        TypeRule((boxes, scores, boxes), (_FLOAT,)) for boxes in (_FLOAT, _BYTE) for scores in (_FLOAT, _BYTE)
    )
    min_inputs = 3
    limits = (
        has_elements,
        has_per_tensor_quantization,
        has_sound_counts,
        has_one_class_a_box,
        has_sound_thresholds,
        has_shapes,
        constant_input(2, "anchors"),
        has_sound_anchors,
    )
    kernels = (TemplateKernel(lambda operation: _code(operation)),)

    def parse(self, options: Options) -> DetectionAttributes:
        """Read the options; what is left out has TFLite's default."""
        return DetectionAttributes(
            max_detections=int(options.get("max_detections", 0)),
            max_classes_per_detection=int(options.get("max_classes_per_detection", 0)),
            detections_per_class=int(options.get("detections_per_class", 100)),
            num_classes=int(options.get("num_classes", 0)),
            use_regular_nms=bool(options.get("use_regular_nms", False)),
            score_threshold=_single(options.get("nms_score_threshold", 0)),
            iou_threshold=_single(options.get("nms_iou_threshold", 0)),
            scales=tuple(_single(options.get(f"{axis}_scale", 0)) for axis in "yxhw"),  # type: ignore[arg-type]
        )

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """Boxes, classes, scores, and how many there are."""
        detections = attributes_of(operation).max_detections
        return (1, detections, 4), (1, detections), (1, detections), (1,)

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Decode, select, fill up with zeros."""
        assert inputs[0] is not None and inputs[1] is not None
        found = attributes_of(operation)
        boxes = _decoded(operation, _reals(operation.input(0), inputs[0])[0, :, :4])
        scores = _reals(operation.input(1), inputs[1])[0][:, -found.num_classes :]
        select = _regular if found.use_regular_nms else _fast
        chosen = select(found, boxes, scores)
        outputs = [np.zeros(tensor.shape, np.float32) for tensor in operation.outputs]
        for place, (box, label) in enumerate(chosen):
            outputs[0][0, place], outputs[1][0, place], outputs[2][0, place] = (
                boxes[box],
                label,
                scores[box, label],
            )
        outputs[3][0] = len(chosen)
        return tuple(outputs)

    def access(self, operation: Operation, index: int) -> Access:
        """Any box may win."""
        return WHOLE


def _single(value: object) -> float:
    """A float32."""
    assert isinstance(value, int | float)
    return float(np.float32(value))


def _reals(tensor: Tensor, values: Array) -> Array:
    """float32 of a float or quantized tensor."""
    if tensor.dtype is _FLOAT:
        return values
    shifted = values.astype(np.float32) - np.float32(tensor.zero_point)
    reals: Array = shifted * np.float32(tensor.scale)
    return reals


def _decoded(operation: Operation, encodings: Array) -> Array:
    """[boxes, 4]: ymin, xmin, ymax, xmax. In double, each coordinate of centre and half size rounded to float32."""
    anchors = operation.input(2)
    places = _reals(anchors, anchors.values).astype(np.float64)
    scaled = encodings.astype(np.float64) / np.array(attributes_of(operation).scales)
    with np.errstate(over="ignore"):
        centres = (scaled[:, :2] * places[:, 2:] + places[:, :2]).astype(np.float32)
        halves = (0.5 * np.exp(scaled[:, 2:]) * places[:, 2:]).astype(np.float32)
    return np.concatenate([centres - halves, centres + halves], axis=1)


def _suppressed(found: DetectionAttributes, boxes: Array, levels: Array, most: int) -> Iterator[int]:
    """The greatest level above the threshold whose box overlaps none that was chosen before, and so on."""
    active = levels >= np.float32(found.score_threshold)
    for _ in range(min(int(active.sum()), most)):
        if not active.any():
            return
        best = int(np.flatnonzero(active)[np.argmax(levels[active])])
        yield best
        active[best] = False
        active &= _overlap(boxes[best], boxes) <= np.float32(found.iou_threshold)


def _overlap(box: Array, others: Array) -> Array:
    """Intersection over union with each box; 0 for boxes without an area."""
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    shared = np.maximum(high - low, np.float32(0)).prod(axis=1)
    own, areas = (box[2:] - box[:2]).prod(), (others[:, 2:] - others[:, :2]).prod(axis=1)
    sound = (areas > 0) & (own > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        overlaps: Array = np.where(sound, shared / (own + areas - shared), np.float32(0))
    return overlaps


def _fast(found: DetectionAttributes, boxes: Array, scores: Array) -> list[tuple[int, int]]:
    labels = scores.argmax(axis=1)
    best = scores[np.arange(len(scores)), labels]
    return [(box, int(labels[box])) for box in _suppressed(found, boxes, best, found.max_detections)]


def _regular(found: DetectionAttributes, boxes: Array, scores: Array) -> list[tuple[int, int]]:
    chosen: list[tuple[int, int]] = []
    for label in range(found.num_classes):
        new = _suppressed(found, boxes, scores[:, label], found.detections_per_class)
        chosen += [(box, label) for box in new]
        chosen.sort(key=lambda pair: -scores[pair])
        del chosen[found.max_detections :]
    return chosen


def _code(operation: Operation) -> TemplateCode:
    found, anchors = attributes_of(operation), operation.input(2)
    boxes, scores = operation.input(0), operation.input(1)
    count = boxes.shape[1]
    places = Constant("anchors", _reals(anchors, anchors.values), "y, x, h, w")
    passes = found.num_classes if found.use_regular_nms else 1
    return TemplateCode(
        "detection/postprocess.c.j2",
        parameters={
            "box_type": boxes.dtype.c_type,
            "score_type": scores.dtype.c_type,
            "box_quantization": _quantization(boxes),
            "score_quantization": _quantization(scores),
            "scales": tuple(literal(_FLOAT, scale) for scale in found.scales),
            "score_threshold": literal(_FLOAT, found.score_threshold),
            "iou_threshold": literal(_FLOAT, found.iou_threshold),
            "boxes": count,
            "box_length": boxes.shape[2],
            "classes": found.num_classes,
            "background": scores.shape[2] - found.num_classes,
            "max_detections": found.max_detections,
            "per_class": found.detections_per_class,
            "regular": found.use_regular_nms,
        },
        inputs=(0, 1),
        constants=(places,),
        scratch_bytes=_scratch_bytes(count),
        runtime=("tc_math.h",),
        cycles=400 * count + passes * count * (4 * found.max_detections + 10) + 4 * scores.elements,
    )


def _scratch_bytes(boxes: int) -> int:
    """Four coordinates and a level for each box, and whether it is still in the race."""
    return 20 * boxes + -(-boxes // 4) * 4


def _quantization(tensor: Tensor) -> tuple[int, str]:
    if tensor.dtype is _FLOAT:
        return ()  # type: ignore[return-value]
    return tensor.zero_point, literal(_FLOAT, tensor.scale)
