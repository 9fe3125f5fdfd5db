"""Options that several commands have, and command lines that repeat them."""

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from tinycompile.driver import INPUT_MODES, IO, OPTIMIZE
from tinycompile.oracles import ORACLES, OWN_REFERENCE

Command = TypeVar("Command", bound=Callable[..., None])
PATH = click.Path(path_type=Path)

UNITS = {"": 1, "B": 1, "K": 1024, "KIB": 1024, "M": 1024**2, "MIB": 1024**2}


def byte_count(text: str) -> int:
    """The bytes of `32768`, `32K` or `32KiB`, `1M` or `1MiB`."""
    found = re.fullmatch(r"(\d+) *([A-Za-z]*)", text.strip())
    if not found or found[2].upper() not in UNITS:
        raise click.BadParameter(f"{text!r} is no number of bytes; write 32768, 32K, 32KiB, 1M or 1MiB")
    return int(found[1]) * UNITS[found[2].upper()]


plugin_option = click.option(
    "--plugin",
    "plugins",
    type=PATH,
    multiple=True,
    metavar="FILE.py",
    help="Custom operators of your own (docs/custom-operators.md); may be given several times.",
)

MODEL_OPTIONS = (
    click.option(
        "--board", default="m7", show_default=True, help="Board to compile for (see `tinycompile boards`)."
    ),
    click.option(
        "--io",
        type=click.Choice(IO),
        default="model",
        show_default=True,
        help="Interface: as the model has it, or integers where the model quantizes floats.",
    ),
    plugin_option,
    click.option(
        "--input",
        "input_mode",
        type=click.Choice(INPUT_MODES),
        default="arena",
        show_default=True,
        help="Where inputs lie: in the arena, in memory of the caller that is only read, or nowhere: rows are asked for.",
    ),
)

recompute_option = click.option(
    "--recompute",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    metavar="PERCENT",
    help="Extra multiply-accumulates that may be spent to save memory: first layers in overlapping stripes.",
)

PLAN_OPTIONS = (
    click.option(
        "--optimize",
        type=click.Choice(OPTIMIZE),
        default="speed",
        show_default=True,
        help="What is favoured. balanced: 5 % of the cycles may go for RAM and for flash; "
        "ram: a percent of RAM is worth one of the cycles.",
    ),
    click.option(
        "--ram-limit",
        type=byte_count,
        metavar="BYTES",
        help="Take the fastest plan whose arena and state fit, e.g. 32K; --optimize then decides on flash only.",
    ),
    click.option(
        "--flash-limit",
        type=byte_count,
        metavar="BYTES",
        help="Take the fastest kernels with which code and weights fit, e.g. 256K.",
    ),
    recompute_option,
)


def model_options(command: Command) -> Command:
    """Give a command every option of `driver.ModelOptions`."""
    return _with_options(command, MODEL_OPTIONS)


def compile_options(command: Command) -> Command:
    """Give a command every option of `driver.CompileOptions`."""
    return _with_options(command, (*MODEL_OPTIONS, *PLAN_OPTIONS))


def _with_options(command: Command, options: Sequence[Callable[[Command], Command]]) -> Command:
    for option in reversed(options):
        command = option(command)
    return command


name_option = click.option(
    "--name", help="Prefix of the generated names; default: the file's stem, of --shared-arena `shared`."
)
json_option = click.option(
    "--json", "json_path", metavar="FILE", help="Write the results as JSON; '-' is standard output."
)
oracle_option = click.option(
    "--oracle",
    type=click.Choice([*ORACLES, OWN_REFERENCE]),
    help="The reference; default: the first of these that is installed and can run the model.",
)
inputs_option = click.option(
    "--inputs",
    "inputs_path",
    type=PATH,
    metavar="FILE.npz",
    help="Real inputs: array `x`, or `x_0`, `x_1`, ... for several inputs; samples along the first axis.",
)


def command_line(command: click.Command, model: Path, options: Mapping[str, Any]) -> str:
    """How a shell runs a command on a model with these options; defaults are left out, but for the board."""
    words = ["tinycompile", str(command.name), str(model)]
    for parameter in command.params:
        value = options.get(str(parameter.name))
        if value and (parameter.name == "board" or value != parameter.default):
            for each in value if isinstance(value, tuple) else (value,):
                words += [parameter.opts[0], str(each)]
    return shlex.join(words)
