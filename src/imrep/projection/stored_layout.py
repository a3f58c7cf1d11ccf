"""Layouts in the cache: a map of the same vectors is laid out once, which takes minutes."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imrep.embedding import cache
from imrep.io.digests import digest
from imrep.projection import faithfulness
from imrep.projection.faithfulness import Faithfulness
from imrep.projection.layout import Layout, layout, require
from imrep.types import Progress

_REVISION = 1  # raised when positions or measures change
_PACKAGES = {"pacmap": "pacmap", "umap": "umap-learn", "pca": "scikit-learn"}


def laid_out(
    vectors: NDArray[np.float32],
    method: str,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> tuple[Layout, Faithfulness]:
    """Positions of vectors and how faithful they are, from the cache where it has them.

    Args:
        vectors: float32 (n, d), n ≥ 2, finite.
        method: One of `layout.METHODS`.
        seed: Of all random numbers.
        progress: Called with a phrase, the number done and the total.

    Raises:
        BadData: As `layout`.
        ExtraNeeded: As `layout`.
    """
    require(method)
    content = digest(np.ascontiguousarray(vectors).data.cast("B") if vectors.size else b"")
    key = cache.key(_REVISION, vectors.shape, content, method, seed, _version(method))
    folder = cache.folder("maps", key)
    # The positions before they are measured, which takes long too: an interrupt loses neither.
    placed = _positions(folder / "layout.npz", vectors, method, seed, progress)
    path = folder / "measures.npz"
    stored = cache.read_arrays(path)
    if stored is not None:
        return placed, _restored(stored)
    measured = faithfulness.measure(vectors, placed.positions, seed)
    undefined = measured.trustworthiness is None
    cache.write_arrays(
        path,
        counts=np.array([measured.neighbours, measured.queries]),
        shares=np.array([measured.preserved, measured.chance]),
        trustworthiness=np.array(np.nan if undefined else measured.trustworthiness),
    )
    return placed, measured


def _positions(
    path: Path,
    vectors: NDArray[np.float32],
    method: str,
    seed: int,
    progress: Progress | None,
) -> Layout:
    stored = cache.read_arrays(path)
    if stored is not None:
        return Layout(stored["positions"], str(stored["method"]), tuple(map(str, stored["notes"])))
    placed = layout(vectors, method, seed=seed, progress=progress)
    cache.write_arrays(
        path,
        positions=placed.positions,
        method=np.array(placed.method),
        notes=np.array(placed.notes, np.str_),
    )
    return placed


def _restored(stored: dict[str, np.ndarray]) -> Faithfulness:
    neighbours, queries = (int(value) for value in stored["counts"])
    preserved, chance = (float(value) for value in stored["shares"])
    trust = float(stored["trustworthiness"])
    return Faithfulness(neighbours, preserved, chance, None if np.isnan(trust) else trust, queries)


def _version(method: str) -> str:
    try:
        return version(_PACKAGES[method])
    except PackageNotFoundError:  # a package under another name
        return ""
