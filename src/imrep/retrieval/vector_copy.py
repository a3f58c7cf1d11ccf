"""A copy of a store's vectors in the cache, at length one, mapped into memory.

Reading the column of a table takes many times a matrix product, so it is read once for each
version. A large copy is sorted into the lists of an inverted file. The copy is of one version: a
store that was written since is read anew, and no row is missing from a search.
"""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray as Array

from imrep.embedding import cache
from imrep.embedding.cache.entries import survey
from imrep.embedding.cache.pruning import delete
from imrep.embedding.image_vectors import unit
from imrep.errors import BadData, Busy
from imrep.io.files import replacing
from imrep.retrieval import inverted_index
from imrep.retrieval.inverted_index import InvertedIndex
from imrep.store import Store, layout
from imrep.types import Progress

MIN_INDEXED = 50_000  # rows; below, one product takes less than ten milliseconds
_FORMAT = 1
_STORE = "store.json"  # the path of the store
_BLOCK = 16_384  # rows copied together


@dataclass(frozen=True)
class VectorCopy:
    """The vectors of a store.

    Args:
        unit: Vectors of length one (n, d); one of zeros stays.
        rows: The row of the store that each is of, (n,).
        index: The lists they are sorted into, if they are.
    """

    unit: Float[Array, "n d"]
    rows: Int[Array, " n"]
    index: InvertedIndex | None = None

    def nearest(
        self,
        query: Float[Array, " d"],
        count: int,
        *,
        among: Bool[Array, " n"] | None = None,
        exact: bool = True,
    ) -> tuple[Int[Array, " k"], Float[Array, " k"]]:
        """Rows of the store most similar to a query, and their cosines, the most similar first.

        Args:
            query: Of length one.
            count: Limit for the rows; equal ones go by their number.
            among: By row of the store, which are searched; all if None.
            exact: Whether all rows are compared, and not the lists of the index alone.
        """
        if exact or self.index is None:
            scores, rows = self.unit @ query, self.rows
        else:
            parts = self.index.rows(query)
            scores = np.concatenate([self.unit[part] @ query for part in parts])
            rows = np.concatenate([self.rows[part] for part in parts])
        if among is not None:
            scores, rows = scores[among[rows]], rows[among[rows]]
        if count < len(scores):
            # with all that equal the last, so that their order is that of the rows
            lowest = np.partition(scores, len(scores) - count)[len(scores) - count]
            top = np.flatnonzero(scores >= lowest)
            scores, rows = scores[top], rows[top]
        order = np.lexsort((rows, -scores))[:count]
        return rows[order], scores[order]


def of_store(store: Store, progress: Progress | None = None) -> VectorCopy:
    """The copy of a store at its version, made where the cache has none.

    Raises:
        BadData: The store has no rows, a damaged file, or vectors that are not finite.
    """
    if not len(store):
        raise BadData(f"search needs a store with rows, got none in {store.path}. Embed into it.")
    report = progress or (lambda *_: None)
    folder = cache.folder("stores", cache.key(_FORMAT, *_version(store)))
    with cache.held(folder):
        done = folder / "copy.npz"
        if not done.is_file():
            _write(store, folder, report)
            _delete_older(store, folder)
        with np.load(done) as arrays:
            lists, recall, share = arrays["tuned"].tolist()
            index = InvertedIndex(arrays["centroids"], arrays["starts"], int(lists), recall, share)
            rows = arrays["rows"]
        vectors = np.lib.format.open_memmap(folder / "unit.npy", mode="r")
    return VectorCopy(vectors, rows, index if lists else None)


def _delete_older(store: Store, folder: Path) -> None:
    """Delete the copies of other versions of the store, which no process uses."""
    path = str(store.path.resolve())
    cache.write_json(folder / _STORE, path)
    entries = survey(cache.root()).entries
    older = [
        entry
        for entry in entries
        if entry.kind == "stores"
        and entry.path != folder
        and cache.read_json(entry.path / _STORE) == path
    ]
    with suppress(Busy, OSError):  # another search is not to fail: `imrep cache` tidies up later
        delete(older)


def _version(store: Store) -> tuple[str, int, int, str, int]:
    """What changes whenever the rows do, also where a store is deleted and made anew."""
    path = store.path.resolve()
    newest = layout.manifests(path)[0].stat().st_mtime_ns
    facts = store.facts
    return str(path), facts.version, newest, facts.fingerprint, facts.rows


def _write(store: Store, folder: Path, progress: Progress) -> None:
    """Write the vectors, then what sorts them: a copy that has the second is complete."""
    shape = (len(store), store.facts.dim)
    with replacing(folder / "unit.npy") as draft:
        vectors = np.lib.format.open_memmap(draft, "w+", np.float32, shape)
        _read(store, vectors, progress)
        order, starts = np.arange(len(vectors)), np.zeros(1, np.int64)
        centroids = np.zeros((0, shape[1]), np.float32)
        if len(vectors) >= MIN_INDEXED:
            progress("sorting the vectors", 0, 2)
            centroids, lists = inverted_index.assign(vectors)
            order = np.argsort(lists, kind="stable")
            starts = np.searchsorted(lists[order], np.arange(len(centroids) + 1))
            _permute(vectors, order, draft)
            vectors = np.lib.format.open_memmap(draft, "r")
        vectors.flush()
    index = None
    if len(centroids):
        progress("measuring the recall", 1, 2)
        vectors = np.lib.format.open_memmap(folder / "unit.npy", mode="r")
        index = inverted_index.tuned(vectors, InvertedIndex(centroids, starts))
        progress("measuring the recall", 2, 2)
    tuned = (index.lists, index.recall, index.share) if index else (0, 0.0, 1.0)
    with replacing(folder / "copy.npz") as draft, draft.open("wb") as file:
        np.savez(file, rows=order, centroids=centroids, starts=starts, tuned=np.array(tuned))


def _read(store: Store, vectors: Float[Array, "n d"], progress: Progress) -> None:
    """Fill an array with the vectors of a store at length one.

    Raises:
        BadData: A vector is not finite, or a file is damaged.
    """
    start = 0
    for batch in store.batches(["vector"]):
        column = batch["vector"]
        rows = column.flatten().to_numpy(zero_copy_only=False).astype(np.float32)
        rows = rows.reshape(len(column), -1)
        if not np.isfinite(rows).all():
            raise BadData(
                f"{store.path} needs finite vectors, got NaN or infinity in row "
                f"{start + int((~np.isfinite(rows)).any(1).argmax())}. Embed it anew."
            )
        vectors[start : start + len(rows)] = unit(rows)
        start += len(rows)
        progress("reading the vectors", start, len(vectors))


def _permute(vectors: Float[Array, "n d"], order: Int[Array, " n"], draft: Path) -> None:
    """Write the vectors in another order into the draft."""
    with replacing(draft) as second:
        permuted = np.lib.format.open_memmap(second, "w+", np.float32, vectors.shape)
        for start in range(0, len(order), _BLOCK):
            permuted[start : start + _BLOCK] = vectors[order[start : start + _BLOCK]]
        permuted.flush()
