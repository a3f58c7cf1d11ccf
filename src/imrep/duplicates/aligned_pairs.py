"""Pairs of thumbnails aligned by template matching, in blocks so that memory is bounded."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from imrep.duplicates import candidate_pairs, template_matching
from imrep.duplicates.candidate_pairs import Thumbnails
from imrep.duplicates.template_matching import Floats, Index, Thumbs

Progress = Callable[[float], object]  # called with the finished share, in [0, 1]

_PAIR_BATCH = 128  # pairs aligned together: 3 MB, within a cache
_TEMPLATE_BATCH = 4096  # images whose templates are in memory together, twice; 22 kB each
_SCORES = 6  # v, hn, bn, right, down, zoom


@dataclass
class AlignedPairs:
    """Aligned pairs of thumbnails with a plausible correlation.

    Attributes:
        thumbnails: All thumbnails.
        keys: Key of each pair, from `candidate_pairs.pair_keys`.
        scores: v, hn, bn, right, down and zoom of each pair, (6, pairs).
        tried: Keys of all pairs that were aligned, rejected ones included.
    """

    thumbnails: Thumbnails
    keys: Index = field(default_factory=lambda: np.zeros(0, np.int64))
    scores: Floats = field(default_factory=lambda: np.zeros((_SCORES, 0)))
    tried: Index = field(default_factory=lambda: np.zeros(0, np.int64))

    def __post_init__(self) -> None:
        self._templates: dict[int, Thumbs] = {}

    @property
    def v(self) -> Floats:
        """Correlation of the better alignment."""
        return self.scores[0]

    @property
    def hn(self) -> Floats:
        """The same of its fine detail."""
        return self.scores[1]

    @property
    def bn(self) -> Floats:
        """Median of the same over blocks."""
        return self.scores[2]

    @property
    def pairs(self) -> tuple[Index, Index, NDArray[np.bool_]]:
        """The thumbnails of each pair, i < j, and whether the second is mirrored."""
        return candidate_pairs.split_keys(self.keys, len(self.thumbnails.flat))

    def add(self, keys: Index, progress: Progress) -> None:
        """Align further pairs and append those with a plausible correlation."""
        new = np.setdiff1d(keys, self.tried)
        i, j, mirrored = candidate_pairs.split_keys(new, len(self.thumbnails.flat))
        plausible, scores, done = [self.keys], [self.scores], 0
        for batch in _batches(i, j, mirrored):
            fits, values = self._align(i[batch], j[batch], bool(mirrored[batch[0]]))
            plausible.append(new[batch[fits]])
            scores.append(values)
            done += len(batch)
            progress(done / len(new))
        self.keys, self.scores = np.concatenate(plausible), np.concatenate(scores, axis=1)
        self.tried = np.union1d(self.tried, new)

    def passing(self, threshold: Floats | float) -> NDArray[np.bool_]:
        """Pairs whose fine detail reaches the threshold.

        A pair also passes if most of its blocks agree: one of them may bear a caption or sticker.
        """
        complete = (self.v >= 0.90) & (self.hn >= threshold)
        blocks = self.bn >= np.maximum(0.985, threshold)
        return complete | ((self.v >= 0.75) & blocks & (self.hn >= 0.6))

    def _align(self, i: Index, j: Index, mirrored: bool) -> tuple[NDArray[np.bool_], Floats]:
        """Which pairs, all of the same two blocks, are plausible, and the scores of those."""
        first, second = self._pick(i), self._pick(j)
        best = template_matching.align(first, second.mirrored() if mirrored else second)
        fits = best.v >= template_matching.MIN_CORRELATION
        best = best.pick(fits)
        hn = template_matching.fine(best.p, best.q)
        bn = template_matching.blockwise(best.p, best.q)
        return fits, np.stack([best.v, hn, bn, *best.shift.T, best.zoom])

    def _pick(self, images: Index) -> Thumbs:
        """Templates of images of one block; those of the last two blocks are kept."""
        block = int(images[0]) // _TEMPLATE_BATCH
        start = block * _TEMPLATE_BATCH
        if block not in self._templates:
            while len(self._templates) > 1:
                self._templates.pop(next(iter(self._templates)))
            thumbs = self.thumbnails.luminance[start : start + _TEMPLATE_BATCH]
            self._templates[block] = template_matching.prepare(thumbs)
        self._templates[block] = self._templates.pop(block)  # the oldest is the first
        return self._templates[block].pick(images - start)


def _batches(i: Index, j: Index, mirrored: NDArray[np.bool_]) -> Iterator[Index]:
    """Indices of pairs of the same two blocks of templates and the same orientation."""
    groups = np.stack([i // _TEMPLATE_BATCH, j // _TEMPLATE_BATCH, mirrored])
    order = np.lexsort(groups[::-1])
    ends = np.flatnonzero((np.diff(groups[:, order]) != 0).any(0)) + 1
    for group in np.split(order, ends):
        for start in range(0, len(group), _PAIR_BATCH):
            yield group[start : start + _PAIR_BATCH]
