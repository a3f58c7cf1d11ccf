"""How many images get their class by its name alone, beside what classifiers learn from labels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from imrep.base import Bilingual
from imrep.comparison.conclusions.phrases import percent, percent_range
from imrep.comparison.conclusions.sentences import Sentence
from imrep.comparison.data.labelled_dataset import LabelledDataset
from imrep.comparison.probes.encoded_candidate import EncodedCandidate
from imrep.comparison.statistics.bootstrap import bootstrap
from imrep.errors import ImrepError
from imrep.language import prompts, zeroshot
from imrep.types import Progress

NUMBERS = "numbers"
"""What most names of classes are, where what fits them is chance."""
WORDS = "words"


@dataclass(frozen=True)
class ByNames:
    """Zero-shot classification by one candidate.

    Args:
        encoded: The candidate.
        accuracy: Balanced, in [0, 1]; of the images that the others were scored on.
        low: Lower end of its 95 % interval.
        high: Upper end.
        names: "words", or "numbers" where these say nothing.
        reason: Why there is none; then the numbers are 0.
    """

    encoded: EncodedCandidate
    accuracy: float
    low: float
    high: float
    names: str
    reason: str = ""

    @property
    def sentence(self) -> Sentence:
        """A note on it."""
        spec = self.encoded.spec
        if self.reason:
            return Sentence("names", f"{spec} by the names of the classes: {self.reason}")
        text = (
            f"No labels needed: by the names of the classes alone, {spec} is right for "
            f"{percent(self.accuracy)}% ({percent_range(self.low, self.high)})."
        )
        if self.names == NUMBERS:
            text += " These names are numbers, which say nothing: rename the classes to words."
        return Sentence("names", text)


def by_names(
    dataset: LabelledDataset, encoded: Sequence[EncodedCandidate], progress: Progress
) -> list[ByNames]:
    """Of every candidate that embeds text, in their order.

    Args:
        dataset: The images to score.
        encoded: The candidates.
        progress: Called with a phrase, the number done and the total.
    """
    nameless = sum(not prompts.has_words(name) for name in dataset.classes)
    names = NUMBERS if nameless > len(dataset.classes) / 2 else WORDS
    scores = []
    for each in encoded:
        rep = each.parts[0].rep
        if len(each.parts) > 1 or not isinstance(rep, Bilingual):
            continue
        words = [prompts.readable(name) for name in dataset.classes]
        try:
            classifier = zeroshot.classifier(rep, words, progress=progress)
        except ImrepError as error:  # a vocabulary that is absent, for example
            scores.append(ByNames(each, 0.0, 0.0, 0.0, names, str(error)))
            continue
        best = classifier.similarities(each.vectors(dataset.rows)).argmax(1)
        hits = np.asarray(best == dataset.labels)[None]
        resampled = bootstrap(hits, dataset.labels, dataset.groups, dataset.seed)
        (low,), (high,) = resampled.intervals()
        accuracy = float(resampled.counts.accuracy[0])
        scores.append(ByNames(each, accuracy, float(low), float(high), names))
    return scores
