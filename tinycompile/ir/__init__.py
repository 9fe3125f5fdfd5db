"""The intermediate representation: immutable tensors, operators and graphs, and the edits that make new ones."""

from tinycompile.ir.edit import next_node_id, next_tensor_id, prune, rename_uses, with_nodes, with_tensors
from tinycompile.ir.graph import Graph
from tinycompile.ir.text import to_text
from tinycompile.ir.types import (
    Array,
    Attributes,
    Change,
    DType,
    Node,
    Options,
    Part,
    Quantization,
    Tensor,
    Variable,
)
from tinycompile.ir.verify import verify

__all__ = [
    "Array", "Attributes", "Change", "DType", "Graph", "Node", "Options", "Part", "Quantization", "Tensor", "Variable",
    "next_node_id", "next_tensor_id", "prune", "rename_uses", "to_text", "verify", "with_nodes", "with_tensors",
]  # fmt: skip
