"""Candidates that are tied with the best, and the gap that the data set could show.

The leader is chosen from the data, so every gap is compared with the largest gap that chance opens
among all remaining candidates. They are eliminated one at a time, the worst first, each only if the
sign-flip test over groups agrees.

References:
    P. R. Hansen, A. Lunde and J. M. Nason, "The model confidence set", Econometrica 79(2), 2011.
    doi:10.3982/ECTA5771 (the stepping down)
    M. W. Fagerland, S. Lydersen and P. Laake, "The McNemar test for binary matched-pairs data:
    mid-p and asymptotic are better than exact conditional", BMC Medical Research Methodology 13,
    2013. doi:10.1186/1471-2288-13-91 (what the sign flip is on a balanced data set)
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray as Array

from imrep.comparison.data.labelled_dataset import MIN_GROUPS, MIN_GROUPS_PER_CLASS
from imrep.comparison.statistics.bootstrap import SPREAD, Bootstrap, bootstrap, small_sample
from imrep.comparison.statistics.measures import HITS, Measure
from imrep.errors import BadParameter

_FLIPS = 2_000
_LEVEL = 0.05
_NORMAL = 1.96  # the quantile where no pair varies
_POWER = 0.84  # normal quantile of a power of 80 %
_DECIMALS = 12  # of accuracies that are compared
_BLOCK = 1 << 22  # signs in memory


@dataclass(frozen=True)
class Standing:
    """Accuracy of one candidate, and its difference to the leader.

    Attributes:
        accuracy: Balanced accuracy in [0, 1], or what else is measured.
        low: Lower end of its 95 % interval.
        high: Upper end.
        behind: Accuracy of the leader minus this one.
        behind_low: Lower end of the 95 % interval of that difference.
        behind_high: Upper end.
        t: The difference in standard deviations, for small samples; infinite if it never varies.
        p_flip: Share of random sign flips of the groups that open a larger gap.
        tied: Whether it may be the best.
        needed: Gap above which the step-down eliminates it; of the eliminated, at their own step.
    """

    accuracy: float
    low: float
    high: float
    behind: float
    behind_low: float
    behind_high: float
    t: float
    p_flip: float
    tied: bool
    needed: float = 0.0


@dataclass(frozen=True)
class Verdict:
    """What the data set shows about the candidates.

    Attributes:
        standings: One per candidate, in their order.
        leader: The most accurate one, the first among equals.
        tied: Candidates tied with the best, the leader among them, in their order.
        q: The quantile of the last step, in standard deviations; NaN for one candidate.
        gap: Smallest gap in accuracy that such a data set shows in 80 % of cases; NaN for one.
        chance: Accuracy of guessing.
        too_few: Whether the data set is too small for a verdict.
        need: Images (or groups) a class that would show a gap of 10 points, without classes in
            all; 0 for one candidate.
    """

    standings: tuple[Standing, ...]
    leader: int
    tied: tuple[int, ...]
    q: float
    gap: float
    chance: float
    too_few: bool
    need: int

    @property
    def second(self) -> int | None:
        """The best after the leader, the first among equals."""
        others = [j for j in range(len(self.standings)) if j != self.leader]
        return max(others, key=lambda j: round(self.standings[j].accuracy, _DECIMALS), default=None)

    def best(self, count: int, among: Iterable[int] | None = None) -> list[int]:
        """The most accurate, at most so many, of all or of some, in their order."""
        rows = range(len(self.standings)) if among is None else among
        falling = sorted(rows, key=lambda j: -self.standings[j].accuracy)
        return sorted(falling[:count])


def judge(
    hits: Float[Array, "r n"] | Bool[Array, "r n"],
    labels: Int[Array, " n"],
    groups: Int[Array, " n"],
    seed: int = 0,
    measure: Measure = HITS,
    flips: Float[Array, "r n"] | None = None,
) -> Verdict:
    """Intervals, the step-down test and the smallest visible gap.

    Args:
        hits: Whether each candidate predicted the class of each image, or a number for it; a row
            per candidate.
        labels: Class of each image, 0 … C-1, none of them empty; all 0 without classes.
        groups: Group of each image.
        seed: Seed of the draws and of the flips.
        measure: What the mean of such numbers is.
        flips: What the sign-flip test compares of each image; None for `hits`.

    Raises:
        BadParameter: There is no candidate.
    """
    hits = np.atleast_2d(np.asarray(hits, float))
    if not len(hits):
        raise BadParameter("a verdict needs at least one candidate, got none.")
    compared = hits if flips is None else flips
    boot = bootstrap(hits, labels, groups, seed, measure)
    accuracy = boot.counts.accuracy.round(_DECIMALS)
    leader = int(accuracy.argmax())
    t = [_distance(boot, accuracy, leader, j) for j in range(len(hits))]
    p = [p_flip(compared[leader], row, labels, groups, seed) for row in compared]
    tied, quantiles = _step_down(boot.deviations, leader, t, p)
    q = quantiles[leader]
    gap = _visible(boot, accuracy, leader, tied, q)
    low, high = (ends.tolist() for ends in boot.intervals())
    standings = tuple(
        Standing(
            *(float(accuracy[j]), low[j], high[j]),
            *boot.difference(leader, j),
            *(t[j], p[j], j in tied),
            needed=_critical(boot, leader, j, quantiles[j]),
        )
        for j in range(len(hits))
    )
    smallest = int(boot.counts.groups.min())
    return Verdict(
        standings=standings,
        leader=leader,
        tied=tied,
        q=q,
        gap=gap,
        chance=1 / len(boot.counts.groups) if measure.chance is None else measure.chance,
        too_few=smallest < MIN_GROUPS_PER_CLASS or len(np.unique(groups)) < MIN_GROUPS,
        need=_need(smallest, gap, len(boot.counts.groups)),
    )


def p_flip(
    first: Float[Array, " n"] | Bool[Array, " n"],
    second: Float[Array, " n"] | Bool[Array, " n"],
    labels: Int[Array, " n"],
    groups: Int[Array, " n"],
    seed: int = 0,
) -> float:
    """Share of 2,000 random sign flips of the groups that open a larger gap; half of equal ones.

    Every class counts the same. On a balanced data set without groups this is McNemar's mid-p.
    """
    # what an image adds to the balanced accuracy
    weight = 1 / (labels.max() + 1) / np.bincount(labels)[labels]
    number = np.unique(groups, return_inverse=True)[1]
    gains = np.bincount(number, weight * (first.astype(float) - second)).round(_DECIMALS)
    if not gains.any():
        return 1.0
    # groups of one size are interchangeable, so that only their number of signs matters
    size, times = np.unique(np.abs(gains[gains != 0]), return_counts=True)
    rng, batch = np.random.default_rng(seed), max(1, _BLOCK // len(size))
    plus = (
        rng.binomial(times, 0.5, (min(batch, _FLIPS - start), len(size)))
        for start in range(0, _FLIPS, batch)
    )
    # plus signs minus minus signs, times the gain
    flipped = np.abs(np.concatenate([(2 * part - times) @ size for part in plus]))
    observed = abs(gains.sum())
    equal = np.abs(flipped - observed) < 1e-9  # mid-p: ties count half
    return float((flipped > observed)[~equal].sum() + equal.sum() / 2) / _FLIPS


def _distance(boot: Bootstrap, accuracy: Float[Array, " r"], leader: int, j: int) -> float:
    """Gap to the leader in standard deviations, reduced for small samples."""
    sd, gap = boot.sd(leader, j), float(accuracy[leader] - accuracy[j])
    if sd == 0:
        return 0.0 if gap == 0 else math.inf
    return gap / sd / small_sample(boot.freedom(leader, j))


def _critical(boot: Bootstrap, leader: int, j: int, q: float) -> float:
    """Gap to the leader at which t reaches its critical value."""
    if j == leader or math.isnan(q):
        return 0.0
    return SPREAD * q * small_sample(boot.freedom(leader, j)) * boot.sd(leader, j)


def _step_down(
    deviations: Float[Array, "r b"], leader: int, t: Sequence[float], p: Sequence[float]
) -> tuple[tuple[int, ...], list[float]]:
    """Candidates left when the worst can no longer be eliminated, and each one's last quantile."""
    a, b = np.triu_indices(len(deviations), 1)
    gaps = deviations[a] - deviations[b]
    gaps -= gaps.mean(1, keepdims=True)
    sd = gaps.std(1)
    a, b, gaps = (part[sd > 1e-12] for part in (a, b, gaps))
    gaps = np.abs(gaps) / sd[sd > 1e-12, None]
    tied, quantiles = np.ones(len(deviations), bool), np.full(len(deviations), math.nan)
    while tied.sum() > 1:
        # the largest studentised gap of each draw, over the pairs that remain
        pairs = gaps[tied[a] & tied[b]]
        q = float(np.quantile(pairs.max(0), 1 - _LEVEL)) if len(pairs) else _NORMAL
        quantiles[tied] = q
        rivals = np.flatnonzero(tied & (np.arange(len(tied)) != leader))
        worst = max(rivals.tolist(), key=lambda j: t[j])
        if t[worst] <= SPREAD * q or p[worst] >= _LEVEL:
            break
        tied[worst] = False
    return tuple(np.flatnonzero(tied).tolist()), quantiles.tolist()


def _visible(
    boot: Bootstrap, accuracy: Float[Array, " r"], leader: int, tied: tuple[int, ...], q: float
) -> float:
    """Smallest gap shown with 80 % power among those tied, or between the two best."""
    others = [j for j in range(len(accuracy)) if j != leader]
    if not others:
        return math.nan
    best = max(others, key=lambda j: accuracy[j])
    rivals = [j for j in tied if j != leader] or [best]
    # a gap is shown if it exceeds the critical value plus the quantile of the power
    return max(
        (SPREAD * q * small_sample(boot.freedom(leader, j)) + _POWER) * boot.bounded_sd(leader, j)
        for j in rivals
    )


def _need(groups: int, gap: float, classes: int) -> int:
    """Images a class, rounded up to tens, that would show a gap of 10 points."""
    if math.isnan(gap):
        return 0
    # the gap shrinks with the root of the number of groups
    return 10 * math.ceil(max(groups * (gap / 0.1) ** 2, 60 / classes, 5) / 10 - 1e-9)
