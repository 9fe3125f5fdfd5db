"""Where builds and runs leave their files."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def workspace(kept: Path | None = None) -> Iterator[Path]:
    """The folder `kept`, which stays, or a temporary one, which is removed."""
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept
        return
    with tempfile.TemporaryDirectory(prefix="tinycompile-") as folder:
        yield Path(folder)
