"""Captions against those of people: exact matches, and CIDEr-D.

CIDEr-D compares the words, pairs, triples and quadruples of a caption with those of each reference.
An n-gram counts by how rare it is among the images; repetition is clipped, and a difference in
length is punished. Tokens are words in lower case without punctuation, which is what the
tokeniser of the COCO evaluation leaves of plain sentences.

References:
    R. Vedantam, C. L. Zitnick and D. Parikh, "CIDEr: consensus-based image description
    evaluation", CVPR 2015. doi:10.1109/CVPR.2015.7299087
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float
from numpy import ndarray as Array

from imrep.evaluation import figures
from imrep.evaluation.figures import Figure

_MAX_N = 4  # words in an n-gram
_SIGMA = 6.0  # words, of the Gaussian penalty of a difference in length
_SCALE = 10.0
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")

_Gram = tuple[str, ...]


def scores(captions: Sequence[str], references: Sequence[Sequence[str]]) -> list[Figure]:
    """Share of exact matches, and CIDEr-D, whose range is 0 to 10.

    Args:
        captions: One an image.
        references: What people say of each image; at least one each.
    """
    exact = np.array(
        [
            tokens(caption) in [tokens(text) for text in texts]
            for caption, texts in zip(captions, references, strict=True)
        ]
    )
    return [
        figures.share("exact match", exact, np.arange(len(exact))),
        replace(figures.mean("CIDEr-D", cider(captions, references)), unit="score"),
    ]


def tokens(caption: str) -> list[str]:
    """Words in lower case, without punctuation."""
    return _WORD.findall(unicodedata.normalize("NFKC", caption).lower())


def cider(captions: Sequence[str], references: Sequence[Sequence[str]]) -> Float[Array, " n"]:
    """CIDEr-D of each caption; document frequencies are those of the references.

    Args:
        captions: One an image.
        references: Those of each image; at least one each.
    """
    counted = [[_grams(tokens(text)) for text in texts] for texts in references]
    frequency: Counter[_Gram] = Counter()
    for texts in counted:
        frequency.update(set().union(*texts))
    rarity = _Rarity(frequency, len(references))
    return np.array(
        [
            _score(rarity, _grams(tokens(caption)), texts)
            for caption, texts in zip(captions, counted, strict=True)
        ]
    )


class _Rarity:
    """Weights of n-grams: log of the number of images over those in whose references it occurs."""

    def __init__(self, frequency: Counter[_Gram], images: int) -> None:
        self._frequency, self._total = frequency, float(np.log(images))

    def weighted(self, counts: Counter[_Gram]) -> dict[_Gram, float]:
        """tf-idf of the n-grams of a sentence."""
        return {
            gram: count * (self._total - float(np.log(max(1, self._frequency[gram]))))
            for gram, count in counts.items()
        }


def _score(rarity: _Rarity, caption: Counter[_Gram], texts: Sequence[Counter[_Gram]]) -> float:
    """The mean over references and n of the clipped, length-penalised cosine."""
    own = rarity.weighted(caption)
    values = []
    for text in texts:
        other = rarity.weighted(text)
        penalty = np.exp(-((_length(caption) - _length(text)) ** 2) / (2 * _SIGMA**2))
        values.append(np.mean([_cosine(own, other, n) for n in range(1, _MAX_N + 1)]) * penalty)
    return _SCALE * float(np.mean(values))


def _cosine(own: dict[_Gram, float], other: dict[_Gram, float], n: int) -> float:
    """Of the n-grams of one length; what the caption repeats counts as often as the reference."""
    product = sum(
        min(weight, other[gram]) * other[gram]
        for gram, weight in own.items()
        if len(gram) == n and gram in other
    )
    norms = [
        np.sqrt(sum(w * w for gram, w in each.items() if len(gram) == n)) for each in (own, other)
    ]
    return float(product / (norms[0] * norms[1])) if all(norms) else 0.0


def _grams(words: Sequence[str]) -> Counter[_Gram]:
    """All n-grams up to four words and how often each occurs."""
    return Counter(
        tuple(words[i : i + n]) for n in range(1, _MAX_N + 1) for i in range(len(words) - n + 1)
    )


def _length(counts: Counter[_Gram]) -> int:
    return sum(count for gram, count in counts.items() if len(gram) == 1)
