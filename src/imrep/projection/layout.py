"""Positions on a plane for vectors, so that images with similar vectors lie close together.

Vectors are divided by their length first: Euclidean distances then order images as the cosine of
`imrep search` does. Long vectors are reduced to their first 100 principal components.
"""

import importlib.util
import logging
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imrep.errors import BadData, BadParameter, ExtraNeeded
from imrep.types import Progress

METHODS = ("pacmap", "umap", "pca")
TITLES = {"pacmap": "PaCMAP", "umap": "UMAP", "pca": "principal components"}
MAX_COMPONENTS = 100  # as PaCMAP reduces to by itself; more are slower and change little
MIN_NEIGHBOURED = 10  # images: with fewer, each is a neighbour of all others
_ITERATIONS = 450  # of PaCMAP, by default
_ITERATION = re.compile(r"Iteration:\s*(\d+)")

Positions = NDArray[np.float32]  # (n, 2), any scale


class Layout(NamedTuple):
    """Where the images lie.

    Attributes:
        positions: float32 (n, 2), any scale; the axes have no meaning, save those of "pca".
        method: One of `METHODS`, by which they were computed.
        notes: Why it is another than requested.
    """

    positions: Positions
    method: str
    notes: tuple[str, ...] = ()


def layout(
    vectors: NDArray[np.float32],
    method: str = "pacmap",
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> Layout:
    """Positions of vectors on a plane; the same vectors and seed give the same positions.

    Fewer than ten images have no neighbourhood to preserve, and are laid out by their principal
    components.

    Args:
        vectors: float32 (n, d), n ≥ 2, finite.
        method: "pacmap", "umap" or "pca".
        seed: Of all random numbers.
        progress: Called with a phrase, the number of iterations done and the total.

    Raises:
        BadData: Fewer than two vectors, or all are equal.
        ExtraNeeded: The package of the method is not installed.

    References:
        Y. Wang, H. Huang, C. Rudin and Y. Shaposhnik, "Understanding how dimension reduction tools
        work", JMLR 22(201), 2021. https://jmlr.org/papers/v22/20-1061.html

        L. McInnes, J. Healy and J. Melville, "UMAP: uniform manifold approximation and projection
        for dimension reduction", 2018. doi:10.48550/arXiv.1802.03426
    """
    count = len(vectors)
    if count < 2:
        raise BadData(f"map needs at least two vectors, got {count}. Embed more images.")
    unit = unit_length(vectors)
    if not np.ptp(unit, axis=0).any():
        raise BadData(f"map needs vectors that differ, got {count:,} of the same direction.")
    if method != "pca":
        require(method)
    notes: tuple[str, ...] = ()
    if method != "pca" and count < MIN_NEIGHBOURED:
        notes = (
            f"{TITLES[method]} needs at least {MIN_NEIGHBOURED} images, got {count}: they are laid "
            "out by their principal components.",
        )
        method = "pca"
    report = progress or (lambda *_: None)
    reduced = _reduced(unit, seed, report)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of numba and of UMAP's seed, about their own speed
        positions = _LAYOUTS[method](reduced, seed, report)
    if not np.isfinite(positions).all():
        raise BadData(f"{TITLES[method]} gave positions that are not finite. Try --method pca.")
    return Layout(np.ascontiguousarray(positions, np.float32), method, notes)


def require(method: str) -> None:
    """Refuse a method whose package is not installed.

    Raises:
        BadParameter: There is no such method.
        ExtraNeeded: Its package is missing.
    """
    if method not in METHODS:
        raise BadParameter(f"map needs a method of {', '.join(METHODS)}, got {method!r}.")
    if method == "pacmap" and importlib.util.find_spec("pacmap") is None:
        raise ExtraNeeded(
            "map needs the package pacmap. pip install 'imrep[map]', or use --method pca."
        )
    if method == "umap" and importlib.util.find_spec("umap") is None:
        raise ExtraNeeded("map by umap needs the package umap-learn. pip install umap-learn")


def unit_length(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    """Vectors divided by their length, float32 (n, d); those of length zero stay zero."""
    rows = np.asarray(vectors, np.float32)
    # By the largest value first, since squares of large values overflow float32.
    scaled = rows / np.maximum(np.abs(rows).max(1, keepdims=True, initial=0), 1e-30)
    length = np.linalg.norm(scaled, axis=1, keepdims=True)
    return scaled / np.where(length > 0, length, 1)


def _reduced(unit: NDArray[np.float32], seed: int, progress: Progress) -> NDArray[np.float32]:
    """The first principal components, (n, ≤ 100)."""
    from sklearn.decomposition import PCA

    count, length = unit.shape
    if length <= MAX_COMPONENTS:
        return unit
    progress(f"principal components of {count:,} vectors of {length:,} numbers", 0, 0)
    components = min(MAX_COMPONENTS, count)
    pca = PCA(components, svd_solver="auto", random_state=seed)
    return np.asarray(pca.fit_transform(unit), np.float32)


def _by_pca(reduced: NDArray[np.float32], seed: int, progress: Progress) -> Positions:
    """The first two principal components; a second of zeros where there is one only."""
    from sklearn.decomposition import PCA

    if reduced.shape[1] == 1:
        return np.column_stack([reduced[:, 0], np.zeros(len(reduced), np.float32)])
    pca = PCA(2, svd_solver="full")
    return np.asarray(pca.fit_transform(reduced), np.float32)


def _by_pacmap(reduced: NDArray[np.float32], seed: int, progress: Progress) -> Positions:
    # It warns of its own seed, and of small sets, through logging.
    logging.getLogger("pacmap.pacmap").setLevel(logging.ERROR)
    import pacmap

    progress(f"a map of {len(reduced):,} images by PaCMAP", 0, 0)
    # Two columns at least, since it starts from the first two components.
    padded = np.pad(reduced, ((0, 0), (0, max(0, 2 - reduced.shape[1]))))
    reducer = pacmap.PaCMAP(n_components=2, random_state=seed, verbose=True, apply_pca=False)
    with redirect_stdout(_Iterations(progress)), _state_of_numpy():
        return np.asarray(reducer.fit_transform(padded), np.float32)


def _by_umap(reduced: NDArray[np.float32], seed: int, progress: Progress) -> Positions:
    import umap

    progress(f"a map of {len(reduced):,} images by UMAP", 0, 0)
    reducer = umap.UMAP(n_components=2, random_state=seed, n_jobs=1)
    return np.asarray(reducer.fit_transform(reduced), np.float32)


class _Iterations(StringIO):
    """A stream that PaCMAP prints its iterations to, the only form in which it reports them."""

    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self._progress = progress
        self._stdout = sys.stdout

    def write(self, text: str) -> int:
        if match := _ITERATION.search(text):
            with redirect_stdout(self._stdout):  # the caller may print
                self._progress("PaCMAP", min(int(match[1]), _ITERATIONS), _ITERATIONS)
        return len(text)


@contextmanager
def _state_of_numpy() -> Iterator[None]:
    """A context after which numpy's global random numbers go on as if nothing had drawn any."""
    state = np.random.get_state()
    try:
        yield
    finally:
        np.random.set_state(state)


_LAYOUTS: dict[str, Callable[[NDArray[np.float32], int, Progress], Positions]] = {
    "pacmap": _by_pacmap,
    "umap": _by_umap,
    "pca": _by_pca,
}
