"""Prints a program: each generated file is one template."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import jinja2

from tinycompile.codegen.code_size import text_bytes
from tinycompile.codegen.environment import environment
from tinycompile.errors import Problem, UsageError
from tinycompile.program import KernelCode, KernelFunction, Program
from tinycompile.resources import runtime_dir, templates_dir

_BODY_START = "\n{\n    TC_WRITES_MEMORY();\n"
"""How the body of every kernel starts, see `tc_types.h`."""

ALWAYS = ("tc_types.h",)
"""Runtime files that every model needs."""


def emit_code(program: Program) -> str:
    """The C of all functions, without constants."""
    return _render(
        "model.c.j2",
        program,
        kernels=[_kernel(f) for f in program.functions],
        bodies=[(body, [_kernel(f) for f in body.functions]) for body in program.bodies],
        headers=_headers(_runtime_files(program)),
    )


def emit(program: Program, code: str) -> dict[str, str]:
    """The generated files by relative path, with the `code` of `emit_code`; the same program gives the same bytes."""
    name, runtime = program.name, _runtime_files(program)
    files = {
        f"{name}.h": _render("model.h.j2", program),
        f"{name}.c": code,
        f"{name}_weights.c": _render("weights.c.j2", program),
        "LICENSE": (templates_dir() / "LICENSE.txt").read_text(encoding="utf-8"),
        **runtime,
    }
    return files | {"CMakeLists.txt": _render("CMakeLists.txt.j2", program, sources=c_sources(files))}


def emit_shared(name: str, programs: Sequence[Program]) -> dict[str, str]:
    """What models that share an arena have in common: a header with the largest arena, and a CMakeLists.txt."""
    made = {f"{name}.h": "shared.h.j2", "CMakeLists.txt": "shared_CMakeLists.txt.j2"}
    return {
        path: environment().get_template(template).render(name=name, NAME=name.upper(), programs=programs)
        for path, template in made.items()
    }


def c_sources(files: Mapping[str, str]) -> list[str]:
    """The files that a compiler is given."""
    return sorted(path for path in files if path.endswith((".c", ".S")))


def _render(template: str, program: Program, **more: object) -> str:
    text = environment().get_template(template).render(p=program, NAME=program.name.upper(), **more)
    return text.rstrip("\n") + "\n"


def _kernel(function: KernelFunction) -> str:
    text = _filled(function)
    signature, opening, body = text.partition(f"{function.name}(")
    text = signature + opening + body.replace("\n{\n", _BODY_START, 1)
    return text.strip("\n") + "\n"


def kernel_code_bytes(code: KernelCode) -> int:
    """Flash that a kernel's function is estimated to take, without what it calls."""
    return text_bytes(_kernel(KernelFunction("kernel", code.template, code.parameters)))


def _filled(function: KernelFunction) -> str:
    """The template with its holes filled. Mistakes in ours are our own; those in a plugin's are told to its author."""
    is_ours = not Path(function.template).is_absolute()
    name = f"kernels/{function.template}" if is_ours else function.template
    try:
        return environment().get_template(name).render(fn=function.name, **function.parameters)
    except (jinja2.TemplateError, AssertionError) as error:
        if is_ours:
            raise
        found = f"cannot be filled ({type(error).__name__}: {error})"
        raise UsageError(Problem(function.template, found, action="see docs/custom-operators.md")) from error


def _headers(runtime: Mapping[str, str]) -> list[str]:
    return [path for path in runtime if path.endswith(".h") and path not in ALWAYS]


def _runtime_files(program: Program) -> dict[str, str]:
    """The runtime files of the program, with the headers that they include themselves."""
    files: dict[str, str] = {}
    wanted = [*ALWAYS, *program.runtime]
    while wanted:
        path = wanted.pop()
        if path not in files:
            files[path] = (runtime_dir() / path).read_text(encoding="utf-8")
            wanted += _included(files[path])
    return dict(sorted(files.items()))


def _included(text: str) -> list[str]:
    """Runtime headers that a runtime file includes: lines `#include "tc_..."`."""
    lines = (line.split('"') for line in text.splitlines() if line.startswith('#include "tc_'))
    return [parts[1] for parts in lines]
