"""The command line. Only this module prints: results go to standard output, progress and messages to standard error.

Exit codes: 0 done, 1 a verification found a difference, 2 usage, 3 the model is malformed or unsupported, 4 it does not fit the
board, 5 a tool is missing or failed, 70 our own bug.
"""

import json
import logging
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, Unpack

import click
from rich.console import Console

from tinycompile import driver, proving, report
from tinycompile.errors import Problem, TinyCompileError, UsageError
from tinycompile.ops import load_plugin
from tinycompile.output import write_directory
from tinycompile.version import __version__

ERR = Console(stderr=True)

MODEL = click.Path(path_type=Path)
BUG_EXIT_CODE = 70


P = ParamSpec("P")
Command = TypeVar("Command", bound=Callable[..., None])


def reports_errors(command: Callable[P, None]) -> Callable[P, None]:
    """Turn our errors into their message and exit code; anything else is a bug of ours."""

    @wraps(command)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except TinyCompileError as error:
            for problem in error.problems:
                click.echo(f"error: {problem}", err=True)
            sys.exit(error.exit_code)
        except (click.ClickException, click.Abort, click.exceptions.Exit):
            raise
        except Exception:
            click.echo(traceback.format_exc(), err=True)
            click.echo("error: this is a bug of tinycompile, please report it with the lines above", err=True)
            sys.exit(BUG_EXIT_CODE)

    return guarded


@contextmanager
def progress(text: str) -> Iterator[None]:
    """Show that work goes on; quiet when standard error is no terminal."""
    if ERR.is_terminal:
        with ERR.status(text):
            yield
    else:
        yield


def write_json(data: Any, path: str | None) -> None:
    """Write results as JSON; `-` is standard output."""
    if path is None:
        return
    text = json.dumps(data, indent=1) + "\n"
    if path == "-":
        click.echo(text, nl=False)
        return
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(Problem(path, f"cannot be written ({error.strerror})")) from error


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
    type=MODEL,
    multiple=True,
    metavar="FILE.py",
    help="Custom operators of your own (docs/custom-operators.md); may be given several times.",
)

COMPILE_OPTIONS = (
    click.option(
        "--board", default="m7", show_default=True, help="Board to compile for (see `tinycompile boards`)."
    ),
    click.option(
        "--optimize",
        type=click.Choice(driver.OPTIMIZE),
        default="speed",
        show_default=True,
        help="What to favour.",
    ),
    click.option(
        "--io",
        type=click.Choice(driver.IO),
        default="model",
        show_default=True,
        help="Interface: as the model has it, or integers where the model quantizes floats.",
    ),
    click.option(
        "--ram-limit",
        type=byte_count,
        metavar="BYTES",
        help="Take the fastest plan whose arena and state fit, e.g. 32K; --optimize then decides on flash only.",
    ),
    plugin_option,
    click.option(
        "--input",
        "input_mode",
        type=click.Choice(driver.INPUT_MODES),
        default="arena",
        show_default=True,
        help="Where inputs lie: in the arena, in memory of the caller, or nowhere (rows on demand).",
    ),
)


def compile_options(command: Command) -> Command:
    """Give a command every option of `driver.CompileOptions`."""
    for option in reversed(COMPILE_OPTIONS):
        command = option(command)
    return command


name_option = click.option("--name", help="Prefix of the generated names; default: the file's stem.")
json_option = click.option(
    "--json", "json_path", metavar="FILE", help="Write the results as JSON; '-' is standard output."
)
oracle_option = click.option(
    "--oracle",
    type=click.Choice(list(proving.ORACLES)),
    help="The reference; default: the first of these that is installed and can run the model.",
)
inputs_option = click.option(
    "--inputs", "inputs_path", type=MODEL, metavar="FILE.npz", help="Real inputs (array `x`)."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
@click.option("-v", "--verbose", is_flag=True, help="Tell on standard error what is done.")
def main(verbose: bool) -> None:
    """Compile quantized .tflite models to plain C for microcontrollers, and prove what the C computes."""
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, format="%(message)s")


@main.command()
@click.argument("model", type=MODEL)
@compile_options
@click.option(
    "-o", "directory", type=click.Path(path_type=Path), help="Output directory; default: build/NAME-BOARD."
)
@name_option
@reports_errors
def build(
    model: Path, directory: Path | None, name: str | None, **options: Unpack[driver.CompileOptions]
) -> None:
    """Turn MODEL.tflite into a directory of C sources."""
    with progress(f"compiling {model.name} for {options['board']}"):
        result = driver.compile_model(model, name=name, **options)
        target = directory or Path("build") / f"{result.program.name}-{result.board.name}"
        write_directory(result.files, target)
    data = result.report
    click.echo(
        f"{target}: arena {data['arena_bytes']:,} bytes, state {data['state_bytes']:,}, weights {data['weights_bytes']:,}, "
        f"{data['macs_executed']:,} MACs"
    )


@main.command()
@click.argument("model", type=MODEL)
@compile_options
@click.option("--samples", default=10, show_default=True, help="Random and extreme inputs besides real ones.")
@inputs_option
@oracle_option
@json_option
@reports_errors
def verify(
    model: Path,
    samples: int,
    inputs_path: Path | None,
    oracle: str | None,
    json_path: str | None,
    **options: Unpack[driver.CompileOptions],
) -> None:
    """Compile MODEL.tflite, run the C, and compare every output with the reference: integers byte for byte, floats to 1e-5."""
    with progress(f"verifying {model.name} on {options['board']}"):
        outcome = proving.verify_model(model, samples=samples, inputs=inputs_path, oracle=oracle, **options)
    write_json(outcome.as_dict(), json_path)
    click.echo(outcome.summary(), err=json_path == "-")
    if not outcome.passed:
        sys.exit(1)


@main.command()
@click.argument("models", type=MODEL, nargs=-1, required=True)
@compile_options
@click.option("--layers", is_flag=True, help="Also instructions and cycles of each layer.")
@inputs_option
@oracle_option
@json_option
@reports_errors
def bench(
    models: tuple[Path, ...],
    layers: bool,
    inputs_path: Path | None,
    oracle: str | None,
    json_path: str | None,
    **options: Unpack[driver.CompileOptions],
) -> None:
    """Measure models: exact instructions, modelled cycles, arena, state, stack, code and weights flash."""
    rows = []
    for model in models:
        with progress(f"measuring {model.name} on {options['board']}"):
            rows.append(
                proving.bench_model(model, layers=layers, inputs=inputs_path, oracle=oracle, **options)
            )
    write_json(rows if len(rows) > 1 else rows[0], json_path)
    if json_path != "-":
        click.echo(report.render_bench(rows), nl=False)
    if not all(row["passed"] for row in rows):
        sys.exit(1)


@main.command()
@click.argument("model", type=MODEL)
@plugin_option
@json_option
@reports_errors
def inspect(model: Path, plugins: tuple[Path, ...], json_path: str | None) -> None:
    """Show the graph, shapes, quantization, MACs, and the memory over time."""
    data = proving.inspect_model(model, plugins)
    write_json(data, json_path)
    if json_path != "-":
        click.echo(report.render_inspection(data), nl=False)


@main.command()
@reports_errors
def boards() -> None:
    """List the boards."""
    click.echo(report.as_text(report.boards_table(proving.all_boards())), nl=False)


@main.command()
@click.option("--markdown", is_flag=True, help="Print the text of docs/supported-operators.md.")
@plugin_option
@reports_errors
def ops(markdown: bool, plugins: tuple[Path, ...]) -> None:
    """List the supported operators with their types."""
    for plugin in plugins:
        load_plugin(plugin)
    click.echo(
        report.operators_markdown() if markdown else report.as_text(report.operators_table()), nl=False
    )


@main.command()
@reports_errors
def doctor() -> None:
    """Tell which tools are there, which are missing, and the command that installs them."""
    tools = proving.check_tools()
    click.echo(report.as_text(report.tools_table(map(asdict, tools))), nl=False)
    if any(tool.required and not tool.found for tool in tools):
        sys.exit(5)
