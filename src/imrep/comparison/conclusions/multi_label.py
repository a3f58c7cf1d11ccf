"""How well each candidate ranks images by their labels, which one to use, what controls show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from imrep.comparison.conclusions import multi_label_controls, sentences
from imrep.comparison.conclusions.headline import UNDECIDED
from imrep.comparison.conclusions.measure_headline import headline
from imrep.comparison.conclusions.multi_label_controls import Ranking
from imrep.comparison.conclusions.multi_label_headline import LabelFacts
from imrep.comparison.conclusions.recommend import recommend
from imrep.comparison.conclusions.reference import REFERENCE, reference_vectors
from imrep.comparison.conclusions.sentences import Sentence
from imrep.comparison.data import controls
from imrep.comparison.data.controls import Alarm
from imrep.comparison.data.multi_label_dataset import MultiLabelDataset
from imrep.comparison.probes import value_predictions
from imrep.comparison.probes.encoded_candidate import EncodedCandidate
from imrep.comparison.probes.judging_time import announcement
from imrep.comparison.probes.learning_curve import CURVES, Point
from imrep.comparison.probes.predictions import for_each
from imrep.comparison.probes.regression import ValuePredictions
from imrep.comparison.statistics.mean_average_precision import Precision
from imrep.comparison.statistics.precision_verdict import Rankings
from imrep.comparison.statistics.verdict import Verdict
from imrep.embedding.decoded_images import Decoded
from imrep.types import Progress


@dataclass(frozen=True)
class MultiLabel:
    """Results on images of several labels.

    Args:
        dataset: The images that were scored.
        rankings: What their rankings were judged by.
        encoded: The candidates.
        predictions: What each predicts.
        precisions: Average precision of each.
        verdict: Their standings by mean average precision.
        pick: Index of the recommended candidate, None where nothing is recommended.
        headline: The sentence.
        warnings: Most serious first.
        controls: Average precision of vectors that do not depend on image content, by name.
    """

    dataset: MultiLabelDataset
    rankings: Rankings
    encoded: tuple[EncodedCandidate, ...]
    predictions: tuple[ValuePredictions, ...]
    precisions: tuple[Precision, ...]
    verdict: Verdict
    pick: int | None
    headline: Sentence
    warnings: tuple[Sentence, ...]
    controls: Mapping[str, Precision]

    @property
    def best(self) -> int:
        """Index of the recommended candidate, else of the leader."""
        return self.verdict.leader if self.pick is None else self.pick


def judge_labels(
    dataset: MultiLabelDataset,
    decoded: Decoded,
    encoded: Sequence[EncodedCandidate],
    margin: float,
    sampled_from: int | None,
    progress: Progress,
) -> MultiLabel:
    """Score every candidate and control, and recommend one.

    Args:
        dataset: The images to score.
        decoded: All images, for the controls.
        encoded: The candidates.
        margin: Percentage points of mean average precision within which cost decides.
        sampled_from: Number of images of which these are a sample; None if they are all.
        progress: Called with the step, how much of it is done, and of how much.
    """
    predicted = _predict(dataset, encoded, progress)
    rankings = Rankings(dataset.positives, dataset.groups, dataset.seed)
    precisions = [rankings.precision(each.centred) for each in predicted]
    verdict = rankings.verdict(precisions)
    ms, size = [each.cpu_ms for each in encoded], [each.bytes for each in encoded]
    pick = recommend(verdict, ms, size, margin)
    progress("controls", 0, 1)
    by_control = _controls(dataset, rankings, decoded)
    reference = _reference(dataset, rankings, decoded, encoded)
    raised = _alarms(rankings, max(each.mean for each in precisions + reference), by_control)
    names = [each.spec for each in encoded]
    first = headline(
        LabelFacts(
            names=names,
            verdict=verdict,
            pick=pick,
            ms=ms,
            size=size,
            margin=margin,
            images=len(dataset),
            groups=len(np.unique(dataset.groups)),
            labels=len(dataset.names),
            noise=next((alarm.score for alarm in raised if alarm.control == "noise"), None),
            sampled_from=sampled_from,
        )
    )
    outside = [each.candidate.precomputed for each in encoded]
    first = sentences.cautioned(first, names, outside, verdict.leader, pick)
    return MultiLabel(
        dataset=dataset,
        rankings=rankings,
        encoded=tuple(encoded),
        predictions=tuple(predicted),
        precisions=tuple(precisions),
        verdict=verdict,
        pick=None if first.id in UNDECIDED else pick,
        headline=first,
        warnings=tuple(multi_label_controls.warnings(raised)),
        controls=by_control,
    )


def learning_curves(
    results: MultiLabel, progress: Progress
) -> list[tuple[EncodedCandidate, tuple[Point, ...]]]:
    """Mean average precision with few images, of the four candidates that rank best."""
    valued = results.dataset.valued
    best = [results.encoded[j] for j in results.verdict.best(CURVES)]

    def curve(encoded: EncodedCandidate) -> tuple[Point, ...]:
        return value_predictions.predict_value_curve(
            encoded,
            valued,
            "mean average precision",
            lambda scores, _, images: results.rankings.precision_of(scores, images),
        )

    curves = for_each(curve, best, valued, "labels needed", progress)
    return list(zip(best, curves, strict=True))


def _predict(
    dataset: MultiLabelDataset, encoded: Sequence[EncodedCandidate], progress: Progress
) -> list[ValuePredictions]:
    valued = dataset.valued
    remaining = [each for each in encoded if not value_predictions.values_stored(each, valued)]
    if text := announcement(valued, [each.dimensions for each in remaining]):
        progress(text, 0, 0)
    return value_predictions.predict_values_of_all(encoded, valued, progress)


def _controls(
    dataset: MultiLabelDataset, rankings: Rankings, decoded: Decoded
) -> dict[str, Precision]:
    return {
        name: _precision(dataset, rankings, vectors, name)
        for name, vectors in controls.control_vectors(decoded, dataset.rows).items()
    }


def _reference(
    dataset: MultiLabelDataset,
    rankings: Rankings,
    decoded: Decoded,
    encoded: Sequence[EncodedCandidate],
) -> list[Precision]:
    """That of HOG, where it is no candidate."""
    vectors = reference_vectors(decoded, dataset.rows, encoded)
    return [] if vectors is None else [_precision(dataset, rankings, vectors, REFERENCE)]


def _precision(
    dataset: MultiLabelDataset, rankings: Rankings, vectors: np.ndarray, name: str
) -> Precision:
    predicted = value_predictions.predict_values_of_control(vectors, name, dataset.valued)
    return rankings.precision(predicted.centred)


def _alarms(
    rankings: Rankings, best: float, by_control: Mapping[str, Precision]
) -> tuple[Alarm, ...]:
    ranked = {
        name: Ranking(each.mean, rankings.sd(each))
        for name, each in by_control.items()
        if name != "file bytes"  # they depend on content
    }
    return multi_label_controls.alarms(
        rankings.chance,
        best,
        noise=ranked.get("noise"),
        file=ranked.get("file facts"),
        frame=ranked.get("frame"),
    )
