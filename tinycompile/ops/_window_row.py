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
_CHECK_CYCLES = 6
"""Lines through modelled cycles: a call that stages, each run of its window, a row that is copied, a row of a patch, a run that
may lie outside of its row."""


@dataclass(frozen=True)
class WindowRow:
    """A window of `rows` rows along `columns`, over pixels of `in_channels` int8; with a padding below 0 it begins inside.

    `rows_outside`: rows of the window may lie outside of the image. Methods that have to do with memory take the number of pixels
    that are staged at a time, a group. Bytes of a window that follow each other are a run: those of a row, or, where columns are
    dilated, those of one of its pixels.
    """

    rows: int
    columns: WindowAxis
    in_channels: int
    rows_outside: bool

    @property
    def dilated(self) -> bool:
        """True when a row's pixels under the window are no neighbours."""
        return self.columns.dilation != 1 and self.columns.taps > 1

    @property
    def run(self) -> int:
        """Bytes of a run."""
        return self.in_channels * (1 if self.dilated else self.columns.taps)

    @property
    def runs(self) -> int:
        """Runs of a window."""
        return self.rows * (self.columns.taps if self.dilated else 1)

    @property
    def halves(self) -> Array:
        """Index of the tap in each half of each staged pair."""
        return halves(self.run, self.runs)

    @property
    def pairs(self) -> int:
        """Staged words of a pixel."""
        return len(self.halves)

    def windows(self, pixels: int, group: int) -> Windows:
        """What is staged in one call."""
        return Windows(self.run, self.runs, pixels, self.columns.stride * self.in_channels, group)

    def together(self, group: int) -> bool:
        """True when the pixels of a group can be staged in one call."""
        wide = self.columns.out_extent >= group > 1
        return wide and fits_offsets(self.windows(group, group))

    def copied_bytes(self, group: int) -> int:
        """Bytes of a row with its padding, when windows are copied: more than a third of the groups need some of it."""
        columns = self.columns
        row = max(
            (columns.out_extent - 1) * columns.stride + columns.taps, columns.pad_before + columns.in_extent
        )
        row_bytes = row * self.in_channels
        few = 3 * sum(self._border_groups(group)) <= -(-columns.out_extent // group)
        begins_inside = columns.pad_before < 0
        if few or begins_inside or self.dilated or row_bytes * self.rows > _LARGEST_COPY_BYTES:
            return 0
        return row_bytes

    def outside_bytes(self, group: int) -> int:
        """Bytes of copied rows, or those that stand for runs outside of the image."""
        copied = self.copied_bytes(group)
        if copied:
            return (copied * self.rows + 3) // 4 * 4
        if not self.rows_outside and not (self.dilated and self.padded):
            return 0
        pixels = group if self.together(group) else 1
        return (reach(self.windows(pixels, group)) + 3) // 4 * 4

    @property
    def padded(self) -> bool:
        """True when columns of some windows lie outside of the image."""
        return self.columns.pad_before > 0 or self.columns.pad_after > 0

    def near_border(self, group: int) -> bool:
        """True when some windows are staged from a patch."""
        return self.padded and not self.dilated and not self.copied_bytes(group)

    def patch_bytes(self, group: int) -> int:
        """Room for one window at the border of the image."""
        return (self.run * self.rows + 3) // 4 * 4 if self.near_border(group) else 0

    def scratch_bytes(self, group: int) -> int:
        """Staged pixels, a row outside of the image, and the patch at its border."""
        return staged_bytes(self.pairs, group) + self.outside_bytes(group) + self.patch_bytes(group)

    def staging_cycles(self, group: int) -> int:
        """Cycles to stage all windows of a row, with the loops and calls around them."""
        pixels, together = self.columns.out_extent, group if self.together(group) else 1
        alone = steps(self.windows(1, group)).cycles(self.runs) + self._call_cycles()
        if together == 1:
            return int(pixels * alone + self._border_cycles(group))
        whole, rest = divmod(pixels, group)
        split = 0 if self.copied_bytes(group) else min(sum(self._border_groups(group)), whole)
        joined = steps(self.windows(group, group)).cycles(self.runs) + self._call_cycles()
        staged = (whole - split) * joined + (rest + split * group) * alone
        return int(staged + self._border_cycles(group))

    def _call_cycles(self) -> float:
        """Pointers to the runs of the window, and the call that stages."""
        return _CALL_CYCLES + self.runs * _POINTER_CYCLES

    def _border_groups(self, group: int) -> tuple[int, int]:
        """Groups of pixels whose windows reach over the left and the right border."""
        columns, step = self.columns, group * self.columns.stride
        return -(-max(columns.pad_before, 0) // step), -(-columns.pad_after // step)

    def _border_cycles(self, group: int) -> float:
        """What all of a row takes that is copied, or windows at its borders."""
        copied = self.copied_bytes(group)
        if copied:
            return self.rows * (_COPY_CYCLES + copied * _COPY_CYCLES_PER_BYTE)
        return sum(self._border_groups(1)) * (
            self.runs * _CHECK_CYCLES if self.dilated else self.rows * _PATCH_CYCLES
        )

    def products(self, matrix: Matrix, how: Requantizing, layout: Layout) -> tuple[Parameter, ...]:
        """The functions that multiply: (pairs, pixels, blocks) for whole groups and the rest of a row."""
        groups = groups_of(self.columns.out_extent, layout.group)
        made = group_parameters(matrix, how, layout, groups)
        return tuple((self.pairs, pixels, blocks) for pixels, _, blocks in made)

    def stagings(self, group: int) -> tuple[Parameter, ...]:
        """The functions that stage: (runs, run, pairs of a run, pixels, step) with their steps.

        There is one for whole groups, and one for single pixels of each kind of group.
        """
        kinds = [(group, group)] if self.together(group) else []
        kinds += [(1, pixels) for pixels, _ in self.groups(group) if (1, pixels) not in kinds]
        result: list[Parameter] = []
        for pixels, step in kinds:
            made = steps(self.windows(pixels, step))
            function = (self.runs, self.run, self.pairs // self.runs, pixels, step)
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
            "dilation": columns.dilation if self.dilated else 1,
            "pad_left": columns.pad_before,
            "in_width": columns.in_extent,
            "out_width": columns.out_extent,
            "in_channels": self.in_channels,
            "run": self.run,
            "runs": self.runs,
            "padded": self.padded,
            "pairs": self.pairs,
            "together": self.together(group),
            "near_border": self.near_border(group),
            "staged_bytes": staged_bytes(self.pairs, group),
            "outside_bytes": self.outside_bytes(group),
            "copied_bytes": self.copied_bytes(group),
            "out_step": out_step,
        }
        return tuple(values.items())
