"""Retrieval between the images of a comparison and their captions, where there are any."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from imrep.base import Bilingual
from imrep.comparison.probes.encoded_candidate import EncodedCandidate
from imrep.comparison.statistics.bootstrap import bootstrap
from imrep.comparison.statistics.many_to_one import Interval
from imrep.embedding.image_vectors import unit
from imrep.errors import ImrepError
from imrep.language import caption_ranks, text_vectors
from imrep.types import Progress

TOP = (1, 5, 10)
MIN_IMAGES = 10
"""With fewer captioned images nothing is retrieved."""


@dataclass(frozen=True)
class CaptionRetrieval:
    """Recalls of one candidate, shares with 95 % intervals over images.

    Args:
        encoded: The candidate.
        image_to_text: Images with one of their captions among the first K, by K.
        text_to_image: Captions with their image among the first K, by K.
    """

    encoded: EncodedCandidate
    image_to_text: Mapping[int, Interval]
    text_to_image: Mapping[int, Interval]


def retrieve_captions(
    encoded: Sequence[EncodedCandidate],
    captions: Mapping[int, Sequence[str]],
    progress: Progress,
) -> list[CaptionRetrieval]:
    """Of every candidate that embeds text, in their order.

    Args:
        encoded: The candidates.
        captions: Of the images that have any, by their row.
        progress: Called with a phrase, the number done and the total.
    """
    if len(captions) < MIN_IMAGES:
        return []
    rows = np.array(sorted(captions))
    texts, owner = caption_ranks.flattened([captions[row] for row in rows.tolist()])
    results = []
    for each in encoded:
        rep = each.parts[0].rep
        if len(each.parts) > 1 or not isinstance(rep, Bilingual):
            continue
        try:
            vectors = text_vectors.embed(rep, texts, progress)
        except ImrepError:  # a vocabulary that is absent: the zero-shot row says so
            continue
        images = unit(each.vectors(rows))
        by_image, by_caption = caption_ranks.ranks(images, vectors, owner)
        results.append(
            CaptionRetrieval(
                each,
                {k: _share(by_image < k, np.arange(len(rows))) for k in TOP if k < len(texts)},
                {k: _share(by_caption < k, owner) for k in TOP if k < len(rows)},
            )
        )
    return results


def _share(hits: np.ndarray, groups: np.ndarray) -> Interval:
    """The share of hits; images are resampled with all their captions."""
    resampled = bootstrap(hits[None], np.zeros(len(hits), int), groups)
    (low,), (high,) = resampled.intervals()
    return Interval(float(hits.mean()), float(low), float(high))
