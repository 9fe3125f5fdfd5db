"""Writes small .tflite models and asks the references what they compute: for tests, benchmarks and examples."""
