"""Options of custom operators: most are a FlexBuffer map, some are bytes that only the operator understands."""

from typing import Any

from flatbuffers import flexbuffers


def flexbuffer_map(data: bytes) -> dict[str, Any]:
    """The numbers, texts and flat vectors of a FlexBuffer map, by key; nothing when the bytes are something else.

    Deeper values are left out: no operator has any, and a hostile file could nest them without end.
    """
    try:
        root = flexbuffers.GetRoot(data)
        if not root.IsMap or len(root.AsMap) > len(data):
            return {}
        entries = zip(root.AsMap.Keys, root.AsMap.Values, strict=True)
        return {key.AsKey: value for key, entry in entries if (value := _value(entry, len(data))) is not None}
    except Exception:  # arbitrary bytes: whatever goes wrong says that they are no such map
        return {}


def _value(entry: Any, most: int) -> Any:
    """A Python value; None for what is not flat. No vector has more than `most` elements."""
    if entry.IsBool:
        return entry.AsBool
    if entry.IsInt:
        return entry.AsInt
    if entry.IsFloat:
        return entry.AsFloat
    if entry.IsString:
        return entry.AsString
    if entry.IsTypedVector and len(entry.AsTypedVector) <= most:
        return [_value(element, most) for element in entry.AsTypedVector]
    return None
