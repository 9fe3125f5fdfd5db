"""What is legal in a graph, as code. It runs after import and after every pass; a violation is our own bug."""

from tinycompile.ir.graph import Graph


def verify(graph: Graph) -> None:
    """Assert the invariants of the representation.

    Ids agree with keys, every operand exists, nodes stand in an executable order, each tensor is written at most once,
    constants have the shape and type that their tensor says, graph outputs are written (or are inputs or constants), and so
    is what the variables will hold.
    """
    for key, tensor in graph.tensors.items():
        assert key == tensor.id, f"tensor {tensor.name!r} has id {tensor.id} under key {key}"
        assert all(extent >= 0 for extent in tensor.shape), f"tensor {tensor.name!r} has a negative extent"
        if tensor.data is not None:
            assert tensor.data.shape == tensor.shape, (
                f"constant {tensor.name!r}: {tensor.data.shape} != {tensor.shape}"
            )
            assert tensor.data.dtype == tensor.dtype.numpy, f"constant {tensor.name!r}: {tensor.data.dtype}"
    assert len({node.id for node in graph.nodes}) == len(graph.nodes), "two nodes share an id"
    known = set(graph.given) | {key for key, tensor in graph.tensors.items() if tensor.is_constant}
    for node in graph.nodes:
        for operand in node.inputs:
            assert operand is None or operand in known, f"{node.place}: operand {operand} is not computed yet"
        for result in node.outputs:
            assert result in graph.tensors, f"{node.place}: result {result} is no tensor"
            assert result not in known, f"{node.place}: result {result} is written twice"
            known.add(result)
    missing = [tensor for tensor in graph.kept if tensor not in known]
    assert not missing, f"graph outputs or variables {missing} are never written"
    _verify_variables(graph)


def _verify_variables(graph: Graph) -> None:
    """Each variable has tensors of its own; what it is assigned is written by an operator and read by nobody."""
    own = [tensor for variable in graph.variables for tensor in (variable.read, variable.assigned)]
    assert len({*own, *graph.inputs}) == len(own) + len(graph.inputs), (
        "two variables or inputs share a tensor"
    )
    for variable in graph.variables:
        for key in (variable.read, variable.assigned):
            tensor = graph.tensors[key]
            found, wanted = (
                (tensor.shape, tensor.dtype.numpy),
                (variable.initial.shape, variable.initial.dtype),
            )
            assert found == wanted, f"variable {variable.name!r}: {found} != {wanted}"
        assert variable.assigned in graph.producers, f"variable {variable.name!r} is never assigned"
        is_read = graph.consumers[variable.assigned] or variable.assigned in graph.outputs
        assert not is_read, f"variable {variable.name!r}: what it will hold is read already"
