"""Moved to `tflite_support.oracles`."""

from tflite_support.oracles import Answer, Question, ask, is_installed

__all__ = ["Answer", "Question", "ask", "is_installed"]
