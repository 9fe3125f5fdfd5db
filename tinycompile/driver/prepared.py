"""What comes before planning: a model is read, its subgraphs are compiled, and it is simplified."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from tinycompile.board import Board, load_board
from tinycompile.driver.options import INPUT_MODES, IO, Settings, check_choice
from tinycompile.driver.output import c_identifier
from tinycompile.driver.subgraphs import with_programs
from tinycompile.errors import ModelError, Problem
from tinycompile.frontend import read_model
from tinycompile.ir import Graph
from tinycompile.lowering import BuildInfo
from tinycompile.ops import load_plugin, operation, operator_of
from tinycompile.passes import passes_for, run_passes
from tinycompile.plan import InputMode
from tinycompile.program import Parameter
from tinycompile.version import __version__


@dataclass(frozen=True, eq=False)
class Prepared:
    """A model on a board, ready to be planned: what all of its compilations have in common."""

    model: bytes
    name: str
    board: Board
    imported: Graph
    """The model as the file has it; the subgraphs that its operators run are compiled."""
    graph: Graph
    """The model after the passes."""
    io: str
    input_mode: InputMode

    def info(self, settings: Settings) -> BuildInfo:
        """What a program of this model says of its own making."""
        options: dict[str, Parameter] = {
            "optimize": settings.optimize,
            "input": self.input_mode.value,
            "io": self.io,
            **settings.limits,
            **({"recompute": settings.recompute} if settings.recompute else {}),
        }
        return _info(self.model, self.name, self.imported, options)


def prepare(
    model: str | Path | bytes,
    *,
    board: str | Board = "m7",
    name: str | None = None,
    io: str = "model",
    input_mode: str = "arena",
    optimize: str = "speed",
    plugins: Sequence[str | Path] = (),
) -> Prepared:
    """Read a model and simplify it; see `compile_model`. Subgraphs that operators run are compiled here, with `optimize`."""
    check_choice("io", io, IO)
    check_choice("input", input_mode, INPUT_MODES)
    for plugin in plugins:
        load_plugin(plugin)
    data, path = _read(model)
    target = load_board(board) if isinstance(board, str) else board
    name = c_identifier(name or path.stem)
    imported = read_model(data, path.name)
    imported = with_programs(imported, target, _info(data, name, imported, {}), optimize)
    mode = InputMode(input_mode)
    graph = simplify(imported, io, mode)
    return Prepared(data, name, target, imported, graph, io, mode)


def simplify(
    imported: Graph, io: str, input_mode: InputMode, dump: Callable[[str, Graph], None] | None = None
) -> Graph:
    """Run the passes of an interface; `dump` sees the graph after each one."""
    passes = passes_for(quantized_edges=io == "quantized", streamed_inputs=input_mode is InputMode.ROWS)
    return run_passes(imported, passes, dump)


def _info(model: bytes, name: str, imported: Graph, options: Mapping[str, Parameter]) -> BuildInfo:
    digest = sha256(model).hexdigest()
    return BuildInfo(name, __version__, digest, options, source_macs=_macs(imported))


def _macs(graph: Graph) -> dict[int, int]:
    """MACs of each operator of the file by its index."""
    return {node.source[0]: operator_of(node).macs(operation(graph, node)) for node in graph.nodes}


def _read(model: str | Path | bytes) -> tuple[bytes, Path]:
    """The bytes of a model and its file; bytes are called `model.tflite`."""
    if isinstance(model, bytes):
        return model, Path("model.tflite")
    path = Path(model)
    try:
        return path.read_bytes(), path
    except OSError as error:
        raise ModelError(Problem(str(path), f"cannot be read ({error.strerror})")) from error
