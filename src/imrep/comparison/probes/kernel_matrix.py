"""Codes as the probe sees them: all inner products of a folder, or at most 1,024 coordinates.

Centring on the training images and scaling to length one need only inner products, so one Gram
matrix of the whole folder serves every fold, the probe, the neighbours and the decoder. Above
some 1,600 images the matrix is larger than the codes, and these are kept instead, turned to the
directions in which they vary most.

References:
    N. Halko, P. G. Martinsson and J. A. Tropp, "Finding structure with randomness", SIAM Review
    53(2), 2011. doi:10.1137/090771806 (the range finder; a plain random projection loses 1-2
    points of accuracy, this none)
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Float64, Int
from numpy import ndarray as Array

from imrep.errors import BadData

DUAL = 1_280
"""Largest training part that is solved through its inner products."""
WIDTH = 1_024
"""Coordinates kept of larger folders."""

_FITTED_ON = 3_000  # images that show the range finder where codes vary
_BLOCK = 1 << 23  # numbers held in float64 at a time
_CONSTANT = 1e-12  # of the energy before centring: what float32 leaves of a constant
_LEAST_LENGTH = 1e-6  # of the mean squared length: a code near the mean stays near it


@dataclass(frozen=True)
class Gram:
    """Inner products of centred codes.

    Attributes:
        products: Of every two images, after the mean of all codes was removed.
        energy: Squared length of each code before that.
    """

    products: Float64[Array, "n n"]
    energy: Float64[Array, " n"]

    def take(self, images: Int[Array, " m"]) -> "Gram":
        """The same for some of the images."""
        return Gram(self.products[np.ix_(images, images)], self.energy[images])

    def unit_kernel(
        self, train: Int[Array, " t"], test: Int[Array, " q"]
    ) -> tuple[Float64[Array, "t t"], Float64[Array, "q t"]] | None:
        """Cosines among the training images, and of the test images with them.

        Codes are centred on the training images first. None if these all have the same code.
        """
        inner, cross = self.products[np.ix_(train, train)], self.products[np.ix_(test, train)]
        row, across = inner.mean(1), cross.mean(1)
        mean = row.mean()
        length = np.maximum(inner.diagonal() - 2 * row + mean, 0)
        if length.sum() <= _CONSTANT * self.energy[train].sum():
            return None
        least = _LEAST_LENGTH * length.mean()
        away = np.maximum(self.products.diagonal()[test] - 2 * across + mean, 0)
        length, away = np.sqrt(length + least), np.sqrt(away + least)
        inner -= row[:, None] + (row - mean)
        cross -= across[:, None] + (row - mean)
        inner /= length[:, None] * length
        cross /= away[:, None] * length
        return inner, cross


@dataclass(frozen=True)
class Coordinates:
    """Centred codes in the directions in which they vary most.

    Attributes:
        values: At most 1,024 numbers an image.
        energy: Squared length of each code before centring.
    """

    values: Float32[Array, "n d"]
    energy: Float64[Array, " n"]

    def unit(
        self, train: Int[Array, " t"], test: Int[Array, " q"]
    ) -> tuple[Float32[Array, "t d"], Float32[Array, "q d"]] | None:
        """Training and test codes, centred on the former and of length one.

        None if the training codes are all the same.
        """
        known, asked = self.values[train], self.values[test]
        mean = known.mean(0, dtype=np.float64).astype(np.float32)
        known -= mean
        asked -= mean
        length, away = _squares(known), _squares(asked)
        if length.sum(dtype=np.float64) <= _CONSTANT * self.energy[train].sum():
            return None
        least = _LEAST_LENGTH * length.mean()
        known /= np.sqrt(length + least)[:, None]
        asked /= np.sqrt(away + least)[:, None]
        return known, asked

    def unit_kernel(
        self, train: Int[Array, " t"], test: Int[Array, " q"]
    ) -> tuple[Float32[Array, "t t"], Float32[Array, "q t"]] | None:
        """Cosines among the training images, and of the test images with them."""
        unit = self.unit(train, test)
        return unit and (unit[0] @ unit[0].T, unit[1] @ unit[0].T)


View = Gram | Coordinates


def view(codes: Float[Array, "n d"], who: str, largest_train: int) -> View:
    """The codes in the form that suits the size of the folder.

    Args:
        codes: One row an image; may be a memory map, which is read in parts.
        who: Representation to name if a code cannot be used.
        largest_train: Images in the largest training part.

    Raises:
        BadData: if a code holds NaN or infinity.
    """
    return (gram if largest_train <= DUAL else coordinates)(codes, who)


def gram(codes: Float[Array, "n d"], who: str) -> Gram:
    """Inner products of the codes without their mean, summed in double precision.

    Args:
        codes: One row an image.
        who: Representation to name if a code cannot be used.

    Raises:
        BadData: if a code holds NaN or infinity.
    """
    n = len(codes)
    products, energy = np.zeros((n, n)), np.zeros(n)
    wide = max(1, _BLOCK // max(n, 1))
    for start in range(0, codes.shape[1], wide):
        part = np.asarray(codes[:, start : start + wide], np.float64)
        _finite(part, who, 0)
        energy += _squares(part)
        part -= part.mean(0)
        products += part @ part.T
    return Gram(products, energy)


def coordinates(codes: Float[Array, "n d"], who: str, seed: int = 0) -> Coordinates:
    """At most 1,024 coordinates of each code, without the mean.

    Args:
        codes: One row an image; read a block of rows at a time.
        who: Representation to name if a code cannot be used.
        seed: Seed of the images and the directions that start the range finder.

    Raises:
        BadData: if a code holds NaN or infinity.
    """
    n, d = codes.shape
    energy, total = np.empty(n), np.zeros(d)
    for rows in _blocks(n, d):
        part = np.asarray(codes[rows], np.float64)
        _finite(part, who, rows.start)
        energy[rows] = _squares(part)
        total += part.sum(0)
    mean = total / n
    basis = range_finder(codes, mean, seed) if d > WIDTH else None
    values = np.empty((n, min(d, WIDTH)), np.float32)
    for rows in _blocks(n, d):
        part = (np.asarray(codes[rows], np.float64) - mean).astype(np.float32)
        values[rows] = part if basis is None else part @ basis
    return Coordinates(values, energy)


def range_finder(
    codes: Float[Array, "n d"], mean: Float64[Array, " d"], seed: int = 0
) -> Float32[Array, "d w"]:
    """Orthonormal directions that hold most of the codes' variation, from at most 3,000 of them."""
    rng = np.random.default_rng(seed)
    some = np.sort(rng.permutation(len(codes))[:_FITTED_ON])
    sample = (codes[some] - mean.astype(np.float32)).astype(np.float32, copy=False)
    start = rng.standard_normal((sample.shape[1], WIDTH), np.float32)
    return np.linalg.qr(sample.T @ (sample @ start))[0].astype(np.float32, copy=False)


def joint_kernel(
    views: Sequence[View], train: Int[Array, " t"], test: Int[Array, " q"]
) -> tuple[Array, Array] | None:
    """Cosines of several views side by side, each of length one: the mean of their cosines.

    Views whose training codes are all the same are left out; None if no other remains.
    """
    kernels = [kernel for v in views if (kernel := v.unit_kernel(train, test))]
    if len(kernels) < 2:
        return kernels[0] if kernels else None
    inner, cross = (np.mean(parts, axis=0) for parts in zip(*kernels, strict=True))
    return inner, cross


def joint_unit(
    views: Sequence[Coordinates], train: Int[Array, " t"], test: Int[Array, " q"]
) -> tuple[Float32[Array, "t d"], Float32[Array, "q d"]] | None:
    """Several views side by side as one code of length one, at most 1,024 numbers wide.

    Views whose training codes are all the same are left out; None if no other remains.
    """
    units = [unit for v in views if (unit := v.unit(train, test))]
    if len(units) < 2:
        return units[0] if units else None
    scale = np.float32(len(units) ** -0.5)
    known, asked = (np.concatenate(parts, 1) * scale for parts in zip(*units, strict=True))
    if known.shape[1] <= WIDTH:
        return known, asked
    basis = range_finder(known, np.zeros(known.shape[1]))
    return known @ basis, asked @ basis


def _blocks(n: int, d: int) -> Iterator[slice]:
    rows = max(1, _BLOCK // max(d, 1))
    return (slice(start, min(start + rows, n)) for start in range(0, n, rows))


def _squares(rows: Float[Array, "n d"]) -> Float[Array, " n"]:
    return np.einsum("nd,nd->n", rows, rows)


def _finite(part: Float[Array, "n d"], who: str, first: int) -> None:
    bad = ~np.isfinite(part).all(1)
    if bad.any():
        raise BadData(
            f"{who} needs finite codes, got NaN or infinity for {int(bad.sum())} of {len(part)} "
            f"images, image {first + int(bad.argmax())} first. Leave it out of the comparison."
        )
