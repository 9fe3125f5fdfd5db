"""Files of drawings: SVG as it is, or as PNG, which a package that is optional draws with fonts of its own."""

from pathlib import Path

from tinycompile.errors import Problem, ToolError, UsageError

_PIXELS = 2
"""Pixels of a PNG for each unit of the drawing, across and down."""


def check_picture(path: Path) -> None:
    """Refuse a file that `picture` cannot make: to be asked before the long work whose results are drawn.

    Raises:
        UsageError: the name ends with neither .svg nor .png.
        ToolError: PNG needs a package that is not installed.
    """
    if path.suffix not in (".svg", ".png"):
        raise UsageError(
            Problem(str(path), "no kind of drawing", "SVG and PNG", "name the file .svg or .png")
        )
    if path.suffix == ".png":
        _svg_to_png("<svg xmlns='http://www.w3.org/2000/svg' width='1' height='1'/>")


def picture(svg: str, path: Path) -> bytes:
    """The bytes of a drawing in the format that the file's name says; raises what `check_picture` does."""
    check_picture(path)
    return _svg_to_png(svg) if path.suffix == ".png" else svg.encode()


def _svg_to_png(svg: str) -> bytes:
    try:
        import vl_convert
    except ImportError as error:
        found = "PNG needs the package vl-convert-python, which is not installed"
        action = "pip install vl-convert-python, or name the file .svg"
        raise ToolError(Problem("--plot", found, action=action)) from error
    png: bytes = vl_convert.svg_to_png(svg, scale=_PIXELS)
    return png
