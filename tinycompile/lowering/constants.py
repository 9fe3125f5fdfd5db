"""Pools that give constants and kernel functions their names; equal ones are kept once."""

from collections.abc import Hashable, Mapping
from dataclasses import replace
from hashlib import sha256

from tinycompile.program import Constant, KernelCode, KernelFunction, Parameter, Program


class ConstantPool:
    """Constants of the program in order of first use."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._by_content: dict[Hashable, Constant] = {}

    @property
    def constants(self) -> tuple[Constant, ...]:
        """All constants, each once."""
        return tuple(self._by_content.values())

    def add(self, role: str, constant: Constant) -> str:
        """Keep a constant and return its C name; one with the same bytes, type and alignment is shared."""
        digest = sha256(constant.values.tobytes()).digest()
        key = (constant.values.dtype.str, constant.align, constant.is_weight, constant.values.size, digest)
        if key not in self._by_content:
            self._by_content[key] = replace(constant, name=f"{self._prefix}_{role}")
        return self._by_content[key].name


class FunctionPool:
    """Kernel functions of the program in order of first use, with the runtime files that they need."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._by_content: dict[Hashable, KernelFunction] = {}
        self._runtime: dict[str, None] = {}
        self._bodies: dict[str, Program] = {}

    @property
    def functions(self) -> tuple[KernelFunction, ...]:
        """All functions, each once."""
        return tuple(self._by_content.values())

    @property
    def runtime(self) -> tuple[str, ...]:
        """Files of `runtime_c/` that the functions include or call, sorted."""
        return tuple(sorted(self._runtime))

    @property
    def bodies(self) -> tuple[Program, ...]:
        """Programs that the functions call, each once and behind those that it calls itself."""
        return tuple(self._bodies.values())

    def add(self, role: str, code: KernelCode) -> str:
        """Keep the function of a kernel and return its C name; an equal specialisation is shared."""
        self._runtime.update(dict.fromkeys(code.runtime))
        for program in code.calls:
            self._runtime.update(dict.fromkeys(program.runtime))
            self._bodies |= {body.name: body for body in (*program.bodies, program)}
        key = function_key(code)
        if key not in self._by_content:
            name = f"{self._prefix}_{role}"
            self._by_content[key] = KernelFunction(name, code.template, code.parameters)
        return self._by_content[key].name


def function_key(code: KernelCode) -> Hashable:
    """What equal functions have in common."""
    return code.template, _frozen(code.parameters)


def _frozen(parameters: Mapping[str, Parameter]) -> Hashable:
    """Parameters as a key that tells 1 from True and from 1.0."""
    return tuple((name, type(value).__name__, value) for name, value in sorted(parameters.items()))
