"""Banks of small filters (k, rows, columns), float64: built in, or read from a file."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from imrep.errors import BadParameter
from imrep.ops.fourier.dct import basis

_WAVELENGTHS = (
    2.5,
    5.0,
    10.0,
)  # pixels; with shorter ones no filter would pass the corner frequencies
_ORIENTATIONS = 4
_WIDTH = 0.5  # of the Gaussian, in wavelengths
_RANDOM = 16  # filters


def read(path: str, caller: str) -> tuple[Tensor, Tensor | None]:
    """Kernels (k, h, w) and thresholds (k,), or None, from a file of arrays.

    Raises:
        BadParameter: If the file has another suffix, cannot be read, or holds other arrays.
    """
    readers: dict[str, Callable[[str], Any]] = {
        ".npy": lambda p: {"kernels": _array(p)},
        ".npz": _arrays,
        ".safetensors": lambda p: {k: v.numpy() for k, v in load_file(p).items()},
    }
    suffix = Path(path).suffix.lower()
    if suffix not in readers:
        raise BadParameter(
            f"{caller} needs bank to be {', '.join(BANKS)}, or a .npy, .npz or .safetensors file "
            f"of kernels, got {path!r}."
        )
    try:
        arrays = readers[suffix](path)
    except (OSError, ValueError, BadZipFile, SafetensorError) as error:
        raise BadParameter(f"{caller} cannot read kernels from {path!r}: {error}") from error
    kernels = next(iter(arrays.values())) if len(arrays) == 1 else arrays.get("kernels")
    if kernels is None or kernels.ndim != 3 or not _real(kernels):
        raise BadParameter(
            f"{caller} needs finite real kernels (k, h, w) in {path!r}, got "
            + (
                "no array named kernels."
                if kernels is None
                else f"{kernels.dtype} {kernels.shape}."
            )
        )
    bias = arrays.get("thresholds") if len(arrays) > 1 else None
    if bias is not None and (bias.shape != kernels.shape[:1] or not _real(bias)):
        raise BadParameter(
            f"{caller} needs {len(kernels)} finite real thresholds in {path!r}, one per kernel, "
            f"got {bias.dtype} {bias.shape}."
        )
    return _tensor(kernels), None if bias is None else _tensor(bias)


def _array(path: str) -> Any:
    # Not by `np.load`, which opens whatever archive has this name and leaves a broken one open.
    with Path(path).open("rb") as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def _arrays(path: str) -> dict[str, Any]:
    with Path(path).open("rb") as file, np.lib.npyio.NpzFile(file, allow_pickle=False) as arrays:
        return dict(arrays)


def _real(array: Any) -> bool:
    return bool(array.dtype.kind in "fiu" and array.size and np.isfinite(array).all())


def _tensor(array: Any) -> Tensor:
    return torch.from_numpy(np.asarray(array, dtype=np.float64))


def gabor(size: int) -> Tensor:
    """A Gaussian of sum one, then zero-mean Gabor filters, cosine and sine, of unit norm."""
    position = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    y, x = position[:, None], position[None, :]
    low = torch.exp(-(x**2 + y**2) / (2 * (size / 5) ** 2))
    waves = [low / low.sum()]
    for wavelength in _WAVELENGTHS:
        envelope = torch.exp(-(x**2 + y**2) / (2 * (_WIDTH * wavelength) ** 2))
        for orientation in range(_ORIENTATIONS):
            angle = math.pi * orientation / _ORIENTATIONS
            phase = 2 * math.pi / wavelength * (x * math.cos(angle) + y * math.sin(angle))
            waves += [_unit(envelope, phase.cos()), _unit(envelope, phase.sin())]
    return torch.stack(waves)


def _unit(envelope: Tensor, wave: Tensor) -> Tensor:
    wave = envelope * (wave - (envelope * wave).sum() / envelope.sum())
    return wave / wave.norm()


def random(size: int) -> Tensor:
    """Filters of independent normal values, of unit expected squared norm; seeded."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(_RANDOM, size, size, generator=generator, dtype=torch.float64) / size


def dct(size: int) -> Tensor:
    """The size² products of cosines of the two-dimensional DCT: a tight frame."""
    waves = basis(size, torch.empty(0, dtype=torch.float64))
    return torch.einsum("vy,ux->vuyx", waves, waves).flatten(0, 1)


BANKS: dict[str, Callable[[int], Tensor]] = {"gabor": gabor, "random": random, "dct": dct}
