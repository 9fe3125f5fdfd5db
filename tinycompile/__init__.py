"""tinycompile: turns a quantized .tflite model into plain C made for one model on one microcontroller.

>>> from tinycompile import compile_model
>>> result = compile_model("model.tflite", board="m7")
>>> result.report["arena_bytes"]
"""

from tinycompile.driver import Compilation, compile_model
from tinycompile.errors import (
    FitError,
    ModelError,
    TinyCompileError,
    ToolError,
    UsageError,
    VerificationError,
)
from tinycompile.version import __version__

__all__ = [
    "Compilation", "FitError", "ModelError", "TinyCompileError", "ToolError", "UsageError", "VerificationError",
    "__version__", "compile_model",
]  # fmt: skip
