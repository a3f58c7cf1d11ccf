"""Vectors in the form the probes take: their Gram matrix, or at most 1,024 coordinates.

Centring on the training images and scaling to length one need only inner products, so one Gram
matrix of the data set serves every fold, the probe, the neighbours and the decoder. Above some
1,600 images the matrix is larger than the vectors; these are then projected on the directions in
which they vary most.

References:
    N. Halko, P. G. Martinsson and J. A. Tropp, "Finding structure with randomness", SIAM Review
    53(2), 2011. doi:10.1137/090771806 (the range finder)
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
"""Largest number of coordinates of larger data sets."""

_RANGE_FINDER_IMAGES = 3_000  # that the range finder estimates the directions from
_BLOCK = 1 << 23  # numbers held in float64 at a time
_CONSTANT = 1e-12  # share of the energy before centring: float32 round-off of a constant
_MIN_LENGTH = 1e-6  # of the mean squared length: a vector near the mean stays near it


@dataclass(frozen=True)
class Gram:
    """Inner products of centred vectors.

    Attributes:
        products: Of every two images, after the mean of all vectors was removed.
        energy: Squared length of each vector before that.
    """

    products: Float64[Array, "n n"]
    energy: Float64[Array, " n"]

    def take(self, images: Int[Array, " m"]) -> "Gram":
        """The same for a subset of the images."""
        return Gram(self.products[np.ix_(images, images)], self.energy[images])

    def unit_kernel(
        self, train: Int[Array, " t"], test: Int[Array, " q"]
    ) -> tuple[Float64[Array, "t t"], Float64[Array, "q t"]] | None:
        """Cosines among the training images, and of the test images with them.

        Vectors are centred on the training images first. None if these have a constant vector.
        """
        inner, cross = self.products[np.ix_(train, train)], self.products[np.ix_(test, train)]
        # |x - m|² = x·x - 2 x·m + m·m, m the mean of the training vectors: only products needed
        row, across = inner.mean(1), cross.mean(1)
        mean = row.mean()
        length = np.maximum(inner.diagonal() - 2 * row + mean, 0)
        if length.sum() <= _CONSTANT * self.energy[train].sum():
            return None
        floor = _MIN_LENGTH * length.mean()
        test_length = np.maximum(self.products.diagonal()[test] - 2 * across + mean, 0)
        length, test_length = np.sqrt(length + floor), np.sqrt(test_length + floor)
        # (x - m)·(y - m) = x·y - x·m - y·m + m·m; `row` and `across` are the products with m.
        inner -= row[:, None] + (row - mean)
        cross -= across[:, None] + (row - mean)
        inner /= length[:, None] * length
        cross /= test_length[:, None] * length
        return inner, cross


@dataclass(frozen=True)
class Coordinates:
    """Centred vectors in the directions in which they vary most.

    Attributes:
        values: At most 1,024 numbers an image.
        energy: Squared length of each vector before centring.
    """

    values: Float32[Array, "n d"]
    energy: Float64[Array, " n"]

    def unit(
        self, train: Int[Array, " t"], test: Int[Array, " q"]
    ) -> tuple[Float32[Array, "t d"], Float32[Array, "q d"]] | None:
        """Training and test vectors, centred on the former and of length one.

        None if the training vectors are constant.
        """
        first, second = self.values[train], self.values[test]
        mean = first.mean(0, dtype=np.float64).astype(np.float32)
        first -= mean
        second -= mean
        length, test_length = _squares(first), _squares(second)
        if length.sum(dtype=np.float64) <= _CONSTANT * self.energy[train].sum():
            return None
        floor = _MIN_LENGTH * length.mean()
        first /= np.sqrt(length + floor)[:, None]
        second /= np.sqrt(test_length + floor)[:, None]
        return first, second

    def unit_kernel(
        self, train: Int[Array, " t"], test: Int[Array, " q"]
    ) -> tuple[Float32[Array, "t t"], Float32[Array, "q t"]] | None:
        """Cosines among the training images, and of the test images with them."""
        unit = self.unit(train, test)
        return unit and (unit[0] @ unit[0].T, unit[1] @ unit[0].T)


View = Gram | Coordinates


def view(vectors: Float[Array, "n d"], spec: str, largest_train: int) -> View:
    """The vectors in the form that suits the number of images.

    Args:
        vectors: One row an image; may be a memory map, which is read in parts.
        spec: Representation named in errors.
        largest_train: Images in the largest training part.

    Raises:
        BadData: A vector holds NaN or infinity.
    """
    return (gram if largest_train <= DUAL else coordinates)(vectors, spec)


def gram(vectors: Float[Array, "n d"], spec: str) -> Gram:
    """Inner products of the vectors without their mean, summed in double precision.

    Args:
        vectors: One row an image.
        spec: Representation named in errors.

    Raises:
        BadData: A vector holds NaN or infinity.
    """
    n = len(vectors)
    products, energy = np.zeros((n, n)), np.zeros(n)
    columns = max(1, _BLOCK // max(n, 1))
    for start in range(0, vectors.shape[1], columns):
        part = np.asarray(vectors[:, start : start + columns], np.float64)
        _check_finite(part, spec, 0)
        energy += _squares(part)
        part -= part.mean(0)
        products += part @ part.T  # in blocks of columns: only a block is in float64
    return Gram(products, energy)


def coordinates(vectors: Float[Array, "n d"], spec: str, seed: int = 0) -> Coordinates:
    """At most 1,024 coordinates of each vector, without the mean.

    Args:
        vectors: One row an image; read a block of rows at a time.
        spec: Representation named in errors.
        seed: Seed of the images and the directions that start the range finder.

    Raises:
        BadData: A vector holds NaN or infinity.
    """
    n, d = vectors.shape
    energy, total = np.empty(n), np.zeros(d)
    for rows in _blocks(n, d):
        part = np.asarray(vectors[rows], np.float64)
        _check_finite(part, spec, rows.start)
        energy[rows] = _squares(part)
        total += part.sum(0)
    mean = total / n
    basis = range_finder(vectors, mean, seed) if d > WIDTH else None
    values = np.empty((n, min(d, WIDTH)), np.float32)
    for rows in _blocks(n, d):
        part = (np.asarray(vectors[rows], np.float64) - mean).astype(np.float32)
        values[rows] = part if basis is None else part @ basis
    return Coordinates(values, energy)


def range_finder(
    vectors: Float[Array, "n d"], mean: Float64[Array, " d"], seed: int = 0
) -> Float32[Array, "d w"]:
    """Orthonormal directions of largest variation, estimated from at most 3,000 vectors."""
    rng = np.random.default_rng(seed)
    subset = np.sort(rng.permutation(len(vectors))[:_RANGE_FINDER_IMAGES])
    sample = (vectors[subset] - mean.astype(np.float32)).astype(np.float32, copy=False)
    # one power iteration, Xᵀ(X Ω): X Ω alone would mix in directions of little variation
    start = rng.standard_normal((sample.shape[1], WIDTH), np.float32)
    return np.linalg.qr(sample.T @ (sample @ start))[0].astype(np.float32, copy=False)


def joint_kernel(
    views: Sequence[View], train: Int[Array, " t"], test: Int[Array, " q"]
) -> tuple[Array, Array] | None:
    """Cosines of several views side by side, each of length one: the mean of their cosines.

    Views with constant training vectors are left out; None if no other remains.
    """
    # of unit vectors scaled by 1/√v and put side by side, cosines are the mean of the views'
    kernels = [kernel for v in views if (kernel := v.unit_kernel(train, test))]
    if len(kernels) < 2:
        return kernels[0] if kernels else None
    inner, cross = (np.mean(parts, axis=0) for parts in zip(*kernels, strict=True))
    return inner, cross


def joint_unit(
    views: Sequence[Coordinates], train: Int[Array, " t"], test: Int[Array, " q"]
) -> tuple[Float32[Array, "t d"], Float32[Array, "q d"]] | None:
    """Several views side by side as one vector of length one, at most 1,024 numbers wide.

    Views with constant training vectors are left out; None if no other remains.
    """
    units = [unit for v in views if (unit := v.unit(train, test))]
    if len(units) < 2:
        return units[0] if units else None
    scale = np.float32(len(units) ** -0.5)
    first, second = (np.concatenate(parts, 1) * scale for parts in zip(*units, strict=True))
    if first.shape[1] <= WIDTH:
        return first, second
    basis = range_finder(first, np.zeros(first.shape[1]))
    return first @ basis, second @ basis


def _blocks(n: int, d: int) -> Iterator[slice]:
    rows = max(1, _BLOCK // max(d, 1))
    return (slice(start, min(start + rows, n)) for start in range(0, n, rows))


def _squares(rows: Float[Array, "n d"]) -> Float[Array, " n"]:
    return np.einsum("nd,nd->n", rows, rows)


def _check_finite(part: Float[Array, "n d"], spec: str, first: int) -> None:
    broken = ~np.isfinite(part).all(1)
    if broken.any():
        raise BadData(
            f"{spec} needs finite vectors, got NaN or infinity for {int(broken.sum())} of "
            f"{len(part)} images, image {first + int(broken.argmax())} first. Leave it out of the "
            "comparison."
        )
