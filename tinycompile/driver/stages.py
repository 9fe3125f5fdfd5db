"""The stages of a compilation as text, for `build --emit`: a model as it was read, after each pass, planned, lowered."""

from pathlib import Path
from typing import Unpack

from tinycompile.driver.compile import compile_model
from tinycompile.driver.options import ModelOptions, check_choice
from tinycompile.driver.prepared import Prepared, prepare, simplify
from tinycompile.ir import Graph, to_text
from tinycompile.report import plan_text, program_text

STAGES = ("graph", "passes", "plan", "program")


def stage_text(
    model: str | Path | bytes,
    stage: str,
    *,
    optimize: str = "speed",
    ram_limit: int | None = None,
    flash_limit: int | None = None,
    recompute: float = 0.0,
    **options: Unpack[ModelOptions],
) -> str:
    """One of STAGES: the graph as the file has it, the graph after each pass that changed it, the plan, the program.

    Raises:
        TinyCompileError: what `compile_model` raises.
    """
    check_choice("emit", stage, STAGES)
    if stage == "graph":
        return to_text(prepare(model, **options).imported)
    if stage == "passes":
        return _after_passes(prepare(model, **options))
    made = compile_model(
        model,
        optimize=optimize,
        ram_limit=ram_limit,
        flash_limit=flash_limit,
        recompute=recompute,
        **options,
    )
    if stage == "plan":
        return plan_text(made.graph, made.selection, made.schedule, made.memory)
    return program_text(made.program)


def _after_passes(prepared: Prepared) -> str:
    texts = [("as the file has it", to_text(prepared.imported))]

    def add(name: str, graph: Graph) -> None:
        text = to_text(graph)
        if text != texts[-1][1]:
            texts.append((f"after {name}", text))

    simplify(prepared.imported, prepared.io, prepared.input_mode, add)
    return "\n".join(f"{title}:\n{text}" for title, text in texts)
