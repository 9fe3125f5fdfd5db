"""The references that outputs are compared with, by name. Nothing of them is loaded here: the command line lists them."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Oracle:
    """Where a reference comes from: the module that it is in, and the distribution that `pip` installs."""

    module: str
    distribution: str


ORACLES: Mapping[str, Oracle] = {
    "tflite-runtime": Oracle("tflite_runtime", "tflite-runtime"),
    "tflm": Oracle("tflite_micro", "tflite-micro"),
    "litert": Oracle("ai_edge_litert", "ai-edge-litert"),
}
"""Independent references, in the order in which we trust them (docs/adr/0002)."""

OWN_REFERENCE = "evaluate"
"""The operators' own references in numpy. No independent witness, but the only one that has a user's operators."""
