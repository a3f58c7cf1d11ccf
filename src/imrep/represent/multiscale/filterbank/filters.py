"""Banks of small filters (k, rows, columns), in double precision: made, or read from a file."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from imrep.errors import BadParameter
from imrep.ops.fourier.dct import basis

_WAVELENGTHS = (2.5, 5.0, 10.0)  # pixels; the shortest that still leaves the corners of the plane
_ORIENTATIONS = 4
_WIDTH = 0.5  # of the Gaussian, in wavelengths
_RANDOM = 16  # filters


def read(path: str, who: str) -> tuple[Tensor, Tensor | None]:
    """Kernels (k, h, w) and thresholds (k,), where there are any, from a file of arrays."""
    readers: dict[str, Callable[[str], Any]] = {
        ".npy": lambda p: {"kernels": np.load(p, allow_pickle=False)},
        ".npz": lambda p: dict(np.load(p, allow_pickle=False)),
        ".safetensors": lambda p: {k: v.numpy() for k, v in load_file(p).items()},
    }
    suffix = Path(path).suffix.lower()
    if suffix not in readers:
        raise BadParameter(
            f"{who} needs bank to be {', '.join(MADE)}, or a .npy, .npz or .safetensors file of "
            f"kernels, got {path!r}."
        )
    try:
        arrays = readers[suffix](path)
    except (OSError, ValueError, SafetensorError) as error:
        raise BadParameter(f"{who} cannot read kernels from {path!r}: {error}") from error
    found = next(iter(arrays.values())) if len(arrays) == 1 else arrays.get("kernels")
    if found is None or found.ndim != 3 or not _real(found):
        raise BadParameter(
            f"{who} needs finite real kernels (k, h, w) in {path!r}, got "
            + ("no array named kernels." if found is None else f"{found.dtype} {found.shape}.")
        )
    bias = arrays.get("thresholds") if len(arrays) > 1 else None
    if bias is not None and (bias.shape != found.shape[:1] or not _real(bias)):
        raise BadParameter(
            f"{who} needs {len(found)} finite real thresholds in {path!r}, one per kernel, got "
            f"{bias.dtype} {bias.shape}."
        )
    return _tensor(found), None if bias is None else _tensor(bias)


def _real(array: Any) -> bool:
    return bool(array.dtype.kind in "fiu" and array.size and np.isfinite(array).all())


def _tensor(array: Any) -> Tensor:
    return torch.from_numpy(np.asarray(array, dtype=np.float64))


def gabor(size: int) -> Tensor:
    """A Gaussian of sum one, then waves without mean under Gaussians, each of length one."""
    place = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    y, x = place[:, None], place[None, :]
    low = torch.exp(-(x**2 + y**2) / (2 * (size / 5) ** 2))
    waves = [low / low.sum()]
    for wavelength in _WAVELENGTHS:
        hull = torch.exp(-(x**2 + y**2) / (2 * (_WIDTH * wavelength) ** 2))
        for turn in range(_ORIENTATIONS):
            angle = math.pi * turn / _ORIENTATIONS
            phase = 2 * math.pi / wavelength * (x * math.cos(angle) + y * math.sin(angle))
            waves += [_unit(hull, phase.cos()), _unit(hull, phase.sin())]
    return torch.stack(waves)


def _unit(hull: Tensor, wave: Tensor) -> Tensor:
    wave = hull * (wave - (hull * wave).sum() / hull.sum())
    return wave / wave.norm()


def random(size: int) -> Tensor:
    """Independent normal numbers, each filter of length one on average; the same at every call."""
    dice = torch.Generator().manual_seed(0)
    return torch.randn(_RANDOM, size, size, generator=dice, dtype=torch.float64) / size


def dct(size: int) -> Tensor:
    """Products of cosines, vertical frequency by vertical frequency: a tight frame."""
    waves = basis(size, torch.empty(0, dtype=torch.float64))
    return torch.einsum("vy,ux->vuyx", waves, waves).flatten(0, 1)


MADE: dict[str, Callable[[int], Tensor]] = {"gabor": gabor, "random": random, "dct": dct}
