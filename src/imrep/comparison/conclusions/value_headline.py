"""The first sentence of a report on images with a number: which candidate predicts it best."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from imrep.comparison.conclusions.measure_headline import MeasureFacts
from imrep.comparison.conclusions.phrases import amount, percent, percent_range


@dataclass(frozen=True, kw_only=True)
class ValueFacts(MeasureFacts):
    """The numbers of the headline; the score is the share of the variance that is explained.

    Attributes:
        target: What is predicted, as it stands in a sentence.
        errors: Mean absolute error of each candidate, in the unit of what is predicted.
        guess_error: That of always saying the median.
        ratio: Whether a logarithm is predicted, so that an error is a factor.
    """

    unseen = " in images it has not seen"
    then = "; "

    target: str
    errors: Sequence[float]
    guess_error: float
    ratio: bool

    def does(self, candidate: int, where: str = "") -> str:
        """Explains 68% of how price varies, off by 311 on average."""
        standing = self.verdict.standings[candidate]
        interval = percent_range(standing.low, standing.high)
        error, guess = self._off(self.errors[candidate]), self._off(self.guess_error)
        return (
            f"explains {percent(standing.accuracy)}% of how {self.target} varies{where} (95% "
            f"interval {interval}%; guessing explains 0), off by {error} on average where always "
            f"saying the middle value is off by {guess}"
        )

    def do_at_least(self, share: str) -> str:
        """Explain at least 97%."""
        return f"explain at least {share}% of how {self.target} varies"

    def leak(self, noise: float) -> str:
        """That noise explains something."""
        return (
            f"a representation made of noise explained {percent(noise)}% of how {self.target} "
            f"varies (guessing explains 0). Something gives {self.target} away; do not use the "
            "numbers below."
        )

    @property
    def nothing(self) -> str:
        """What none is shown to see, and by how much the best explains it."""
        best = self.verdict.standings[self.verdict.leader]
        interval = percent_range(best.low, best.high)
        return (
            f"{self.target}**: the best explains {percent(best.accuracy)}% of how it varies (95% "
            f"interval {interval}%), guessing 0%."
        )

    def _off(self, error: float) -> str:
        """8.3; of a logarithm the factor that it stands for."""
        return f"a factor of {amount(math.exp(error))}" if self.ratio else amount(error)
