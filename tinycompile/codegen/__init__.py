"""Program -> {path: text}: the C sources, headers and build file, printed from Jinja templates."""

from tinycompile.codegen.code_size import estimated_code_bytes
from tinycompile.codegen.emit import emit, emit_code, emit_shared, kernel_code_bytes

__all__ = ["emit", "emit_code", "emit_shared", "estimated_code_bytes", "kernel_code_bytes"]
