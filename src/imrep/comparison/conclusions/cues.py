"""What the classes hang on: what the accuracy loses with each property of the images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from imrep.comparison.conclusions.classification import Classification
from imrep.comparison.conclusions.phrases import enumerated, points
from imrep.comparison.conclusions.recommend import FREE_MS
from imrep.comparison.conclusions.sentences import Sentence
from imrep.comparison.conclusions.together import UNJUDGED
from imrep.comparison.data.group_sample import group_sample
from imrep.comparison.data.labelled_dataset import LabelledDataset
from imrep.comparison.diagnostics.cues.scores import predict_variants
from imrep.comparison.diagnostics.cues.variants import VARIANTS
from imrep.comparison.probes.combination import combine
from imrep.comparison.probes.encoded_candidate import EncodedCandidate
from imrep.comparison.state import State
from imrep.comparison.statistics.gain import Gain, gains

_IMAGES, _NETWORK_IMAGES = 500, 200
_LOSSES = 3  # that the sentence names
_NARROW = 0.1  # width of an interval that shows that nothing is lost
_ACTION = {  # of the sentence
    "no colour": "taking the colour away",
    "colour only": "leaving only the colour",
    "8 px only": "leaving only 8 × 8 pixels",
    "fine detail only": "leaving only the fine detail",
    "blocks shuffled": "shuffling the layout",
    "edges only": "leaving only the outlines",
    "same exposure": "giving all the same exposure",
}
_MISLEADING = {  # where a variant does better than the images as they are
    "no colour": "without colour it does better: colour misleads here",
    "colour only": "with the colour alone it does better: light and dark mislead here",
    "8 px only": "with 8 × 8 pixels it does better: fine detail misleads here",
    "fine detail only": (
        "with the fine detail alone it does better: large shapes and colours mislead here"
    ),
    "blocks shuffled": "with the layout shuffled it does better: layout misleads here",
    "edges only": "with the outlines alone it does better: all else misleads here",
    "same exposure": "with the same exposure it does better: brightness and contrast mislead here",
}


@dataclass(frozen=True)
class Cues:
    """Accuracies on the variants of the images, beside that on the images themselves.

    Args:
        judged: The network, if it is judged alone; None for the combination of those under a
            millisecond.
        dataset: The images.
        scores: By variant, the images as they are among them.
        parts: What is combined.
    """

    judged: EncodedCandidate | None
    dataset: LabelledDataset
    scores: Mapping[str, Gain]
    parts: tuple[EncodedCandidate, ...] = ()


def find_cues(
    dataset: LabelledDataset, classification: Classification, state: State
) -> tuple[Cues, ...]:
    """What the classes hang on by all contenders under a millisecond, and by a network.

    The first is a combination that is fitted to each variant from start to end, of contenders that
    have no codebook to fit; the second is the most accurate of the pretrained networks, alone and
    on fewer images. Each is left out where there is no such contender that takes all variants, or
    where the images are too few for a verdict.

    Args:
        dataset: The images that were scored.
        classification: The candidates' results.
        state: The decoded images.
    """
    if classification.headline.id in UNJUDGED:
        return ()
    contenders = [each for each in classification.encoded if each.candidate.role == "contender"]
    # a codebook that is fitted anew in each fold of each variant takes longer than all others
    cheap = [each for each in contenders if each.cpu_ms < FREE_MS and not each.fitted_on]
    measured = (
        _combined(cheap, dataset, state) if cheap else None,
        _network(classification, dataset, state),
    )
    return tuple(cues for cues in measured if cues is not None)


def sentence(measured: Sequence[Cues]) -> list[Sentence]:
    """What the classes hang on by the combination; nothing where no variant shows anything."""
    scores = next((cues.scores for cues in measured if cues.judged is None), {})
    varied = {name: scores[name] for name in VARIANTS if name in scores}
    losses = {name: -each.gain for name, each in varied.items() if each.gain_high < 0}
    harmless = [
        name
        for name, each in varied.items()
        if each.gain_low <= 0 <= each.gain_high and each.gain_high - each.gain_low < _NARROW
    ]
    misleading = [_MISLEADING[name] for name, each in varied.items() if each.gain_low > 0]
    first = "; ".join(filter(None, [_costly(losses), _harmless(harmless)]))
    texts = [first, *map(_capital, misleading)] if first else misleading
    if not texts:
        return []
    return [Sentence("cues", f"**What the classes hang on:** {'. '.join(texts)}.")]


def _combined(
    cheap: Sequence[EncodedCandidate], dataset: LabelledDataset, state: State
) -> Cues | None:
    sample = group_sample(dataset, _IMAGES)
    if sample is None:
        return None
    parts, predicted = predict_variants(cheap, sample, sample is dataset, state)
    if not parts:
        return None
    probes = {
        name: combine([each.folds for each in own], sample.labels, sample.groups, sample.folds)
        for name, own in predicted.items()
    }
    scores = _gains(sample, {name: made.probe for name, made in probes.items()})
    return Cues(None, sample, scores, parts)


def _network(classification: Classification, dataset: LabelledDataset, state: State) -> Cues | None:
    """The most accurate contender that is a pretrained network."""
    pairs = zip(classification.encoded, classification.verdict.standings, strict=True)
    networks = [
        (standing.accuracy, encoded)
        for encoded, standing in pairs
        if encoded.candidate.role == "contender"
        and encoded.candidate.pretrained
        and not encoded.trained
    ]
    sample = group_sample(dataset, _NETWORK_IMAGES) if networks else None
    if sample is None:
        return None
    _, network = max(networks, key=lambda pair: pair[0])
    taken, predicted = predict_variants([network], sample, sample is dataset, state)
    if not taken:
        return None
    scores = _gains(sample, {name: own.probe for name, (own,) in predicted.items()})
    return Cues(network, sample, scores)


def _gains(sample: LabelledDataset, probes: Mapping[str, np.ndarray]) -> dict[str, Gain]:
    """By variant, from the class of each image."""
    hits = np.stack(list(probes.values())) == sample.labels
    results = gains(hits, sample.labels, sample.groups, sample.seed)
    return dict(zip(probes, results, strict=True))


def _costly(losses: Mapping[str, float]) -> str:
    """Taking the colour away costs 13 points, shuffling the layout 9."""
    largest = sorted(losses, key=lambda name: -losses[name])[:_LOSSES]
    texts = [f"{_ACTION[name]} {points(losses[name]).split()[0]}" for name in largest]
    if not texts:
        return ""
    return ", ".join([f"{_ACTION[largest[0]]} costs {points(losses[largest[0]])}", *texts[1:]])


def _harmless(names: Sequence[str]) -> str:
    """Shuffling the layout costs nothing that this folder can show."""
    if not names:
        return ""
    actions, verb = enumerated([_ACTION[name] for name in names]), "cost" + "s" * (len(names) == 1)
    return f"{actions} {verb} nothing that this folder can show"


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
