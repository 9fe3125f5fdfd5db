"""The command line's terminal: errors with their exit codes, progress, results in files."""

import json
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec

import click

from tinycompile.errors import Problem, TinyCompileError, UsageError

BUG_EXIT_CODE = 70


P = ParamSpec("P")


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
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console  # not above: loading it takes as long as planning a small model

    with Console(stderr=True).status(text):
        yield


def write_json(data: Any, path: str | None) -> None:
    """Write results as JSON; `-` is standard output."""
    if path is None:
        return
    text = json.dumps(data, indent=1) + "\n"
    if path == "-":
        click.echo(text, nl=False)
        return
    write_file(Path(path), text.encode())


def write_file(path: Path, data: bytes) -> None:
    """Write one file of results."""
    try:
        path.write_bytes(data)
    except OSError as error:
        raise UsageError(Problem(str(path), f"cannot be written ({error.strerror})")) from error
