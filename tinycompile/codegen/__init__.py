"""Program -> {path: text}: the C sources, headers and build file, printed from Jinja templates."""

from tinycompile.codegen.emit import emit, emit_shared

__all__ = ["emit", "emit_shared"]
