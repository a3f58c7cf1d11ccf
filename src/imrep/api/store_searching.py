"""`search` in a store: by images, words, stored rows, several of them, and against others."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from imrep.api import query_vectors, stored_images
from imrep.api.image_text import Options
from imrep.base import Representation
from imrep.embedding.image_vectors import Settings, unit
from imrep.errors import BadData, BadParameter
from imrep.factory import load
from imrep.io.names import printable
from imrep.language.unrelated import unrelated
from imrep.retrieval import vector_copy
from imrep.retrieval.ranking import Hit, SearchResult
from imrep.retrieval.vector_copy import VectorCopy
from imrep.store import Store, codebook
from imrep.store import open as open_store

_UNLIKE = 0.5  # weight of what the images should not be like
_MAX_INDEXED = 100  # hits; recall is measured for ten, and more lie in more lists
_REMEDY = "Search with the first or embed again."


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is searched for.

    Args:
        like: Images, words, or paths in the store, that hits should be like.
        unlike: The same, that they should not be like.
        where: A condition in SQL on the rows that are searched, such as "label = 'cat'".
        count: Hits.
        exact: Whether every row is compared, also where there is an index.
    """

    like: tuple[Any, ...]
    unlike: tuple[Any, ...] = ()
    where: str | None = None
    count: int = 12
    exact: bool = False

    @property
    def title(self) -> str:
        """The query, as a text."""
        text = " + ".join(map(query_vectors.name, self.like))
        return text + "".join(f" - {query_vectors.name(each)}" for each in self.unlike)


def search_store(
    path: str | Path, request: Request, representation: Any, options: Options
) -> SearchResult:
    """The rows of a store that are most similar to what is requested.

    Several queries are one vector: the mean of the vectors that hits should be like, at length
    one, less half the mean of those they should not be like (Rocchio 1971). Half, because a
    complete difference loses what both have in common, and that is most of what keeps the hits near
    the first.

    Raises:
        BadData: There is no store, no row meets the condition, or a query is empty.
        BadFile: An image of the query cannot be read.
        BadParameter: The condition cannot be read, or the representation embeds no words.
        StoreMismatch: The store was written by another representation.
    """
    store = open_store(path)
    copy = vector_copy.of_store(store, options.progress)
    paths = store.rows(["path"])["path"].combine_chunks()
    session = _Session(store, copy, paths, representation, options)
    vector, excluded = session.query(request)
    among = session.among(request.where)
    exact = bool(request.exact or request.where or session.has_words)
    exact = exact or copy.index is None or request.count > _MAX_INDEXED
    rows, scores = copy.nearest(vector, request.count + len(excluded), among=among, exact=exact)
    stays = ~np.isin(rows, list(excluded))
    rows, scores = rows[stays][: request.count], scores[stays][: request.count]
    if not len(rows):
        raise BadData(f"search needs other rows than the query in {path}, got only that.")
    total = len(paths) if among is None else int(among.sum())
    result = SearchResult(
        query=request.title,
        is_image=not session.has_words,
        spec=store.facts.spec,
        hits=_hits(store, [paths[int(row)].as_py() for row in rows], scores),
        images=total,
        above=0,
        threshold=math.nan,
        unrelated=0,
        computed=0,
        notes=session.notes(exact),
        recall=None if exact or copy.index is None else copy.index.recall,
    )
    return session.compared(result, vector, copy if exact else None, among, excluded)


@dataclass
class _Session:
    """A store, and the representation as soon as a query needs it."""

    store: Store
    copy: VectorCopy
    paths: Any  # a pyarrow array
    representation: Any
    options: Options
    has_words: bool = False
    _rep: Representation | None = field(default=None, repr=False)

    @property
    def rep(self) -> Representation:
        """What embeds the queries: that of the store.

        Raises:
            StoreMismatch: It is another.
        """
        if self._rep is None:
            folder = codebook.beside(self.store.path)
            if self.representation is None and (folder / "config.json").is_file():
                rep = load(folder).to(self.options.device).eval()
            else:
                rep = self.options.resolve(self.representation or self.store.facts.spec)
            self.store.require(rep.spec, rep.fingerprint, _REMEDY)
            self._rep = rep
        return self._rep

    @property
    def settings(self) -> Settings:
        """How the images of the store are read."""
        return replace(self.options.settings(self.rep), size=self.store.facts.size)

    def query(self, request: Request) -> tuple[NDArray[np.float32], set[int]]:
        """The vector of a request, of length one, and the stored rows among its queries."""
        if self.representation is not None:
            self.rep  # noqa: B018  # another than the store's is refused in any case
        excluded: set[int] = set()
        positive = [self._vector(each, excluded) for each in request.like]
        negative = [self._vector(each, excluded) for each in request.unlike]
        mean = np.zeros(self.store.facts.dim, np.float32)
        if positive:
            mean += unit(np.mean(positive, 0, keepdims=True))[0]
        if negative:
            mean -= _UNLIKE * unit(np.mean(negative, 0, keepdims=True))[0]
        if not np.isfinite(mean).all() or not np.linalg.norm(mean) > 0:
            raise BadData(
                f"search needs a query with a direction, got a vector of "
                f"{'zeros' if np.isfinite(mean).all() else 'NaN'} for {request.title}. "
                "Use another query."
            )
        return unit(mean[None])[0], excluded

    def among(self, where: str | None) -> NDArray[np.bool_] | None:
        """Which rows meet a condition; None for all."""
        if where is None:
            return None
        selected = self.store.rows(["path"], where)["path"].combine_chunks()
        if not len(selected):
            raise BadData(
                f"search needs rows of {self.store.path} where {where}, got none of "
                f"{len(self.paths):,}. Use another --where."
            )
        return np.asarray(pc.is_in(self.paths, value_set=selected))

    def notes(self, exact: bool) -> tuple[str, ...]:
        """Sentences on how the rows were searched."""
        index = self.copy.index
        if exact or index is None:
            return ()
        return (
            f"Searched by an index: recall@10 {index.recall:.3f}, measured on rows of this store; "
            f"{100 * index.share:.1f} % of the rows are compared. --exact compares all.",
        )

    def compared(
        self,
        result: SearchResult,
        vector: NDArray[np.float32],
        copy: VectorCopy | None,
        among: NDArray[np.bool_] | None,
        excluded: set[int],
    ) -> SearchResult:
        """The result beside unrelated pictures, where the representation was loaded."""
        if self._rep is None:
            return result
        reference = unrelated(self._rep, vector, self.settings, self.options.progress)
        threshold = reference.threshold(result.images)
        scores = np.array([hit.score for hit in result.hits], np.float32)
        hits = tuple(
            replace(hit, unrelated=float(share), above=hit.score > threshold)
            for hit, share in zip(result.hits, reference.share(scores), strict=True)
        )
        above = sum(hit.above for hit in hits)
        if copy is not None and above == len(hits):  # there may be more
            rows, scores = copy.nearest(vector, len(copy.rows), among=among)
            above = int(((scores > threshold) & ~np.isin(rows, list(excluded))).sum())
        return replace(
            result, hits=hits, above=above, threshold=threshold, unrelated=len(reference)
        )

    def _vector(self, query: Any, excluded: set[int]) -> NDArray[np.float32]:
        """The vector of one query, of length one; a stored row joins the excluded ones."""
        row = -1
        if isinstance(query, str | Path):
            row = pc.index(self.paths, printable(str(query))).as_py()
        if row >= 0 and not query_vectors.is_file(str(query)):
            excluded.add(row)
            return self.copy.unit[int(np.flatnonzero(self.copy.rows == row)[0])]
        words = query_vectors.words(query, f" and no row of {self.store.path}")
        if words is not None:
            self.has_words = True
            return query_vectors.of_words(self.rep, words, self.options.progress)
        excluded.update(self._own_row(query))
        return query_vectors.of_image(self.rep, query, self.settings)

    def _own_row(self, query: Any) -> set[int]:
        """The row of the very file of a query, if it has one."""
        origin = self.store.facts.data
        if not isinstance(query, str | Path) or not origin or not Path(origin).is_dir():
            return set()
        try:
            name = Path(query).expanduser().resolve().relative_to(Path(origin).resolve())
        except ValueError:
            return set()
        row = pc.index(self.paths, printable(name.as_posix())).as_py()
        return {row} if row >= 0 else set()


def _hits(store: Store, paths: Sequence[str], scores: NDArray[np.float32]) -> tuple[Hit, ...]:
    items = stored_images.items(store, paths)
    return tuple(
        Hit(path, float(score), math.nan, False, item)
        for path, score, item in zip(paths, scores, items, strict=True)
    )


def check_folder_request(request: Request) -> None:
    """Refuse, for images without a store, what only a store has.

    Raises:
        BadParameter: There is a condition, or not one query.
    """
    if request.where or request.unlike or len(request.like) != 1:
        raise BadParameter(
            "search needs one query, and no condition, for images that are in no store, got "
            f"{request.title or 'none'}{' where ' + request.where if request.where else ''}. "
            "Write a store: imrep embed photos/ clip -o photos.lance, and search it."
        )
