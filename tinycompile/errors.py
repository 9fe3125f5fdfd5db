"""Every error that a user can cause, in one tree.

    TinyCompileError                 exit code   70  (never raised itself)
    |- UsageError                                 2  the command line or an option is wrong
    |- ModelError                                 3  the file is malformed, or uses what is not supported
    |- FitError                                   4  the model does not fit the board
    |- ToolError                                  5  a compiler, emulator or oracle is missing or failed
    `- VerificationError                          1  generated code and reference differ

A message has one line per problem: the place first, then what was found, what is supported and what to do.
Mistakes of our own are `assert`s or plain Python exceptions, never a TinyCompileError.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar


class TinyCompileError(Exception):
    """Base of all errors that a model, a board, an option or the environment can cause.

    One exception carries every problem that was found, so that a user mends them in one go.
    """

    exit_code: ClassVar[int] = 70

    def __init__(self, problems: "str | Problem | Iterable[str | Problem]") -> None:
        listed = [problems] if isinstance(problems, str | Problem) else list(problems)
        assert listed, "an error needs at least one problem"
        self.problems: tuple[str, ...] = tuple(str(problem) for problem in listed)
        super().__init__("\n".join(self.problems))


class UsageError(TinyCompileError):
    """An argument or option is wrong."""

    exit_code = 2


class ModelError(TinyCompileError):
    """The model file is malformed, or uses an operator, type or option that is not supported."""

    exit_code = 3


class FitError(TinyCompileError):
    """The model does not fit the memory of the board."""

    exit_code = 4


class ToolError(TinyCompileError):
    """A compiler, emulator or oracle is missing, or ended with an error."""

    exit_code = 5


class VerificationError(TinyCompileError):
    """The generated code computed other bytes than the reference."""

    exit_code = 1


@dataclass(frozen=True)
class Problem:
    """One line of an error message: place, what was found, what is supported, what to do."""

    place: str
    found: str
    supported: str = ""
    action: str = ""

    def __str__(self) -> str:
        parts = [self.found, self.supported, self.action]
        return f"{self.place}: " + "; ".join(part for part in parts if part)
