"""Checked reading of FlatBuffers tables.

The Python runtime of FlatBuffers has no verifier: a bad offset reads other bytes, shortens a string, or asks for four thousand
million elements. Everything here checks before it reads. What it finds is raised as `Malformed`, whatever the runtime raised.
"""

import re
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from tinycompile.ir import Array


class Malformed(Exception):
    """The bytes are not what the schema says; the text says what was found."""


class FileBytes(bytes):
    """The bytes of a file, where a slice beyond the end is an error instead of a shorter slice."""

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice) and key.stop is not None and key.stop > len(self):
            raise IndexError(f"{key.stop - len(self)} bytes beyond the end of the file")
        return super().__getitem__(key)


@contextmanager
def malformed(what: str) -> Iterator[None]:
    """Turn whatever the FlatBuffers runtime raises on bad bytes into `Malformed`, with what was being read."""
    try:
        yield
    except Malformed:
        raise
    except Exception as error:  # struct.error, IndexError, TypeError, ValueError...
        raise Malformed(f"{what} points outside of the file") from error


@dataclass
class Checker:
    """Checks tables as they are visited. `tables_left` bounds the work on files whose vectors share their elements."""

    data: FileBytes
    tables_left: int = field(init=False)

    def __post_init__(self) -> None:
        self.tables_left = len(self.data) // 4 + 16

    def table(self, table: Any) -> Any:
        """Check that a table, its vtable and the fields that it names lie inside of the file; return it."""
        self.tables_left -= 1
        if self.tables_left < 0:
            raise Malformed("there are more tables than the file has room for")
        position = table._tab.Pos
        vtable = position - self._int(position, 4, signed=True)
        vtable_bytes, table_bytes = self._int(vtable, 2), self._int(vtable + 2, 2)
        if vtable_bytes < 4 or vtable_bytes % 2 or table_bytes < 4:
            raise Malformed(f"the table at byte {position} has no valid list of fields")
        self._inside(vtable, vtable_bytes)
        self._inside(position, table_bytes)
        offsets = np.frombuffer(self.data, "<u2", (vtable_bytes - 4) // 2, vtable + 4)
        if offsets.size and int(offsets.max()) >= table_bytes:
            raise Malformed(f"the table at byte {position} has a field outside of itself")
        return table

    def child(self, table: Any, name: str) -> Any | None:
        """A field that is a table; None when it is absent."""
        with malformed(snake_case(name)):
            found = getattr(table, name)()
        return None if found is None else self.table(found)

    def children(self, table: Any, name: str) -> Iterator[Any]:
        """The elements of a field that is a vector of tables."""
        with malformed(snake_case(name)):
            length = getattr(table, f"{name}Length")()
        if 4 * length > len(self.data):
            raise Malformed(f"{snake_case(name)} has {length} elements, more than the file can hold")
        for index in range(length):
            with malformed(f"{snake_case(name)} {index}"):
                found = getattr(table, name)(index)
            yield self.table(found)

    def scalar(self, table: Any, name: str) -> Any:
        """A number or truth value; the schema's default when it is absent."""
        with malformed(snake_case(name)):
            return getattr(table, name)()

    def numbers(self, table: Any, name: str) -> Array | None:
        """A vector of numbers as a view of the file's bytes; None when it is absent."""
        with malformed(snake_case(name)):
            if getattr(table, f"{name}IsNone")():
                return None
            found: Array = getattr(table, f"{name}AsNumpy")()
            return found

    def text(self, table: Any, name: str) -> str:
        """A string, empty when it is absent, on one line: names are for messages and comments only.

        Bytes that are not UTF-8 are replaced, and what a terminal would obey is escaped.
        """
        with malformed(snake_case(name)):
            found: bytes | None = getattr(table, name)()
        text = (found or b"").decode("utf-8", "replace")
        if text.isprintable():
            return text
        return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)

    def options(self, table: Any) -> dict[str, Any]:
        """All fields of an options table by snake_case name: numbers, texts, and tuples for vectors that are present."""
        found: dict[str, Any] = {}
        table_class: Any = type(self.table(table))
        for name, is_vector in option_fields(table_class):
            if not is_vector:
                value = self.scalar(table, name)
                found[snake_case(name)] = (
                    value.decode("utf-8", "replace") if isinstance(value, bytes) else value
                )
            elif hasattr(table, f"{name}AsNumpy"):
                numbers = self.numbers(table, name)
                if numbers is not None:
                    found[snake_case(name)] = tuple(numbers.tolist())
        return found

    def _int(self, position: int, width: int, signed: bool = False) -> int:
        self._inside(position, width)
        return int.from_bytes(bytes(self.data[position : position + width]), "little", signed=signed)

    def _inside(self, position: int, length: int) -> None:
        if position < 0 or position + length > len(self.data):
            raise Malformed(f"a table at byte {position} lies outside of the file ({len(self.data)} bytes)")


@cache
def option_fields(table: Hashable) -> tuple[tuple[str, bool], ...]:
    """Fields of a generated class, with True for vectors. Scalars have one method, vectors also `Length`, `IsNone`..."""
    methods = [name for name in vars(table) if name[0].isupper()]
    helpers = {f"{name}{suffix}" for name in methods for suffix in ("Length", "AsNumpy", "IsNone")}
    fields = [
        name
        for name in methods
        if name not in helpers
        and name != "Init"
        and not name.startswith("GetRootAs")
        and not name.endswith("BufferHasIdentifier")
    ]
    return tuple((name, f"{name}Length" in methods) for name in fields)


def snake_case(name: str) -> str:
    """`DilationHFactor` -> `dilation_h_factor`, the name in the schema."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
