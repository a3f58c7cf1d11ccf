"""Three kernels between images: linear, Gaussian, and exponential in the distance.

The linear and the Gaussian kernel see vectors that are centred and scaled to length one; the
exponential kernel sees standardised features. Mean, scale and the median distance that sets the
width come from all images, labels unseen; so a matrix of the data set serves every fold.

References:
    B. Schölkopf and A. J. Smola, "Learning with Kernels", MIT Press 2002. (the kernels)
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float, Float32, Float64, Int
from numpy import ndarray as Array

from imrep.errors import BadData

Kernel = Literal["linear", "gaussian", "exponential"]
KERNELS: tuple[Kernel, ...] = get_args(Kernel)
STANDARDISED: Kernel = "exponential"
"""The kernel that sees standardised features."""

_BLOCK = 1 << 24  # numbers of vectors held as float32 at a time
_MEDIAN_IMAGES = 1_000  # whose distances are looked at
_CONSTANT = 1e-12  # share of the energy before centring: float32 round-off of a constant
_MIN_LENGTH = 1e-6  # of the mean squared length: a vector near the mean stays near it
_MIN_FLOOR = 1e-60  # so that equal vectors are not divided by 0; its root is a float32
_MIN_SPREAD = 1e-3  # of the largest standard deviation: a feature below it is left out
CLIP = 5  # standard deviations
EQUAL = 1e-6  # squared distance, of the squared lengths, below which it is round-off
_DISTINCT = 1e-5  # of the largest squared distance: smaller ones are not counted in the median


@dataclass(frozen=True, eq=False)
class Statistics:
    """What turns a vector into the two forms that the kernels see.

    Attributes:
        mean: Mean of each feature.
        scale: Its standard deviation; infinite for a feature that hardly varies.
        floor: Added to a vector's squared length before it is scaled to one.
        energy: Squared length of each vector before the mean was removed.
        length: Squared length of each vector after that.
    """

    mean: Float32[Array, " d"]
    scale: Float32[Array, " d"]
    floor: float
    energy: Float64[Array, " n"]
    length: Float64[Array, " n"]

    @property
    def constant(self) -> bool:
        """Whether all vectors are equal, but for round-off."""
        spread = self.length.sum() > _CONSTANT * self.energy.sum()
        return not (spread and np.isfinite(self.scale).any())


def statistics(vectors: Float[Array, "n d"], spec: str) -> Statistics:
    """Statistics of the vectors, summed in double precision.

    Args:
        vectors: One row an image; may be a memory map, which is read in blocks of rows.
        spec: Representation named in errors.

    Raises:
        BadData: A vector holds NaN or infinity.
    """
    n, d = vectors.shape
    total, energy = np.zeros(d), np.empty(n)
    for rows in _blocks(n, d):
        part = np.asarray(vectors[rows], np.float32)
        check_finite(part, spec, rows.start)
        total += part.sum(0, dtype=np.float64)
        energy[rows] = _squares(part)
    mean = (total / n).astype(np.float32)
    length, variance = np.empty(n), np.zeros(d)
    for rows in _blocks(n, d):
        part = np.asarray(vectors[rows], np.float32) - mean
        length[rows] = _squares(part)
        variance += np.square(part, out=part).sum(0, dtype=np.float64)
    sd = np.sqrt(variance / n)
    scale = np.where(sd > _MIN_SPREAD * sd.max(initial=0), sd, np.inf).astype(np.float32)
    floor = max(_MIN_LENGTH * float(length.mean()), _MIN_FLOOR)
    return Statistics(mean, scale, floor, energy, length)


class Kernels:
    """Kernels among the images of a data set.

    Those of a small data set are computed once, as matrices that every fold slices; those of a
    large one block by block.
    """

    def __init__(self, vectors: Float[Array, "n d"], spec: str, stored: bool = True) -> None:
        """Look at the vectors once.

        Args:
            vectors: One row an image; may be a memory map, which is read in blocks of rows.
            spec: Representation named in errors.
            stored: Whether the matrices of all images are kept.

        Raises:
            BadData: A vector holds NaN or infinity.
        """
        self._vectors = vectors
        self.statistics = statistics(vectors, spec)
        """Mean, scale and lengths of the vectors."""
        self._lengths: dict[Kernel, Float32[Array, " n"]] = {}
        self.widths: dict[Kernel, float] = {}
        """Squared distance that is the unit of a kernel's distances."""
        self._matrices: dict[Kernel, Float32[Array, "n n"]] = {}
        self.constant = self.statistics.constant
        """Whether all vectors are equal, but for round-off."""
        self._measure(np.arange(len(vectors)), stored)

    def __len__(self) -> int:
        return len(self._vectors)

    def constant_in(self, rows: Int[Array, " m"]) -> bool:
        """Whether the vectors of these images are equal, but for round-off."""
        if self.constant:
            return True
        total = np.zeros(self._vectors.shape[1])
        for part in self._pieces(rows):
            centred = np.asarray(self._vectors[part], np.float32) - self.statistics.mean
            total += centred.sum(0, dtype=np.float64)
        length = self.statistics.length[rows].sum() - total @ total / len(rows)
        return bool(length <= _CONSTANT * self.statistics.energy[rows].sum())

    def block(
        self, kernel: Kernel, rows: Int[Array, " a"], columns: Int[Array, " b"]
    ) -> Float32[Array, "a b"]:
        """The kernel between two lists of images, as an array of the caller's own."""
        if kernel in self._matrices:
            return self._matrices[kernel][np.ix_(rows, columns)]
        products = self._products(kernel, rows, columns)
        if kernel == "linear":
            return products
        return decay(kernel, self._distances(kernel, products, rows, columns), self.widths[kernel])

    def _measure(self, every: Int[Array, " n"], stored: bool) -> None:
        """Squared lengths, median distances, and the matrices where they are kept."""
        stats = self.statistics
        self._lengths["gaussian"] = (stats.length / (stats.length + stats.floor)).astype(np.float32)
        parts = [_squares(self.features("exponential", rows)) for rows in self._pieces(every)]
        self._lengths["exponential"] = np.concatenate(parts).astype(np.float32)
        sample = np.linspace(0, len(every) - 1, min(len(every), _MEDIAN_IMAGES)).astype(int)
        rows = every if stored else sample
        for kernel in ("gaussian", "exponential"):
            products = self._products(kernel, rows, rows)
            if stored and kernel == "gaussian":
                self._matrices["linear"] = products.copy()
            squared = self._distances(kernel, products, rows, rows)
            looked_at = squared[np.ix_(sample, sample)] if len(rows) > len(sample) else squared
            self.widths[kernel] = _median(looked_at)
            if stored:
                self._matrices[kernel] = decay(kernel, squared, self.widths[kernel])

    def _distances(
        self,
        kernel: Kernel,
        products: Float32[Array, "a b"],
        rows: Int[Array, " a"],
        columns: Int[Array, " b"],
    ) -> Float32[Array, "a b"]:
        """Squared distances, written over the products; of equal images exactly 0."""
        lengths = self._lengths[kernel]
        squared = squared_distances(products, lengths[rows], lengths[columns])
        squared[rows[:, None] == columns] = 0
        return squared

    def _products(
        self, kernel: Kernel, rows: Int[Array, " a"], columns: Int[Array, " b"]
    ) -> Float32[Array, "a b"]:
        """Inner products of the vectors as the kernel sees them."""
        products = np.empty((len(rows), len(columns)), np.float32)
        same = np.array_equal(rows, columns)
        for start, own in self._numbered(rows):
            first, end = self.features(kernel, own), start + len(own)
            for at, other in self._numbered(columns):
                to = at + len(other)
                if same and to <= start:  # the transpose is there already
                    products[start:end, at:to] = products[at:to, start:end].T
                    continue
                second = first if same and at == start else self.features(kernel, other)
                products[start:end, at:to] = first @ second.T
        return products

    def features(self, kernel: Kernel, rows: Int[Array, " a"]) -> Float32[Array, "a d"]:
        """What the kernel sees of these images."""
        stats, vectors = self.statistics, self._vectors[rows]
        return features(vectors, kernel, stats.mean, stats.scale, stats.floor, stats.length[rows])

    def _pieces(self, rows: Int[Array, " a"]) -> list[Int[Array, " b"]]:
        return [rows[part] for part in _blocks(len(rows), self._vectors.shape[1])]

    def _numbered(self, rows: Int[Array, " a"]) -> list[tuple[int, Int[Array, " b"]]]:
        parts = _blocks(len(rows), self._vectors.shape[1])
        return [(part.start, rows[part]) for part in parts]


def features(
    vectors: Float[Array, "a d"],
    kernel: Kernel,
    mean: Float32[Array, " d"],
    scale: Float32[Array, " d"],
    floor: float,
    length: Float64[Array, " a"] | None = None,
) -> Float32[Array, "a d"]:
    """What a kernel sees of vectors: standardised features, or centred vectors of length one.

    Args:
        vectors: One row an image.
        kernel: The kernel; the exponential one standardises.
        mean: Mean of each feature.
        scale: Its standard deviation; infinite where it is left out.
        floor: Added to the squared length.
        length: Squared length of each centred vector, where it is known.
    """
    part = np.asarray(vectors, np.float32) - mean
    if kernel == "exponential":
        part /= scale
        return np.clip(part, -CLIP, CLIP, out=part)
    length = _squares(part) if length is None else length
    part /= np.sqrt(length + floor).astype(np.float32)[:, None]
    return part


def squared_distances(
    products: Float32[Array, "a b"], first: Float32[Array, " a"], second: Float32[Array, " b"]
) -> Float32[Array, "a b"]:
    """Squared distances from inner products, written over them; of equal vectors exactly 0.

    Round-off would hang on the row, so on the order of the files; the square root of the
    exponential kernel would enlarge it.

    Args:
        products: Inner products of two lists of vectors.
        first: Squared lengths of the first.
        second: Squared lengths of the second.
    """
    lengths = first[:, None] + second
    products *= -2
    products += lengths
    lengths *= np.float32(EQUAL)
    products[products < lengths] = 0
    return products


def decay(kernel: Kernel, squared: Float32[Array, "a b"], width: float) -> Float32[Array, "a b"]:
    """The Gaussian or the exponential kernel, written over the squared distances.

    Args:
        kernel: Which of the two.
        squared: Squared distances.
        width: Squared distance that is their unit.
    """
    squared /= np.float32(width)
    if kernel == "exponential":
        np.sqrt(squared, out=squared)
    np.negative(squared, out=squared)
    return np.exp(squared, out=squared)


def _blocks(n: int, d: int) -> Iterator[slice]:
    """Slices of rows that hold a bounded number of numbers."""
    rows = max(1, _BLOCK // max(d, 1))
    return (slice(start, min(start + rows, n)) for start in range(0, n, rows))


def check_finite(part: Float[Array, "n d"], spec: str, first: int) -> None:
    """Refuse NaN and infinity.

    Raises:
        BadData: There are some; the message names the first image.
    """
    broken = ~np.isfinite(part).all(1)
    if broken.any():
        raise BadData(
            f"{spec} needs finite vectors, got NaN or infinity for {int(broken.sum())} of "
            f"{len(part)} images, image {first + int(broken.argmax())} first. Leave it out of the "
            "comparison."
        )


def _squares(rows: Float32[Array, "n d"]) -> Float64[Array, " n"]:
    return np.einsum("nd,nd->n", rows, rows, dtype=np.float64)


def _median(squared: Float32[Array, "n n"]) -> float:
    """Median of the squared distances that are not those of equal vectors; else 1."""
    above = squared[np.triu_indices(len(squared), 1)]
    distinct = above[above > _DISTINCT * above.max(initial=0)]
    return float(np.median(distinct)) if len(distinct) else 1.0
