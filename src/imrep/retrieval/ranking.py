"""The images that are most similar to a query, and whether any of them shows it.

The search is exact: one product of the matrix of vectors and the query.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float
from numpy import ndarray as Array

from imrep.datasets import Item
from imrep.embedding.image_vectors import ImageVectors
from imrep.io.frames import data_frame
from imrep.language.unrelated import Unrelated
from imrep.plural import several

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True)
class Hit:
    """An image and how similar it is to the query.

    Args:
        path: The image.
        score: Cosine of its vector and the query's.
        unrelated: Share of the unrelated pictures that score as much or more; NaN where none were
            compared.
        above: Whether the score is above what the best of as many unrelated pictures reaches.
        item: Where its bytes are; None where a store names a file that is gone.
    """

    path: str
    score: float
    unrelated: float
    above: bool
    item: Item | None = field(repr=False, compare=False)


@dataclass(frozen=True, repr=False, kw_only=True)
class SearchResult:
    """The images most similar to a query, the most similar first.

    Args:
        query: The words, or the name of the image.
        is_image: Whether the query is an image.
        spec: What embedded them.
        hits: The first ones.
        images: Images that were searched.
        above: How many of all score above `threshold`; with an index, of the hits.
        threshold: Score that the best of so many unrelated pictures exceeds with probability .05.
        unrelated: Number of unrelated pictures that the query was compared with; 0 for a query of
            stored rows alone, which needs no representation.
        computed: Images that were embedded now; the vectors of the others were in the cache.
        skipped: (path, reason) of the images that could not be read.
        notes: Sentences on how the images were gathered.
        recall: Measured recall of the ten nearest, where an index was searched; None for exact.
    """

    query: str
    is_image: bool
    spec: str
    hits: tuple[Hit, ...]
    images: int
    above: int
    threshold: float
    unrelated: int
    computed: int
    skipped: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    recall: float | None = None

    @property
    def is_match(self) -> bool:
        """Whether any image scores above what unrelated pictures do."""
        return self.above > 0

    @property
    def sentence(self) -> str:
        """The verdict."""
        count, best = several(self.images, "image"), self.hits[0]
        if not self.unrelated:
            return f"{count} searched; first {best.path}, which scores {best.score:.3f}."
        if self.is_match:
            verb = "scores" if self.above == 1 else "score"
            return (
                f"{self.above:,} of {count} {verb} above what unrelated pictures do "
                f"({self.threshold:.3f}); first {best.path}."
            )
        what = f"looks like {self.query}" if self.is_image else f'shows "{self.query}"'
        share = f" as {100 * best.unrelated:.0f} % of {self.unrelated} unrelated pictures do,"
        return (
            f"Nothing here clearly {what}: the best of {count} scores {best.score:.3f},"
            f"{share if best.unrelated else ''} and the best of so many unrelated pictures may "
            f"reach {self.threshold:.3f}."
        )

    def __len__(self) -> int:
        return len(self.hits)

    def __repr__(self) -> str:
        return f"SearchResult({self.sentence})"

    def to_pandas(self) -> "DataFrame":
        """A row per hit: path, score, unrelated, above.

        Raises:
            ExtraNeeded: pandas is not installed.
        """
        names = ("path", "score", "unrelated", "above")
        columns = {name: [getattr(hit, name) for hit in self.hits] for name in names}
        return data_frame(columns, "SearchResult.to_pandas")


def nearest(
    embedded: ImageVectors, query: Float[Array, " d"], reference: Unrelated, count: int
) -> tuple[tuple[Hit, ...], int]:
    """The most similar images, and how many of all are above chance.

    Args:
        embedded: The images.
        query: Its vector, of length one.
        reference: What the query scores on unrelated pictures.
        count: Limit for the images; equal scores go by path.
    """
    scores = embedded.unit @ query
    threshold = reference.threshold(len(embedded))
    order = np.argsort(-scores, kind="stable")[:count]
    shares = reference.share(scores[order])
    hits = tuple(
        Hit(
            embedded.items[i].path,
            float(scores[i]),
            float(part),
            bool(scores[i] > threshold),
            embedded.items[i],
        )
        for i, part in zip(order.tolist(), shares.tolist(), strict=True)
    )
    return hits, int((scores > threshold).sum())
