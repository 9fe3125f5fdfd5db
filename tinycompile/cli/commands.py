"""The commands.

Those that run what was compiled import it themselves: with emulator and disassembler it takes longer to load than a small
model takes to compile.
"""

import gc
import logging
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Unpack

import click

from tinycompile import report
from tinycompile.cli.console import progress, reports_errors, write_file, write_json
from tinycompile.cli.options import (
    PATH,
    command_line,
    compile_options,
    inputs_option,
    json_option,
    model_options,
    name_option,
    oracle_option,
    plugin_option,
    recompute_option,
)
from tinycompile.driver import Compilation, CompileOptions, ModelOptions, compile_model, write_directory
from tinycompile.driver.share import SharedCompilation, compile_shared
from tinycompile.driver.stages import STAGES, stage_text
from tinycompile.errors import Problem, UsageError
from tinycompile.ops import load_plugin
from tinycompile.version import __version__

EXIT_CODES = """\b
Exit codes:
  0   done
  1   a verification found a difference
  2   usage
  3   the model is malformed or unsupported
  4   it does not fit the board, or a limit
  5   a tool is missing or failed
  70  our own bug"""

OBJECTS_BEFORE_COLLECTION = 100_000
"""Python looks for garbage after so many new objects. Compilation makes hardly any: its own threshold of 700 costs time."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, epilog=EXIT_CODES)
@click.version_option(__version__)
@click.option("-v", "--verbose", is_flag=True, help="Tell on standard error what passes and planner do.")
def main(verbose: bool) -> None:
    """Compile quantized .tflite models to plain C for microcontrollers, and prove what the C computes."""
    gc.set_threshold(OBJECTS_BEFORE_COLLECTION)
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, format="%(message)s")


@main.command(short_help="Turn models into a directory of C sources.")
@click.argument("models", type=PATH, nargs=-1, required=True)
@compile_options
@click.option("-o", "directory", type=PATH, help="Output directory; default: build/NAME-BOARD.")
@name_option
@click.option(
    "--shared-arena", is_flag=True, help="Models that take turns in one arena: a folder for each, one header."
)
@click.option(
    "--emit",
    type=click.Choice(["cmake", *STAGES]),
    default="cmake",
    show_default=True,
    help="A directory for CMake, or print a stage of the compilation and write nothing.",
)
@reports_errors
def build(
    models: tuple[Path, ...],
    directory: Path | None,
    name: str | None,
    shared_arena: bool,
    emit: str,
    **options: Unpack[CompileOptions],
) -> None:
    """Turn MODELS (.tflite) into a directory of C sources."""
    _check_build(len(models), shared_arena, emit, directory)
    with progress(f"compiling {' and '.join(model.name for model in models)} for {options['board']}"):
        if emit != "cmake":
            click.echo(stage_text(models[0], emit, **options), nl=False)
            return
        result: Compilation | SharedCompilation
        if shared_arena:
            result = compile_shared(models, name=name, **options)
        else:
            result = compile_model(models[0], name=name, **options)
        data = result.report
        target = directory or Path("build") / f"{data['name']}-{data['board']}"
        write_directory(result.files, target)
    click.echo(
        f"{target}: arena {data['arena_bytes']:,} bytes, state {data['state_bytes']:,}, weights {data['weights_bytes']:,}, "
        f"{data['macs_executed']:,} MACs"
    )


def _check_build(models: int, shared_arena: bool, emit: str, directory: Path | None) -> None:
    """Refuse options that contradict each other."""
    if emit != "cmake" and (models > 1 or shared_arena or directory is not None):
        found = f"--emit {emit} prints a stage of one model and writes nothing"
        raise UsageError(Problem("build", found, action="leave out -o, --shared-arena and the other models"))
    if models > 1 and not shared_arena:
        raise UsageError(Problem("build", f"{models} models", "one at a time", "or add --shared-arena"))


@main.command(short_help="Run the C of a model and compare its outputs with the reference.")
@click.argument("model", type=PATH)
@compile_options
@click.option(
    "--samples",
    default=10,
    show_default=True,
    help="Random and extreme inputs that are made, besides those of --inputs; 0: only those.",
)
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
    **options: Unpack[CompileOptions],
) -> None:
    """Compile MODEL.tflite, run the C, and compare every output with the reference: integers byte for byte, floats to 1e-5."""
    from tinycompile.driver.prove import verify_model

    with progress(f"verifying {model.name} on {options['board']}"):
        outcome = verify_model(model, samples=samples, inputs=inputs_path, oracle=oracle, **options)
    write_json(outcome.as_dict(), json_path)
    click.echo(outcome.summary(), err=json_path == "-")
    if not outcome.passed:
        sys.exit(1)


@main.command(short_help="Measure models: instructions, cycles, RAM, stack, flash.")
@click.argument("models", type=PATH, nargs=-1, required=True)
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
    **options: Unpack[CompileOptions],
) -> None:
    """Measure models: exact instructions, modelled cycles, arena, state, stack, code and weights flash."""
    from tinycompile.driver.prove import bench_model

    rows = []
    for model in models:
        with progress(f"measuring {model.name} on {options['board']}"):
            rows.append(bench_model(model, layers=layers, inputs=inputs_path, oracle=oracle, **options))
    write_json(rows if len(rows) > 1 else rows[0], json_path)
    if json_path != "-":
        click.echo(report.render_bench(rows), nl=False)
    if not all(row["passed"] for row in rows):
        sys.exit(1)


@main.command(short_help="Show RAM against cycles and flash, and what builds each.")
@click.argument("model", type=PATH)
@model_options
@recompute_option
@click.option(
    "--estimate", is_flag=True, help="Estimated cycles and flash: faster, and without compiler and emulator."
)
@click.option("--plot", type=PATH, metavar="FILE", help="Draw RAM against cycles and flash (.svg or .png).")
@json_option
@reports_errors
def explore(
    model: Path,
    recompute: float,
    estimate: bool,
    plot: Path | None,
    json_path: str | None,
    **options: Unpack[ModelOptions],
) -> None:
    """Show RAM against cycles and flash for the plans that are not dominated, and the commands that build them."""
    from tinycompile.driver.explore import explore_model

    if plot is not None:
        report.check_picture(plot)
    with progress(f"exploring {model.name} for {options['board']}"):
        data = explore_model(model, measured=not estimate, recompute=recompute, **options)
    for found in data["plans"]:
        found["command"] = command_line(build, model, {**options, **found})
    write_json(data, json_path)
    if plot is not None:
        write_file(plot, report.picture(report.exploration_svg(data), plot))
    if json_path != "-":
        click.echo(report.render_exploration(data), nl=False)


@main.command(short_help="Show the graph of a model and its memory over time.")
@click.argument("model", type=PATH)
@plugin_option
@json_option
@reports_errors
def inspect(model: Path, plugins: tuple[Path, ...], json_path: str | None) -> None:
    """Show the graph, shapes, quantization, MACs, and the memory over time."""
    from tinycompile.driver.prove import inspect_model

    data = inspect_model(model, plugins)
    write_json(data, json_path)
    if json_path != "-":
        click.echo(report.render_inspection(data), nl=False)


@main.command()
@reports_errors
def boards() -> None:
    """List the boards."""
    from tinycompile.driver.prove import all_boards

    click.echo(report.as_text(report.boards_table(all_boards())), nl=False)


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


@main.command(short_help="Tell which tools are there and what installs the others.")
@reports_errors
def doctor() -> None:
    """Tell which tools are there, which are missing, and the command that installs them."""
    from tinycompile.driver.prove import check_tools

    tools = check_tools()
    click.echo(report.as_text(report.tools_table(map(asdict, tools))), nl=False)
    if any(tool.required and not tool.found for tool in tools):
        sys.exit(5)
