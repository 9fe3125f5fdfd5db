"""Initial values of the variables."""

from tinycompile.ir import Graph, Variable
from tinycompile.lowering.constants import ConstantPool
from tinycompile.plan import MemoryPlan
from tinycompile.program import Constant, StateValue


def state_value(graph: Graph, plan: MemoryPlan, constants: ConstantPool, variable: Variable) -> StateValue:
    """What `NAME_init` writes for a variable: a byte, when all bytes are equal (zero points usually), or a constant."""
    place = plan.storage_of(variable.read)
    data = variable.initial.tobytes()
    if len(set(data)) == 1:
        return StateValue(variable.name, place.offset, len(data), data[0])
    tensor = graph.tensors[variable.read]
    comment = f"initial value of {variable.name} {tensor.describe()}"
    constant = Constant("initial", variable.initial, comment, tensor.dtype.element_bytes)
    name = constants.add(f"t{tensor.id}_initial", constant)
    return StateValue(variable.name, place.offset, len(data), None, name)
