"""The front end: bytes of a .tflite file -> Graph, or one ModelError with everything that is wrong with the file."""

from tinycompile.frontend.importer import read_model

__all__ = ["read_model"]
