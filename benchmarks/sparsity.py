"""What zero weights save: `python -m benchmarks.sparsity [LAYER ...]`, without model files.

Generated models of one layer whose weights are pruned, at random or in blocks; each is verified and measured on the emulated
Cortex-M7. Figures are for each multiply-accumulate of the dense layer; the kernel is the one that the compiler chooses.
"""

import logging
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.render import Section, as_markdown, as_text
from benchmarks.tables import Table
from tflite_support.builder import Builder, Spec
from tinycompile.driver import prepare
from tinycompile.driver.prove import bench_model
from tinycompile.ops import operation, operator_of

Weights = NDArray[np.int8]

DENSITIES = (100, 50, 40, 30, 20, 10, 5)
"""Percent of the weights that are not zero."""

BLOCK_DENSITIES = (50, 30, 20, 10)


@dataclass(frozen=True)
class Layer:
    """A layer: int8 input and OHWI weights (a matrix for FULLY_CONNECTED)."""

    kind: str
    image: tuple[int, ...]
    weights: tuple[int, ...]

    @property
    def output(self) -> tuple[int, ...]:
        """Shape of the output, with padding SAME."""
        return (*self.image[:-1], self.weights[0])


LAYERS = {
    "1x1": Layer("CONV_2D", (1, 16, 16, 64), (64, 1, 1, 64)),
    "3x3": Layer("CONV_2D", (1, 16, 16, 32), (32, 3, 3, 32)),
    "matrix": Layer("FULLY_CONNECTED", (1, 640), (128, 640)),
}

PATTERNS = {"random": (1, 1), "4x1": (4, 1), "1x4": (1, 4)}
"""Weights that are pruned together: output channels and input channels."""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1)
@click.option("--markdown", is_flag=True, help="Tables as docs/kernels.md has them.")
def main(names: tuple[str, ...], markdown: bool) -> None:
    """Measure the layers NAMES (default: all) at several densities."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    unknown = [name for name in names if name not in LAYERS]
    if unknown:
        raise click.UsageError(f"no such layer: {', '.join(unknown)}; there are {', '.join(LAYERS)}")
    columns = (
        "layer",
        "pruned",
        "non-zero %",
        "kernel",
        "instructions",
        "M7 cycles",
        "estimated",
        "flash bytes",
    )
    title = "Pruned layers on m7, `--optimize speed`: instructions, modelled cycles and weight bytes for each dense MAC or weight"
    chosen = names or tuple(LAYERS)
    show = as_markdown if markdown else lambda table: as_text(Section(table))
    limits = Table(
        "Largest part of non-zero weights at which the fastest kernel leaves out zeros, in percent, by estimated cycles",
        ("layer", *PATTERNS),
        tuple(
            (name, *(str(breakeven(LAYERS[name], block)) for block in PATTERNS.values())) for name in chosen
        ),
    )
    click.echo(show(limits))
    rows = tuple(row for name in chosen for row in _rows(name))
    click.echo(show(Table(title, columns, rows)), nl=False)


def _rows(name: str) -> Iterator[tuple[str, ...]]:
    layer = LAYERS[name]
    for pattern, block in PATTERNS.items():
        for density in DENSITIES if pattern == "random" else BLOCK_DENSITIES:
            yield (
                name,
                pattern,
                str(density),
                *_measured(layer, pruned_weights(layer.weights, density, block)),
            )


def breakeven(layer: Layer, block: tuple[int, int]) -> int:
    """The largest density in percent at which a sparse kernel has the fewest estimated cycles."""
    pays, never = 0, 101
    while never - pays > 1:
        density = (pays + never) // 2
        if "sparse" in _fastest(one_layer(layer, pruned_weights(layer.weights, density, block))):
            pays = density
        else:
            never = density
    return pays


def _fastest(model: bytes) -> str:
    """The kernel of a model of one layer with the fewest estimated cycles."""
    prepared = prepare(model)
    (node,) = prepared.graph.nodes
    layer, board = operation(prepared.graph, node), prepared.board
    kernels = [kernel for kernel in operator_of(node).kernels_for(layer) if kernel.supports(layer, board)]
    return min(kernels, key=lambda kernel: kernel.cost(layer, board).cycles).name


def pruned_weights(shape: tuple[int, ...], density: int, block: tuple[int, int], seed: int = 0) -> Weights:
    """Weights without zeros, of which blocks (output, input channels) are set to zero until `density` percent are left."""
    rng = np.random.default_rng(seed)
    values = rng.integers(1, 128, shape) * rng.choice([-1, 1], shape)
    blocks = (shape[0] // block[0], *shape[1:-1], shape[-1] // block[1])
    count = int(np.prod(blocks))
    kept = np.zeros(count, bool)
    kept[rng.permutation(count)[: round(count * density / 100)]] = True
    mask = kept.reshape(blocks).repeat(block[0], axis=0).repeat(block[1], axis=-1)
    return np.where(mask, values, 0).astype(np.int8)


def one_layer(layer: Layer, weights: Weights) -> bytes:
    """A .tflite file of this layer with RELU; outputs fill the range."""
    builder, units = Builder(), weights.shape[0]
    spread = max(float(np.sqrt((weights.astype(np.float64) ** 2).sum() / units)), 1.0)
    scales = [2.0 / spread * (0.8 + 0.4 * unit / units) for unit in range(units)]
    x = builder.input(layer.image, "int8", 0.05, -3)
    w = builder.const(weights, scale=scales)
    bias = builder.const(np.arange(units, dtype=np.int32) * 7, scale=[0.05 * scale for scale in scales])
    output = Spec(layer.output, "int8", 0.08, -128)
    options: dict[str, Any] = {"fused_activation_function": "RELU"}
    if layer.kind == "CONV_2D":
        options |= {"padding": "SAME", "stride_w": 1, "stride_h": 1}
    y = builder.op(layer.kind, [x, w, bias], output, **options)
    return builder.finish([x], [y])


def _measured(layer: Layer, weights: Weights) -> tuple[str, ...]:
    with tempfile.TemporaryDirectory(prefix="tinycompile-") as folder:
        path = Path(folder) / "layer.tflite"
        path.write_bytes(one_layer(layer, weights))
        result = bench_model(path, layers=True)
    if not result["exact"]:
        raise click.ClickException(f"outputs differ: {layer}")
    (measured,) = result["layers"]
    figures = [measured[key] / measured["macs"] for key in ("instructions", "cycles_m7", "estimated_cycles")]
    flash = result["weights_bytes"] / weights.size
    return measured["kernel"], *(f"{figure:.3f}" for figure in figures), f"{flash:.2f}"


if __name__ == "__main__":
    main()
