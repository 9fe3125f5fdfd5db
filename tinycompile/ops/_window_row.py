"""One output row of a window that slides over an image, as a matrix product: what is staged, and what its borders take."""

from dataclasses import dataclass

from tinycompile.assembly.requantizing import Requantizing
from tinycompile.ir import Array
from tinycompile.ops._gemm_asm import Layout, Matrix, group_parameters, groups_of, staged_bytes
from tinycompile.ops._window import WindowAxis
from tinycompile.ops._window_staging import Windows, fits_offsets, halves, reach, steps
from tinycompile.program import Parameter

_LARGEST_COPY_BYTES = 2048

_CALL_CYCLES, _POINTER_CYCLES = 2, 4.4
_COPY_CYCLES, _COPY_CYCLES_PER_BYTE, _PATCH_CYCLES = 13, 0.7, 78
"""Lines through modelled cycles: a call that stages, each row of its window, a row that is copied, a row of a patch."""


@dataclass(frozen=True)
class WindowRow:
    """A window of `rows` rows along `columns`, over pixels of `in_channels` int8; with a padding below 0 it begins inside.

    `rows_outside`: rows of the window may lie outside of the image. Methods that have to do with memory take the number of pixels
    that are staged at a time, a group.
    """

    rows: int
    columns: WindowAxis
    in_channels: int
    rows_outside: bool

    @property
    def run(self) -> int:
        """Contiguous bytes of a row under the window."""
        return self.columns.taps * self.in_channels

    @property
    def halves(self) -> Array:
        """Index of the tap in each half of each staged pair."""
        return halves(self.run, self.rows)

    @property
    def pairs(self) -> int:
        """Staged words of a pixel."""
        return len(self.halves)

    def windows(self, pixels: int, group: int) -> Windows:
        """What is staged in one call."""
        return Windows(self.run, self.rows, pixels, self.columns.stride * self.in_channels, group)

    def together(self, group: int) -> bool:
        """True when the pixels of a group can be staged in one call."""
        wide = self.columns.out_extent >= group > 1
        return wide and self.columns.dilation == 1 and fits_offsets(self.windows(group, group))

    def copied_bytes(self, group: int) -> int:
        """Bytes of a row with its padding, when windows are copied: more than a third of the groups need some of it."""
        columns = self.columns
        row = max(
            (columns.out_extent - 1) * columns.stride + columns.taps, columns.pad_before + columns.in_extent
        )
        row_bytes = row * self.in_channels
        few = 3 * sum(self._border_groups(group)) <= -(-columns.out_extent // group)
        begins_inside = columns.pad_before < 0
        if few or begins_inside or columns.dilation != 1 or row_bytes * self.rows > _LARGEST_COPY_BYTES:
            return 0
        return row_bytes

    def outside_bytes(self, group: int) -> int:
        """Bytes of copied rows, or those that stand for a row outside of the image."""
        copied = self.copied_bytes(group)
        if copied:
            return (copied * self.rows + 3) // 4 * 4
        if not self.rows_outside:
            return 0
        pixels = group if self.together(group) else 1
        return (reach(self.windows(pixels, group)) + 3) // 4 * 4

    def near_border(self, group: int) -> bool:
        """True when some windows are staged from a patch."""
        columns = self.columns
        padded = columns.pad_before > 0 or columns.pad_after > 0 or columns.dilation != 1
        return padded and not self.copied_bytes(group)

    def patch_bytes(self, group: int) -> int:
        """Room for one window at the border of the image."""
        return (self.run * self.rows + 3) // 4 * 4 if self.near_border(group) else 0

    def scratch_bytes(self, group: int) -> int:
        """Staged pixels, a row outside of the image, and the patch at its border."""
        return staged_bytes(self.pairs, group) + self.outside_bytes(group) + self.patch_bytes(group)

    def staging_cycles(self, group: int) -> int:
        """Cycles to stage all windows of a row, with the loops and calls around them."""
        pixels, together = self.columns.out_extent, group if self.together(group) else 1
        alone = steps(self.windows(1, group)).cycles(self.rows) + self._call_cycles()
        if together == 1:
            return int(pixels * alone + self._border_cycles(group))
        whole, rest = divmod(pixels, group)
        split = 0 if self.copied_bytes(group) else min(sum(self._border_groups(group)), whole)
        joined = steps(self.windows(group, group)).cycles(self.rows) + self._call_cycles()
        staged = (whole - split) * joined + (rest + split * group) * alone
        return int(staged + self._border_cycles(group))

    def _call_cycles(self) -> float:
        """Pointers to the rows of the window, and the call that stages."""
        return _CALL_CYCLES + self.rows * _POINTER_CYCLES

    def _border_groups(self, group: int) -> tuple[int, int]:
        """Groups of pixels whose windows reach over the left and the right border."""
        columns, step = self.columns, group * self.columns.stride
        return -(-max(columns.pad_before, 0) // step), -(-columns.pad_after // step)

    def _border_cycles(self, group: int) -> float:
        """What copying takes: all of a row, or windows at its borders."""
        copied = self.copied_bytes(group)
        if copied:
            return self.rows * (_COPY_CYCLES + copied * _COPY_CYCLES_PER_BYTE)
        return sum(self._border_groups(1)) * self.rows * _PATCH_CYCLES

    def products(self, matrix: Matrix, how: Requantizing, layout: Layout) -> tuple[Parameter, ...]:
        """The functions that multiply: (pairs, pixels, blocks) for whole groups and the rest of a row."""
        groups = groups_of(self.columns.out_extent, layout.group)
        made = group_parameters(matrix, how, layout, groups)
        return tuple((self.pairs, pixels, blocks) for pixels, _, blocks in made)

    def stagings(self, group: int) -> tuple[Parameter, ...]:
        """The functions that stage: (rows, run, pairs of a run, pixels, step) with their steps.

        There is one for whole groups, and one for single pixels of each kind of group.
        """
        kinds = [(group, group)] if self.together(group) else []
        kinds += [(1, pixels) for pixels, _ in self.groups(group) if (1, pixels) not in kinds]
        result: list[Parameter] = []
        for pixels, step in kinds:
            made = steps(self.windows(pixels, step))
            function = (self.rows, self.run, self.pairs // self.rows, pixels, step)
            result.append((*function, made.straight.steps, made.loop.steps, made.iterations, made.rest.steps))
        return tuple(result)

    def groups(self, group: int) -> tuple[tuple[int, int], ...]:
        """Groups of a row: (pixels, number of groups)."""
        return groups_of(self.columns.out_extent, group)

    def parameters(self, group: int, out_step: int) -> tuple[Parameter, ...]:
        """What the C around these functions needs, as (name, value); outputs of adjacent pixels are `out_step` elements apart."""
        columns = self.columns
        values: dict[str, Parameter] = {
            "groups": self.groups(group),
            "rows": self.rows,
            "columns": columns.taps,
            "stride": columns.stride,
            "dilation": columns.dilation,
            "pad_left": columns.pad_before,
            "in_width": columns.in_extent,
            "out_width": columns.out_extent,
            "in_channels": self.in_channels,
            "run": self.run,
            "pairs": self.pairs,
            "together": self.together(group),
            "near_border": self.near_border(group),
            "staged_bytes": staged_bytes(self.pairs, group),
            "outside_bytes": self.outside_bytes(group),
            "copied_bytes": self.copied_bytes(group),
            "out_step": out_step,
        }
        return tuple(values.items())
