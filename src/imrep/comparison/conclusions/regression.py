"""How well each candidate predicts a number, which one to use, and what the controls show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray as Array

from imrep.comparison.conclusions import sentences, value_controls
from imrep.comparison.conclusions.headline import UNDECIDED
from imrep.comparison.conclusions.measure_headline import headline
from imrep.comparison.conclusions.recommend import recommend
from imrep.comparison.conclusions.reference import REFERENCE, reference_vectors
from imrep.comparison.conclusions.sentences import Sentence
from imrep.comparison.conclusions.value_controls import Explained
from imrep.comparison.conclusions.value_headline import ValueFacts
from imrep.comparison.data.controls import Alarm, control_vectors
from imrep.comparison.data.valued_dataset import ValuedDataset
from imrep.comparison.probes.encoded_candidate import EncodedCandidate
from imrep.comparison.probes.judging_time import announcement
from imrep.comparison.probes.learning_curve import CURVES, Point
from imrep.comparison.probes.predictions import for_each
from imrep.comparison.probes.regression import ValuePredictions
from imrep.comparison.probes.value_predictions import (
    predict_value_curve,
    predict_values_of_all,
    predict_values_of_control,
    values_stored,
)
from imrep.comparison.statistics.bootstrap import bootstrap
from imrep.comparison.statistics.explained_variance import explained, influence, reductions
from imrep.comparison.statistics.measures import EXPLAINED
from imrep.comparison.statistics.verdict import Verdict, judge
from imrep.embedding.decoded_images import Decoded
from imrep.types import Progress

_SKEWED = 2.0  # skewness beyond which a few values decide the score


@dataclass(frozen=True)
class Regression:
    """Results on images with a number.

    Args:
        dataset: The images that were scored.
        encoded: The candidates.
        predictions: What each predicts.
        verdict: Their standings by the share of the variance that they explain.
        pick: Index of the recommended candidate, None where nothing is recommended.
        headline: The sentence.
        warnings: Most serious first.
        controls: Predictions from vectors that do not depend on image content, by name.
    """

    dataset: ValuedDataset
    encoded: tuple[EncodedCandidate, ...]
    predictions: tuple[ValuePredictions, ...]
    verdict: Verdict
    pick: int | None
    headline: Sentence
    warnings: tuple[Sentence, ...]
    controls: Mapping[str, ValuePredictions]

    @property
    def best(self) -> int:
        """Index of the recommended candidate, else of the leader."""
        return self.verdict.leader if self.pick is None else self.pick


def judge_values(
    dataset: ValuedDataset,
    decoded: Decoded,
    encoded: Sequence[EncodedCandidate],
    margin: float,
    sampled_from: int | None,
    progress: Progress,
) -> Regression:
    """Score every candidate and control, and recommend one.

    Args:
        dataset: The images to score, with one number each.
        decoded: All images, for the controls.
        encoded: The candidates.
        margin: Percentage points of the variance within which cost decides.
        sampled_from: Number of images of which these are a sample; None if they are all.
        progress: Called with the step, how much of it is done, and of how much.
    """
    remaining = [each for each in encoded if not values_stored(each, dataset)]
    if text := announcement(dataset, [each.dimensions for each in remaining]):
        progress(text, 0, 0)
    predicted = predict_values_of_all(encoded, dataset, progress)
    verdict = _verdict(dataset, predicted)
    ms, size = [each.cpu_ms for each in encoded], [each.bytes for each in encoded]
    pick = recommend(verdict, ms, size, margin)
    progress("controls", 0, 1)
    controls = {
        name: predict_values_of_control(vectors, name, dataset)
        for name, vectors in control_vectors(decoded, dataset.rows).items()
    }
    raised = _alarms(dataset, verdict, controls, _reference(dataset, decoded, encoded))
    names = [each.spec for each in encoded]
    first = headline(
        ValueFacts(
            names=names,
            verdict=verdict,
            pick=pick,
            ms=ms,
            size=size,
            margin=margin,
            target=dataset.names[0],
            errors=[mean_error(dataset, each.centred) for each in predicted],
            guess_error=guess_error(dataset),
            ratio=bool(dataset.scale),
            images=len(dataset),
            groups=dataset.group_count,
            noise=next((alarm.score for alarm in raised if alarm.control == "noise"), None),
            sampled_from=sampled_from,
        )
    )
    outside = [each.candidate.precomputed for each in encoded]
    first = sentences.cautioned(first, names, outside, verdict.leader, pick)
    return Regression(
        dataset=dataset,
        encoded=tuple(encoded),
        predictions=tuple(predicted),
        verdict=verdict,
        pick=None if first.id in UNDECIDED else pick,
        headline=first,
        warnings=tuple(value_controls.warnings(raised, dataset.names[0])),
        controls=controls,
    )


def value_curves(
    regression: Regression, progress: Progress
) -> list[tuple[EncodedCandidate, tuple[Point, ...]]]:
    """The share explained with few images, of the four candidates that explain most."""
    dataset = regression.dataset
    best = [regression.encoded[j] for j in regression.verdict.best(CURVES)]
    guess = dataset.values - dataset.means

    def measured(
        centred: Float[Array, "q t"], means: Float[Array, "q t"], images: np.ndarray
    ) -> float:
        errors = dataset.values[images] - means - centred
        return float(explained(errors[:, 0], guess[images, 0]))

    curves = for_each(
        lambda encoded: predict_value_curve(encoded, dataset, "r2", measured),
        best,
        dataset,
        "images needed",
        progress,
    )
    return list(zip(best, curves, strict=True))


def errors_of(dataset: ValuedDataset, centred: Float[Array, "n t"]) -> Float[Array, " n"]:
    """True less predicted number of each image."""
    return (dataset.values - dataset.means - centred)[:, 0]


def guesses_of(dataset: ValuedDataset) -> Float[Array, " n"]:
    """True number of each image less the mean that guessing names."""
    return (dataset.values - dataset.means)[:, 0]


def mean_error(dataset: ValuedDataset, centred: Float[Array, "n t"]) -> float:
    """Mean absolute error, in the unit of what is predicted."""
    return float(np.abs(errors_of(dataset, centred)).mean())


def guess_error(dataset: ValuedDataset) -> float:
    """That of always naming the median of the training part."""
    return float(np.abs(dataset.values - dataset.medians).mean())


def skewed(dataset: ValuedDataset) -> list[Sentence]:
    """A note where a few large values decide the score and ratios can be compared instead."""
    values = dataset.values[:, 0]
    centred = values - values.mean()
    skewness = (centred**3).mean() / values.std() ** 3
    if dataset.scale or values.min() <= 0 or abs(skewness) <= _SKEWED:
        return []
    text = "A few large values decide this score; `--log` compares ratios instead."
    return [Sentence("skewed", text)]


def _verdict(dataset: ValuedDataset, predicted: Sequence[ValuePredictions]) -> Verdict:
    errors = np.stack([errors_of(dataset, each.centred) for each in predicted])
    guess, zeros = guesses_of(dataset), np.zeros(len(dataset), np.int64)
    numbers, flips = influence(errors, guess), reductions(errors, guess)
    return judge(numbers, zeros, dataset.groups, dataset.seed, EXPLAINED, flips)


def _explained(dataset: ValuedDataset, predicted: ValuePredictions | None) -> Explained | None:
    if predicted is None:
        return None
    numbers = influence(errors_of(dataset, predicted.centred)[None], guesses_of(dataset))
    zeros = np.zeros(len(dataset), np.int64)
    boot = bootstrap(numbers, zeros, dataset.groups, dataset.seed, EXPLAINED)
    return Explained(float(numbers.mean()), float(boot.deviations.std()))


def _reference(
    dataset: ValuedDataset, decoded: Decoded, encoded: Sequence[EncodedCandidate]
) -> ValuePredictions | None:
    """What HOG predicts where it is no candidate."""
    vectors = reference_vectors(decoded, dataset.rows, encoded)
    return None if vectors is None else predict_values_of_control(vectors, REFERENCE, dataset)


def _alarms(
    dataset: ValuedDataset,
    verdict: Verdict,
    controls: Mapping[str, ValuePredictions],
    reference: ValuePredictions | None,
) -> tuple[Alarm, ...]:
    best = verdict.standings[verdict.leader].accuracy
    if (hog := _explained(dataset, reference)) is not None:
        best = max(best, hog.share)
    return value_controls.alarms(
        best,
        noise=_explained(dataset, controls.get("noise")),
        file=_explained(dataset, controls.get("file facts")),
        frame=_explained(dataset, controls.get("frame")),
    )
