"""Optional kernels in C; each has a reference in torch with equal results.

`kernels` (bilateral grids, composite fields, pyramids, scattering, shrinkage) needs a compiler at
install, `jpeg` libjpeg-turbo's headers as well. They are called through ctypes, which releases the
interpreter's lock. IMREP_NATIVE=0 disables them.
"""

import ctypes
import functools
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from imrep._native import signatures

Name = Literal["kernels", "jpeg"]

MISSING: dict[Name, str] = {
    "kernels": "needs a C compiler (Debian: gcc)",
    "jpeg": "needs a C compiler and libjpeg-turbo's headers (Debian: gcc libjpeg62-turbo-dev)",
}

_FOLDER = Path(__file__).parent
_off = os.environ.get("IMREP_NATIVE", "1") in ("0", "no", "off", "false")


def library(name: Name) -> ctypes.CDLL | None:
    """The library, or None where it was not built or is disabled."""
    return None if _off else _load(name)


def built(name: Name) -> bool:
    """Whether the library exists, without loading it."""
    return _path(name) is not None


def state(name: Name) -> str:
    """The state of a library on cards and in benchmarks: "in use" or the reason why not."""
    if not built(name):
        return f"not built: {MISSING[name]}"
    if _off:
        return "switched off by IMREP_NATIVE"
    return "in use" if _load(name) else "of another build and left out"


@contextmanager
def switched_off() -> Iterator[None]:
    """Disable the libraries in the block, in every thread: for tests and benchmarks."""
    global _off
    before, _off = _off, True
    try:
        yield
    finally:
        _off = before


@functools.cache
def _load(name: Name) -> ctypes.CDLL | None:
    path = _path(name)
    if path is None:
        return None
    try:
        loaded = ctypes.CDLL(str(path))
    except OSError:  # built on another system, or libjpeg was removed
        return None
    if signatures.declare(loaded, name):
        return loaded
    warnings.warn(
        f"{path.name} is of another build of imrep and left out. Build it again: `make native`.",
        stacklevel=3,
    )
    return None


def _path(name: Name) -> Path | None:
    paths = _FOLDER.glob(f"_{name}.*")
    return next((path for path in paths if path.suffix in (".so", ".pyd")), None)
