"""Kernels in C, where they could be built; each has a twin in torch with equal numbers.

`kernels` (bilateral grids, pyramids, scattering, shrinkage) needs a compiler at install, `jpeg`
libjpeg-turbo's headers as well. They are called through ctypes, which frees the interpreter's lock
meanwhile. IMREP_NATIVE=0 leaves them out.
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
    """The library, or None where it was not built or is switched off."""
    return None if _off else _load(name)


def built(name: Name) -> bool:
    """Whether the library is there, without loading it."""
    return _path(name) is not None


def state(name: Name) -> str:
    """What stands beside `native` on cards and in benchmarks: "in use" or why it is not."""
    if not built(name):
        return f"not built: {MISSING[name]}"
    if _off:
        return "switched off by IMREP_NATIVE"
    return "in use" if _load(name) else "of another build and left out"


@contextmanager
def switched_off() -> Iterator[None]:
    """Leave the libraries out meanwhile, in every thread: for tests and benchmarks."""
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
        found = ctypes.CDLL(str(path))
    except OSError:  # built on another system, or libjpeg has gone since
        return None
    if signatures.declare(found, name):
        return found
    warnings.warn(
        f"{path.name} is of another build of imrep and left out. Build it again: `make native`.",
        stacklevel=3,
    )
    return None


def _path(name: Name) -> Path | None:
    found = _FOLDER.glob(f"_{name}.*")
    return next((path for path in found if path.suffix in (".so", ".pyd")), None)
