"""Compiles the subgraphs that operators run (IF, WHILE), by the stages of a whole model."""

from dataclasses import dataclass, field, replace

from tinycompile.board import Board
from tinycompile.ir import Graph, Node, with_nodes
from tinycompile.lowering import BuildInfo, lower, select
from tinycompile.ops import Body, ControlAttributes, operation, operator_of
from tinycompile.passes import run_passes
from tinycompile.plan import InputMode
from tinycompile.planning import plan
from tinycompile.program import Program
from tinycompile.replay import replay


def with_programs(graph: Graph, board: Board, info: BuildInfo, optimize: str = "speed") -> Graph:
    """The graph with programs for all that its operators run; a subgraph that several of them run is compiled once.

    A body reads its inputs where the operator has them, and its outputs are copied out of its arena.
    """
    return _Compiler(board, info, optimize).graph(graph)


@dataclass
class _Compiler:
    board: Board
    info: BuildInfo
    optimize: str
    done: dict[int, Body] = field(default_factory=dict)
    """By the index of the subgraph in the file."""

    def graph(self, graph: Graph) -> Graph:
        """Every operator with its programs."""
        changed: dict[int, Node | None] = {}
        for node in graph.nodes:
            found = node.attributes
            if isinstance(found, ControlAttributes):
                bodies = tuple(map(self.body, found.bodies))
                changed[node.id] = replace(node, attributes=replace(found, bodies=bodies))
        return with_nodes(graph, changed) if changed else graph

    def body(self, body: Body) -> Body:
        """The subgraph with its program."""
        if body.subgraph not in self.done:
            body = replace(body, graph=self.graph(body.graph))
            self.done[body.subgraph] = replace(body, program=self.program(body))
        return self.done[body.subgraph]

    def program(self, body: Body) -> Program:
        """Simplify, plan, lower and replay a subgraph."""
        macs = {n.source[0]: operator_of(n).macs(operation(body.graph, n)) for n in body.graph.nodes}
        info = replace(self.info, name=f"{self.info.name}_s{body.subgraph}", source_macs=macs)
        graph = run_passes(body.graph)
        selection = select(graph, self.board, self.optimize)
        planned = plan(graph, selection, optimize=self.optimize, input_mode=InputMode.CONST)
        program = lower(graph, *planned, self.board, info)
        replay(graph, planned[0], program).check()
        return replace(program, place=f"subgraph {body.subgraph}")
