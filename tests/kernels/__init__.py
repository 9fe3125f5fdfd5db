"""Kernels against the numpy reference, on the host and on the emulator."""
