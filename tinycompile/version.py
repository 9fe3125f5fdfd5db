"""The version of the package: the only place that states it (see `pyproject.toml`)."""

__version__ = "0.1.0"
