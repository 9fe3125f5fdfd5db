"""The driver: puts the stages together. `compile.py` is the whole pipeline on one screen.

    explore   stages   share      several plans of a model; its stages as text; several models in one directory
    prove                         runs what was generated: verify, bench, inspect
    compile                       bytes -> {path: text}
    prepared                      a model is read and simplified
    flash_limit                   kernels within a limit of flash; asks for several drafts
    fit   subgraphs   recompute   what does not fit; bodies of IF and WHILE; first layers in stripes
    options   output              values that a user may choose; names and folders of what is generated

What runs generated code is not imported here: with emulator and disassembler it takes longer to load than a small model takes
to compile.
"""

from tinycompile.driver.compile import Compilation, compile_model
from tinycompile.driver.options import INPUT_MODES, IO, OPTIMIZE, CompileOptions, ModelOptions
from tinycompile.driver.output import write_directory
from tinycompile.driver.prepared import prepare

__all__ = [
    "INPUT_MODES",
    "IO",
    "OPTIMIZE",
    "Compilation",
    "CompileOptions",
    "ModelOptions",
    "compile_model",
    "prepare",
    "write_directory",
]
