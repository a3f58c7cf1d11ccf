"""Kernels in C, where they could be built; each has a twin in torch with equal numbers.

`kernels` (bilateral grids, pyramids, scattering, shrinkage) needs a compiler at install, `jpeg`
libjpeg-turbo's headers as well. They are called through ctypes, which frees the interpreter's lock
meanwhile. IMREP_NATIVE=0 leaves them out.
"""

import ctypes
import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

Name = Literal["kernels", "jpeg"]

MISSING: dict[Name, str] = {
    "kernels": "needs a C compiler (Debian: gcc)",
    "jpeg": "needs a C compiler and libjpeg-turbo's headers (Debian: gcc libjpeg62-turbo-dev)",
}

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
    return "switched off by IMREP_NATIVE" if _off else "in use"


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
    try:
        return ctypes.CDLL(str(path)) if path else None
    except OSError:  # built on another system, or libjpeg has gone since
        return None


def _path(name: Name) -> Path | None:
    found = Path(__file__).parent.glob(f"_{name}.*")
    return next((path for path in found if path.suffix in (".so", ".pyd")), None)
