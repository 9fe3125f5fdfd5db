"""Resource variables: handles and the order of reads and assignments become plain operands.

VAR_HANDLE names a variable, READ_VARIABLE and ASSIGN_VARIABLE take its handle and depend on their place in the file. Here the
operators are walked once in order: a read takes the tensor that was assigned last, or the one that holds what the call before
left. Afterwards there are no handles, and of several assignments to a variable only the last one is left.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tinycompile.frontend.reader import FileOperator, FileSubgraph, FileTensor

Key = tuple[str, str]
"""Container and shared name: what makes two handles mean one variable."""


@dataclass(frozen=True)
class Held:
    """A variable whose value outlives a call: `read` holds it before, `assigned` after (None: it never changes).

    Both are indices of tensors that were added behind those of the file. `operator` is the first one that reads it.
    """

    key: Key
    read: int
    assigned: int | None
    operator: int


@dataclass(frozen=True)
class Resolved:
    """A subgraph without handles.

    `held` are the variables that are read before anything is assigned to them; `values` has the tensor that was assigned last to
    each variable; `once` are the indices of the subgraphs that CALL_ONCE runs; `problems` says what is wrong with operators.
    """

    subgraph: FileSubgraph
    held: tuple[Held, ...]
    values: Mapping[Key, int]
    once: tuple[tuple[int, int], ...]
    problems: tuple[tuple[int, str], ...]


def resolve_variables(subgraph: FileSubgraph) -> Resolved:
    """Take the handles out of a subgraph, whose operands are known to exist."""
    walk = _Walk(list(subgraph.tensors))
    for operator in subgraph.operators:
        walk.step(operator)
    walk.check_outputs(subgraph)
    operators = tuple(operator for operator in walk.operators if operator is not None)
    return Resolved(
        replace(subgraph, tensors=tuple(walk.tensors), operators=operators),
        tuple(walk.held.values()),
        walk.values,
        tuple(walk.once),
        tuple(walk.problems),
    )


@dataclass
class _Walk:
    tensors: list[FileTensor]
    operators: list[FileOperator | None] = field(default_factory=list)
    handles: dict[int, Key] = field(default_factory=dict)
    held: dict[Key, Held] = field(default_factory=dict)
    values: dict[Key, int] = field(default_factory=dict)
    assignments: dict[Key, int] = field(default_factory=dict)
    once: list[tuple[int, int]] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)

    def step(self, operator: FileOperator) -> None:
        """One operator of the file."""
        if operator.kind == "VAR_HANDLE":
            key = (operator.options.get("container", ""), operator.options.get("shared_name", ""))
            self.handles.update(dict.fromkeys(operator.outputs, key))
        elif operator.kind == "CALL_ONCE":
            self.call_once(operator)
        elif operator.kind == "READ_VARIABLE":
            self.read(operator)
        elif operator.kind == "ASSIGN_VARIABLE":
            self.assign(operator)
        else:
            names = [self.handles[t][1] for t in operator.inputs if t in self.handles]
            if names:
                self.problems.append((operator.index, f"takes the handle of variable {', '.join(names)}"))
            self.operators.append(operator)

    def call_once(self, operator: FileOperator) -> None:
        """Initialisation happens before anything else can be seen of a variable."""
        if self.held or self.values:
            self.problems.append((operator.index, "stands behind an operator that uses a variable"))
        self.once.append((operator.index, int(operator.options.get("init_subgraph_index", 0))))

    def read(self, operator: FileOperator) -> None:
        """The operator takes the variable's present value instead of the handle."""
        key = self.key_of(operator, 1)
        if key is None or len(operator.outputs) != 1:
            return
        if key not in self.values:
            if key not in self.held:
                record = self.tensors[operator.outputs[0]]
                self.held[key] = Held(key, self.add(record, key, "held"), None, operator.index)
            self.values[key] = self.held[key].read
        self.operators.append(replace(operator, inputs=(self.values[key],)))

    def assign(self, operator: FileOperator) -> None:
        """Later reads take the assigned tensor; only the last assignment to a variable that is held is carried out."""
        key = self.key_of(operator, 2)
        if key is None:
            return
        self.values[key] = operator.inputs[1]
        held = self.held.get(key)
        if held is None:
            return
        if held.assigned is None:
            held = replace(held, assigned=self.add(self.tensors[held.read], key, "assigned"))
            self.held[key] = held
        else:
            self.operators[self.assignments[key]] = None
        assert held.assigned is not None
        self.assignments[key] = len(self.operators)
        self.operators.append(replace(operator, inputs=operator.inputs[1:], outputs=(held.assigned,)))

    def key_of(self, operator: FileOperator, inputs: int) -> Key | None:
        """The variable that an operator takes the handle of; None after noting that it takes none."""
        if len(operator.inputs) != inputs or operator.inputs[0] not in self.handles:
            found = f"takes tensors {list(operator.inputs)}, and the first of {inputs} must be a handle from VAR_HANDLE"
            self.problems.append((operator.index, found))
            return None
        return self.handles[operator.inputs[0]]

    def add(self, like: FileTensor, key: Key, role: str) -> int:
        """A further tensor, which belongs to a variable."""
        self.tensors.append(replace(like, name=f"{key[1]} ({role})", buffer=0, is_variable=False))
        return len(self.tensors) - 1

    def check_outputs(self, subgraph: FileSubgraph) -> None:
        """A handle cannot leave the graph."""
        for index in subgraph.outputs:
            if index in self.handles:
                self.problems.append(
                    (-1, f"the handle of variable {self.handles[index][1]} is a graph output")
                )
