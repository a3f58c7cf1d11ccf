"""Which candidates rank labels best, by the rules for accuracies: pseudovalues in place of hits."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray as Array

from imrep.comparison.statistics.bootstrap import bootstrap
from imrep.comparison.statistics.gain import Gain, gains
from imrep.comparison.statistics.mean_average_precision import Precision, blocks, precision
from imrep.comparison.statistics.measures import Measure
from imrep.comparison.statistics.verdict import Verdict, judge


@dataclass(frozen=True, eq=False)
class Rankings:
    """Images whose rankings by the scores of several candidates are judged.

    Args:
        positives: Whether each image has each label.
        groups: Group of each image.
        seed: Of the blocks, the draws and the flips.
    """

    positives: Bool[Array, "n l"]
    groups: Int[Array, " n"]
    seed: int = 0

    @property
    def chance(self) -> float:
        """Mean average precision of guessing: the mean share of positives."""
        return float(self.positives.mean())

    @cached_property
    def blocks(self) -> Int[Array, " n"]:
        """Block of each image: its group, or one of 500."""
        return blocks(self.groups, self.seed)

    def precision(self, scores: Float[Array, "n l"]) -> Precision:
        """Average precision of the scores of one candidate."""
        return precision(scores, self.positives, self.blocks)

    def precision_of(self, scores: Float[Array, "q l"], images: Int[Array, " q"]) -> float:
        """Mean average precision among some of the images, over the labels that these have.

        Args:
            scores: Of those images.
            images: Their numbers; one may occur several times.
        """
        present = self.positives[images].any(0)
        block = np.unique(self.blocks[images], return_inverse=True)[1]
        if not present.any() or block.max() == 0:
            return self.chance
        own = self.positives[np.ix_(images, present)]
        return float(np.clip(precision(scores[:, present], own, block).mean, 0, 1))

    def sd(self, ranking: Precision) -> float:
        """Standard deviation of a mean average precision over resampled blocks."""
        none = np.zeros(len(self.blocks), np.int64)
        boot = bootstrap(self.values([ranking]), none, self.blocks, self.seed, self.measure)
        return float(boot.deviations[0].std())

    def gains(self, rankings: Sequence[Precision]) -> list[Gain]:
        """Every one beside the first, itself among them."""
        none = np.zeros(len(self.blocks), np.int64)
        return gains(self.values(rankings), none, self.blocks, self.seed, self.measure)

    def verdict(self, rankings: Sequence[Precision]) -> Verdict:
        """Intervals, who is tied with the best, and the smallest visible gap."""
        none = np.zeros(len(self.blocks), np.int64)
        return judge(self.values(rankings), none, self.blocks, self.seed, self.measure)

    @property
    def measure(self) -> Measure:
        """What the mean of the pseudovalues is."""
        return Measure(binomial=False, chance=self.chance)

    def values(self, rankings: Sequence[Precision]) -> Float[Array, "r n"]:
        """A number for each image: the pseudovalue of its block."""
        return np.stack([ranking.values.mean(1) for ranking in rankings])[:, self.blocks]
