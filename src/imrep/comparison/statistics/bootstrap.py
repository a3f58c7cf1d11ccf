"""How sure an accuracy is: groups resampled within classes, with small samples allowed for.

All contenders see the same draws, so that differences between them are as sharp as the images
allow. Factors and floors are those under which intervals cover the truth on simulated folders of
every shape, and equals are told apart in fewer than 8 of 100.

References:
    B. Efron and R. J. Tibshirani, "An Introduction to the Bootstrap", Chapman & Hall 1993.
    F. E. Satterthwaite, "An approximate distribution of estimates of variance components",
    Biometrics Bulletin 2(6), 1946. doi:10.2307/3002019
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray as Array
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.special import stdtrit

DRAWS = 2_000
ONE, DIFFERENCE = 1.3, 1.2  # a 5-fold accuracy spreads wider than its bootstrap, by these
_NOTHING = 1e-12  # a standard deviation below it is rounding
_BLOCK = 1 << 22  # resampled groups held at a time


@dataclass(frozen=True)
class Counts:
    """Hits and images of a folder, class by class.

    Attributes:
        hits: Hits of each contender in each class.
        images: Images in each class.
        groups: Groups in each class.
        stratum: Stratum of each class: classes joined by a shared group are resampled together.
    """

    hits: Float[Array, "r c"]
    images: Int[Array, " c"]
    groups: Int[Array, " c"]
    stratum: Int[Array, " c"]

    @property
    def accuracy(self) -> Float[Array, " r"]:
        """Balanced accuracy of each contender, in [0, 1]."""
        return (self.hits / self.images).mean(1)

    @cached_property
    def freedom(self) -> Int[Array, " s"]:
        """Groups in the smallest class of each stratum, less one."""
        least = np.full(self.stratum.max() + 1, np.iinfo(np.int64).max)
        np.minimum.at(least, self.stratum, self.groups)
        return np.maximum(least - 1, 1)


@dataclass(frozen=True)
class Bootstrap:
    """Deviations of the accuracies over 2,000 resampled folders.

    Attributes:
        counts: The folder itself.
        strata: Deviation of every contender in every draw, summed over the classes of a stratum.
        spread: Bootstrap variance of each contender in each class.
    """

    counts: Counts
    strata: Float[Array, "s r b"]
    spread: Float[Array, "r c"]

    @cached_property
    def deviations(self) -> Float[Array, "r b"]:
        """Deviation of each accuracy from its mean over the draws."""
        return self.strata.sum(0) / len(self.counts.images)

    def intervals(self) -> tuple[Float[Array, " r"], Float[Array, " r"]]:
        """Lower and upper ends of the 95 % intervals of the accuracies, within [0, 1]."""
        floor = _per_stratum(_floor(self.counts, self.spread), self.counts.stratum)
        variance = np.maximum(self.strata.var(2).T, floor)
        half = ONE * self._width(variance)
        accuracy = self.counts.accuracy
        return np.clip(accuracy - half, 0, 1), np.clip(accuracy + half, 0, 1)

    def difference(self, a: int, b: int) -> tuple[float, float, float]:
        """How far contender `a` is ahead of `b`, and its 95 % interval, not corrected for many."""
        if a == b:
            return 0.0, 0.0, 0.0
        ahead = float(self.counts.accuracy[a] - self.counts.accuracy[b])
        half = DIFFERENCE * small_sample(self.freedom(a, b)) * 1.96 * self.floored(a, b)
        return ahead, max(ahead - half, -1.0), min(ahead + half, 1.0)

    def sd(self, a: int, b: int) -> float:
        """Standard deviation of the difference of two accuracies over the draws; 0 for equals."""
        sd = float((self.deviations[a] - self.deviations[b]).std())
        return sd if sd > _NOTHING else 0.0

    def floored(self, a: int, b: int) -> float:
        """The same, no less than if one image of each class could have gone the other way."""
        images = self.counts.images
        return max(self.sd(a, b), float(np.sqrt((1 / (images + 2.0) ** 2).sum()) / len(images)))

    def freedom(self, a: int, b: int) -> float:
        """Degrees of freedom of the difference of two accuracies (Satterthwaite)."""
        return float(self._freedom((self.strata[:, a] - self.strata[:, b]).var(1)))

    def _freedom(self, variance: Float[Array, "*r s"]) -> Float[Array, "*r"]:
        # where nothing varies, every stratum counts the same
        variance = np.where(variance.sum(-1, keepdims=True) > _NOTHING**2, variance, 1.0)
        return variance.sum(-1) ** 2 / (variance**2 / self.counts.freedom).sum(-1)

    def _width(self, variance: Float[Array, "r s"]) -> Float[Array, " r"]:
        t = stdtrit(self._freedom(variance), 0.975)
        return t * np.sqrt(variance.sum(1)) / len(self.counts.images)


def small_sample(freedom: float) -> float:
    """How much wider Student's interval is than the normal one."""
    return float(stdtrit(freedom, 0.975)) / 1.96


def count(
    hits: Float[Array, "r n"] | Bool[Array, "r n"],
    labels: Int[Array, " n"],
    groups: Int[Array, " n"],
) -> Counts:
    """Hits, images, groups and strata of the classes 0 … C-1, none of them empty."""
    member = np.eye(labels.max() + 1)[labels]
    pairs = np.unique(np.stack([labels, groups], 1), axis=0)
    return Counts(
        hits=np.atleast_2d(hits) @ member,
        images=np.bincount(labels),
        groups=np.bincount(pairs[:, 0]),
        stratum=_joined(pairs),
    )


def bootstrap(
    hits: Float[Array, "r n"] | Bool[Array, "r n"],
    labels: Int[Array, " n"],
    groups: Int[Array, " n"],
    seed: int = 0,
) -> Bootstrap:
    """Resample the groups of every stratum, one weight for all classes a group reaches into.

    Args:
        hits: Whether each contender named the class of each image, or its score in [0, 1]; a row
            per contender.
        labels: Class of each image, 0 … C-1.
        groups: Group of each image.
        seed: Seed of the draws, which do not depend on the number of contenders.
    """
    hits = np.atleast_2d(hits)
    counts, rng = count(hits, labels, groups), np.random.default_rng(seed)
    strata = np.empty((counts.stratum.max() + 1, len(hits), DRAWS))
    spread = np.empty(counts.hits.shape)
    for s in range(len(strata)):
        classes = np.flatnonzero(counts.stratum == s)
        here = np.flatnonzero(counts.stratum[labels] == s)
        tally = _tally(hits[:, here], labels[here], groups[here], classes)
        drawn = np.concatenate([weight @ tally for weight in _weights(tally.shape[0], rng)])
        images = drawn[:, -len(classes) :]
        missed = images == 0  # a class that shares its groups may be absent from a draw
        rate = drawn[:, : -len(classes)].reshape(DRAWS, len(hits), -1)
        rate = rate / np.where(missed, 1, images)[:, None]
        seen = ~missed[:, None]
        delta = np.where(seen, rate - rate.sum(0) / seen.sum(0), 0)
        delta *= np.sqrt((counts.freedom[s] + 1) / counts.freedom[s])
        spread[:, classes] = delta.var(0)
        strata[s] = delta.sum(2).T
    return Bootstrap(counts, strata, spread)


def _tally(
    hits: Float[Array, "r n"] | Bool[Array, "r n"],
    labels: Int[Array, " n"],
    groups: Int[Array, " n"],
    classes: Int[Array, " c"],
) -> Float[Array, "g k"]:
    """Per group: hits of each contender in each class, then images in each class."""
    group, number = np.unique(groups, return_inverse=True)
    cell = number * len(classes) + np.searchsorted(classes, labels)
    size = len(group) * len(classes)
    columns = [np.bincount(cell, row, size) for row in (*hits, np.ones(len(cell)))]
    return (
        np.stack(columns)
        .reshape(-1, len(group), len(classes))
        .swapaxes(0, 1)
        .reshape(len(group), -1)
    )


def _weights(g: int, rng: np.random.Generator) -> Iterator[Float[Array, "b g"]]:
    """How often each of `g` groups comes up in each draw, some draws at a time."""
    at_once = max(1, _BLOCK // g)
    for start in range(0, DRAWS, at_once):
        b = min(at_once, DRAWS - start)
        cell = rng.integers(0, g, (b, g)) + np.arange(b)[:, None] * g
        yield np.bincount(cell.ravel(), minlength=b * g).reshape(b, g).astype(float)


def _floor(counts: Counts, spread: Float[Array, "r c"]) -> Float[Array, "r c"]:
    """Least variance of each class: a class never found, or always, has no spread of its own."""
    n = np.where(spread > _NOTHING**2, counts.images, counts.groups)
    p = (n * counts.hits / counts.images + 1) / (n + 2)
    return p * (1 - p) / (n + 2)


def _per_stratum(values: Float[Array, "r c"], stratum: Int[Array, " c"]) -> Float[Array, "r s"]:
    return values @ np.eye(stratum.max() + 1)[stratum]


def _joined(pairs: Int[Array, "p 2"]) -> Int[Array, " c"]:
    """Stratum of each class, from the pairs (class, group) that occur."""
    c, g = pairs.max(0) + 1
    links = coo_array((np.ones(len(pairs), bool), (pairs[:, 0], c + pairs[:, 1])), (c + g, c + g))
    return np.unique(connected_components(links, directed=False)[1][:c], return_inverse=True)[1]
