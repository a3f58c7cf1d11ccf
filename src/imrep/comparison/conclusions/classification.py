"""How well each candidate predicts the classes, which one to use, and what the controls show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from imrep.comparison.conclusions import sentences
from imrep.comparison.conclusions.headline import UNDECIDED, Facts, headline
from imrep.comparison.conclusions.recommend import recommend
from imrep.comparison.conclusions.reference import REFERENCE, reference_vectors
from imrep.comparison.conclusions.sentences import Sentence
from imrep.comparison.data import controls
from imrep.comparison.data.controls import Alarm, Score
from imrep.comparison.data.labelled_dataset import LabelledDataset
from imrep.comparison.probes import predictions
from imrep.comparison.probes.classifier import Predictions
from imrep.comparison.probes.encoded_candidate import EncodedCandidate
from imrep.comparison.probes.judging_time import announcement
from imrep.comparison.probes.learning_curve import CURVES, Point
from imrep.comparison.statistics.verdict import Verdict, judge
from imrep.embedding.decoded_images import Decoded
from imrep.errors import BadData
from imrep.types import Progress


@dataclass(frozen=True)
class Classification:
    """Results on labelled images.

    Args:
        encoded: The candidates.
        predictions: The class each predicts.
        verdict: Their standings.
        pick: Index of the recommended candidate, None where nothing is recommended.
        headline: The sentence.
        warnings: Most serious first.
        controls: Predictions from vectors that do not depend on image content, by name.
    """

    encoded: tuple[EncodedCandidate, ...]
    predictions: tuple[Predictions, ...]
    verdict: Verdict
    pick: int | None
    headline: Sentence
    warnings: tuple[Sentence, ...]
    controls: Mapping[str, Predictions]


def classify(
    dataset: LabelledDataset,
    decoded: Decoded,
    encoded: Sequence[EncodedCandidate],
    margin: float,
    sampled_from: int | None,
    progress: Progress,
) -> Classification:
    """Score every candidate and control, and recommend one.

    Args:
        dataset: The images to score.
        decoded: All images, for the controls.
        encoded: The candidates.
        margin: Percentage points of accuracy within which cost decides.
        sampled_from: Number of images of which these are a sample; None if they are all.
        progress: Called with the step, how much of it is done, and of how much.
    """
    remaining = [each for each in encoded if not predictions.is_stored(each, dataset)]
    if text := announcement(dataset, [each.dimensions for each in remaining]):
        progress(text, 0, 0)
    scored = predictions.predict_all(encoded, dataset, progress)
    hits = np.stack([predicted.probe == dataset.labels for predicted in scored])
    verdict = judge(hits, dataset.labels, dataset.groups, dataset.seed)
    ms = [candidate.cpu_ms for candidate in encoded]
    size = [candidate.bytes for candidate in encoded]
    pick = recommend(verdict, ms, size, margin)
    progress("controls", 0, 1)
    control_predictions = _controls(dataset, decoded)
    reference = _reference_score(dataset, decoded, encoded)
    alarms = _alarms(dataset, scored, control_predictions, reference)
    first = headline(
        Facts(
            names=[candidate.spec for candidate in encoded],
            verdict=verdict,
            pick=pick,
            ms=ms,
            size=size,
            class_sizes=dataset.class_sizes,
            margin=margin,
            groups=dataset.groups_per_class,
            group_count=len(np.unique(dataset.groups)),
            noise=next((alarm.score for alarm in alarms if alarm.control == "noise"), None),
            images=sampled_from,
        )
    )
    first = sentences.cautioned(
        first,
        [candidate.spec for candidate in encoded],
        [candidate.candidate.precomputed for candidate in encoded],
        verdict.leader,
        pick,
    )
    return Classification(
        encoded=tuple(encoded),
        predictions=tuple(scored),
        verdict=verdict,
        pick=None if first.id in UNDECIDED else pick,
        headline=first,
        warnings=tuple(_warnings(alarms)),
        controls=control_predictions,
    )


def repeats(classification: Classification, dataset: LabelledDataset) -> tuple[Sentence, ...]:
    """A note on candidates whose neighbours beat the probe, where there are several.

    Images of one object or session explain that; the user can group them.
    """
    scores = [_score(predicted, dataset) for predicted in classification.predictions]
    ahead = controls.neighbours_ahead(scores)
    if not ahead:
        return ()
    lead = float(np.median([scores[j].knn - scores[j].probe for j in ahead]))
    return (sentences.repeats(lead, [classification.encoded[j].spec for j in ahead]),)


def blind(
    candidates: Sequence[EncodedCandidate],
    verdict: Verdict,
    names: Sequence[str],
    what: str = "the classes",
) -> list[Sentence]:
    """A note on those of these candidates that predict nothing of it, where another one does."""
    if not any(standing.low > verdict.chance for standing in verdict.standings):
        return []
    pairs = zip(candidates, verdict.standings, strict=True)
    return [
        sentences.blind(encoded.spec, what)
        for encoded, standing in pairs
        if encoded.spec in names and standing.low <= verdict.chance <= standing.high
    ]


def learning_curves(
    classification: Classification, dataset: LabelledDataset, progress: Progress
) -> list[tuple[EncodedCandidate, tuple[Point, ...]]]:
    """Accuracy with few labels, of the four most accurate candidates.

    What learns from labels is trained for every draw of every point; it has no curve where that
    fails, with a loss that is not finite.
    """
    best = [classification.encoded[j] for j in classification.verdict.best(CURVES)]
    best = [each for each in best if not each.trained or _can_be_drawn(each, dataset, progress)]
    curves = predictions.for_each(
        lambda encoded: predictions.predict_curve(encoded, dataset),
        best,
        dataset,
        "labels needed",
        progress,
    )
    return list(zip(best, curves, strict=True))


def _can_be_drawn(encoded: EncodedCandidate, dataset: LabelledDataset, progress: Progress) -> bool:
    """Compute the curve of what is trained, which the cache then has, on this thread alone.

    The generators of random numbers that training seeds are those of the process.
    """
    try:
        predictions.predict_curve(encoded, dataset, progress)
    except BadData:
        return False
    return True


def _controls(dataset: LabelledDataset, decoded: Decoded) -> dict[str, Predictions]:
    return {
        name: predictions.predict_control(vectors, name, dataset)
        for name, vectors in controls.control_vectors(decoded, dataset.rows).items()
    }


def _reference_score(
    dataset: LabelledDataset, decoded: Decoded, encoded: Sequence[EncodedCandidate]
) -> Score | None:
    """Score of HOG where it is no candidate."""
    vectors = reference_vectors(decoded, dataset.rows, encoded)
    if vectors is None:
        return None
    return _score(predictions.predict_control(vectors, REFERENCE, dataset), dataset)


def _alarms(
    dataset: LabelledDataset,
    scored: Sequence[Predictions],
    control_predictions: Mapping[str, Predictions],
    reference: Score | None,
) -> tuple[Alarm, ...]:
    by_control = {name: _score(scores, dataset) for name, scores in control_predictions.items()}
    return controls.alarms(
        dataset.class_sizes,
        [_score(predicted, dataset) for predicted in scored],
        noise=by_control.get("noise"),
        file=by_control.get("file facts"),
        frame=by_control.get("frame"),
        hog=reference,
    )


def _warnings(alarms: Sequence[Alarm]) -> list[Sentence]:
    """The sentences of alarms that do not replace the headline."""
    warnings = []
    for alarm in alarms:
        if alarm.control == "file":
            warnings.append(sentences.file_facts(alarm.score, alarm.chance))
        elif alarm.control == "frame":
            warnings.append(sentences.frame(alarm.score, alarm.share))
    return warnings


def _score(predicted: Predictions, dataset: LabelledDataset) -> Score:
    return Score(predicted.accuracy(dataset.labels), predicted.knn_accuracy(dataset.labels))
