"""The first sentence of a report on images of several labels: which candidate ranks them best."""

from dataclasses import dataclass

from imrep.comparison.conclusions.measure_headline import MeasureFacts
from imrep.comparison.conclusions.phrases import percent
from imrep.comparison.statistics.verdict import Standing
from imrep.plural import several


@dataclass(frozen=True, kw_only=True)
class LabelFacts(MeasureFacts):
    """The numbers of the headline; the score is the mean average precision.

    Attributes:
        labels: Number of labels.
    """

    condition = "asked for a label "

    labels: int

    def does(self, candidate: int, where: str = "") -> str:
        """Ranks unseen images with mean average precision 65%."""
        standing = self.verdict.standings[candidate]
        return (
            f"ranks unseen images with mean average precision {percent(standing.accuracy)}% (95% "
            f"interval {_interval(standing)}%; guessing gives {self._guess}%) over "
            f"{several(self.labels, 'label')}{where}"
        )

    def do_at_least(self, share: str) -> str:
        """Rank with at least 97%."""
        return f"rank unseen images with a mean average precision of at least {share}%"

    def leak(self, noise: float) -> str:
        """That noise ranks the labels."""
        return (
            f"a representation made of noise reached a mean average precision of {percent(noise)}% "
            f"(guessing gives {self._guess}%). Something leaks the labels; do not use the numbers "
            "below."
        )

    @property
    def nothing(self) -> str:
        """What none is shown to see, and how precisely the best ranks."""
        best = self.verdict.standings[self.verdict.leader]
        return (
            f"the labels**: the best has a mean average precision of {percent(best.accuracy)}% "
            f"(95% interval {_interval(best)}%), guessing gives {self._guess}%."
        )

    @property
    def counted(self) -> str:
        """The number of labels."""
        return f"; {several(self.labels, 'label')}"

    @property
    def _guess(self) -> str:
        return percent(self.verdict.chance)


def _interval(standing: Standing) -> str:
    return f"{percent(standing.low)}-{percent(standing.high)}"
