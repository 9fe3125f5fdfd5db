"""Output extents of windows, from the definition of the paddings: counted, so that no formula is shared with the compiler."""


def out_extent(extent: int, kernel: int, stride: int, dilation: int, padding: str) -> int:
    """Output rows or columns. SAME: one for each stride begun; VALID: the places where the dilated window fits."""
    if padding == "SAME":
        return len(range(0, extent, stride))
    reach = (kernel - 1) * dilation + 1
    return len([start for start in range(0, extent, stride) if start + reach <= extent])
