"""The command line. Only this package prints: results go to standard output, progress and messages to standard error.

Exit codes: 0 done, 1 a verification found a difference, 2 usage, 3 the model is malformed or unsupported, 4 it does not fit the
board, 5 a tool is missing or failed, 70 our own bug.
"""

from tinycompile.cli.commands import main

__all__ = ["main"]
