"""Moved to `tflite_support.builder`."""

from tflite_support.builder import Builder, Spec

__all__ = ["Builder", "Spec"]
