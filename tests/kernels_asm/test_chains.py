"""Chained weights: three sums give four dot products back, whatever their signs, up to the ends of 24 bits."""

from collections.abc import Callable
from dataclasses import replace
from itertools import permutations, product

import numpy as np
import pytest

from tests.kernels.operations import convolution
from tests.kernels_asm.test_matrix_products import drawn
from tinycompile.assembly.matrix_outputs import Outputs
from tinycompile.assembly.matrix_shape import CHAIN, Shape, Weights
from tinycompile.assembly.places import Places
from tinycompile.assembly.requantizing import Requantizing
from tinycompile.assembly.scheduler import Step
from tinycompile.ops._asm_scaling import scaling
from tinycompile.ops._conv_2d_dsp import convolution_channels
from tinycompile.ops._dsp import chain_order, chained
from tinycompile.quant import Multiplier

LARGEST = (1 << 23) - 1
HOW = Requantizing(12, False, -128, 127)


def wrapped(value: int) -> int:
    """As a register holds it."""
    return (value + (1 << 31)) % (1 << 32) - (1 << 31)


MEANINGS: dict[str, Callable[..., int]] = {
    "sub_shifted": lambda a, b, n: a - (b << n),
    "add_shifted": lambda a, b, n: a + (b << n),
    "sub_high": lambda a, b, n: a - (b >> n),
    "shift_left": lambda a, n: a << n,
    "shift_right": lambda a, n: a >> n,
}
"""What steps do with signed registers, before their results wrap."""


def run(steps: list[Step], registers: dict[int, int]) -> None:
    """Execute steps on registers."""
    for kind, result, *sources, number in steps:
        values = [registers[int(source)] for source in sources]
        registers[int(result)] = wrapped(MEANINGS[str(kind)](*values, number))


def check_links(dots: list[int], order: tuple[int, ...], doubled: bool = False) -> None:
    """Sums of one chain, made of `dots`, give them back."""
    shape = Shape(1, CHAIN, 1, Places(CHAIN), Weights.CHAINED, order=order)
    outputs = Outputs(shape, replace(HOW, doubled=doubled))
    registers = {index: wrapped(int(total)) for index, total in enumerate(chained(np.array(dots), order))}
    run(list(outputs.unchain()), registers)
    found = [registers[outputs.register(0, channel)] for channel in range(CHAIN)]
    assert found == [(2 if doubled else 256) * dot for dot in dots], dots


@pytest.mark.parametrize("order", list(permutations(range(CHAIN))))
def test_ends_of_24_bits(order: tuple[int, ...]) -> None:
    """Every combination of the least, the greatest and small dot products; sums wrap, results do not."""
    for dots in product((-LARGEST - 1, -1, 0, 1, LARGEST), repeat=CHAIN):
        check_links(list(dots), order)


@pytest.mark.parametrize("doubled", [False, True])
def test_random_dot_products(doubled: bool) -> None:
    """Dot products of all sizes."""
    rng = np.random.default_rng(7)
    for bits in range(1, 24):
        for dots in rng.integers(-(1 << bits), 1 << bits, (50, CHAIN)).tolist():
            check_links(dots, (0, 1, 2, 3), doubled)


def test_several_pixels_and_chains() -> None:
    """Each chain has registers of its own, and every output is found where it is said to be."""
    shape = Shape(1, 8, 1, Places(8), Weights.CHAINED, order=(2, 0, 3, 1))
    for pixels, channels in ((2, 4), (1, 8), (1, 4)):
        shape = replace(shape, pixels=pixels, channels=channels)
        outputs = Outputs(shape, HOW)
        dots = np.arange(pixels * channels).reshape(pixels, channels) * 12_345 - 40_000
        sums = [int(total) for pixel in dots for total in chained(pixel, shape.order)]
        registers = {index: wrapped(total) for index, total in enumerate(sums)}
        run(list(outputs.unchain()), registers)
        found = [
            [registers[outputs.register(pixel, channel)] for channel in range(channels)]
            for pixel in range(pixels)
        ]
        assert (np.array(found) == 256 * dots).all()


def test_orders_keep_least_weights_from_negative_ones() -> None:
    """Every order that is found makes all words fit int16; there is none when each channel would have to be the last one."""
    rng = np.random.default_rng(3)
    for count in (0, 1, 2, 4, 30):
        weights = rng.integers(-127, 128, (12, 20))
        weights.reshape(-1)[rng.integers(0, weights.size, count)] = -128
        order = chain_order(weights)
        if order is not None:
            joined = chained(weights, order)
            assert joined.min() >= -(1 << 15) and joined.max() < 1 << 15
    assert chain_order(np.array([[-128], [-1], [5], [5]])) not in (None, (0, 1, 2, 3))
    assert chain_order(np.full((4, 2), -128)) is None
    assert chain_order(np.full((3, 2), -128)) is not None  # no chain at all


def test_a_constant_channel_needs_no_constants_of_its_own() -> None:
    """A channel without weights and with a bias near the end of int32 leaves the others alone."""
    channels = convolution_channels(convolution((1, 2, 2, 40), 8, numbers=drawn(1)))
    weights, bias = channels.weights.copy(), channels.bias.copy()
    weights[3], bias[3] = 0, 1 << 30
    multipliers = (*channels.multipliers[:3], Multiplier(1_623_261_288, -23), *channels.multipliers[4:])
    changed = replace(channels, weights=weights, bias=bias, multipliers=multipliers)
    small = replace(changed, bias=np.where(np.arange(8) == 3, 0, bias))
    for form in Weights:
        plain, made = scaling(small, form), scaling(changed, form)
        assert plain is not None and made is not None
        assert made.how == plain.how and made.multiplier[3] == 0
