"""JPEGs of every kind for tests: written by libjpeg-turbo itself, through `jpeg_written.c`."""

import ctypes
import functools
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pytest

GRAY, RGB, YCBCR, CMYK, YCCK = 1, 2, 3, 4, 5
HOW = {"arithmetic": 1, "progressive": 2, "separate": 4, "restarts": 8}
_HERE = Path(__file__).parent


def compiled(source, out, *flags):
    """A C file of the tests, built; skips the test where there is no compiler or header."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if not compiler:
        pytest.skip("no C compiler")
    command = [compiler, "-std=gnu11", *flags, str(_HERE / source), "-o", str(out), "-ljpeg", "-lm"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"cannot build {source}: {done.stderr[-200:]}")
    return out


@functools.cache
def _writer():
    folder = tempfile.TemporaryDirectory()
    library = ctypes.CDLL(
        str(compiled("jpeg_written.c", Path(folder.name) / "written.so", "-fPIC", "-shared"))
    )
    library.written.restype = ctypes.c_size_t
    return library, folder


def noise(height, width, planes=3, seed=0):
    """Smooth samples with grain, uint8 (height, width, planes)."""
    dice = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / 20
    waves = np.stack([np.sin((c + 1) * x + y) + np.cos(x - c * y) for c in range(planes)], -1)
    return np.clip(128 + 45 * waves + dice.normal(0, 6, waves.shape), 0, 255).astype(np.uint8)


def quantisers(planes=3, least=3):
    """Tables that differ from plane to plane, (planes, 8, 8)."""
    v, u = np.mgrid[:8, :8]
    return np.stack([least + c + (c + 1) * (2 * v + u) for c in range(planes)]).astype(np.uint32)


def written(samples, *how, space=RGB, stored=YCBCR, factors=None, tables=None):
    """The bytes of a JPEG.

    `factors` are (vertical, horizontal) for each plane, as `imrep.jpeg` gives them; `how` holds
    names out of HOW.
    """
    height, width, planes = samples.shape
    factors = factors or ((1, 1),) * planes
    tables = quantisers(planes) if tables is None else np.asarray(tables, np.uint32)
    flat = (ctypes.c_int * (2 * planes))(*(n for f in factors for n in f[::-1]))
    out = np.empty(100_000 + samples.size * 4, np.uint8)
    samples, tables = np.ascontiguousarray(samples), np.ascontiguousarray(tables)
    count = _writer()[0].written(
        samples.ctypes.data_as(ctypes.c_void_p), width, height, planes, space, stored, flat,
        tables.ctypes.data_as(ctypes.c_void_p), sum(HOW[name] for name in how),
        out.ctypes.data_as(ctypes.c_void_p), ctypes.c_size_t(out.size),
    )  # fmt: skip
    assert count
    return out[:count].tobytes()


def with_orientation(data, orientation):
    """The same file with an EXIF segment that asks for a turn."""
    tiff = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01" + bytes([0, orientation]) + b"\0" * 6
    segment = b"Exif\0\0" + tiff
    return data[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment + data[2:]
