"""Accuracy and cost at several image sizes, on the same folds, and whether a larger image helps."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from imrep.comparison.candidates import Candidate
from imrep.comparison.conclusions.classification import Classification
from imrep.comparison.conclusions.phrases import points, two_digits
from imrep.comparison.conclusions.sentences import Sentence
from imrep.comparison.data.labelled_dataset import LabelledDataset
from imrep.comparison.probes import predictions
from imrep.comparison.probes.encoded_candidate import EncodedCandidate
from imrep.comparison.statistics.bootstrap import bootstrap
from imrep.comparison.statistics.verdict import judge

Encode = Callable[[Sequence[Candidate], int], list[EncodedCandidate]]

ALL_FIXED = Sentence("sizes", "Every one of these reads images at a size of its own, not --sizes.")
NO_SCORES = Sentence("sizes", "Whether a larger image helps cannot be decided without scores.")


class AtSize(NamedTuple):
    """A candidate at one size."""

    size: int
    encoded: EncodedCandidate


class Interval(NamedTuple):
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float


class SizeScore(NamedTuple):
    """Accuracy of a candidate at one size.

    Attributes:
        at: The candidate and the size.
        accuracy: In [0, 1].
        gain: Accuracy minus that at the comparison's own size; None at that size itself.
    """

    at: AtSize
    accuracy: Interval
    gain: Interval | None


class SizeGain(NamedTuple):
    """Effect of another image size on one candidate.

    Attributes:
        size: Side of the image in pixels.
        gain: Accuracy there minus that at the comparison's own size, in [-1, 1].
        low: Lower end of its 95 % interval.
        high: Upper end.
        cost: Time per image over that at the comparison's own size.
        decided: Whether the difference is more than chance explains.
    """

    size: int
    gain: float
    low: float
    high: float
    cost: float
    decided: bool


class SizeComparison(NamedTuple):
    """Results at several sizes.

    Attributes:
        measured: Every candidate at every size, for its cost.
        scores: Their accuracies; empty where nothing can be scored.
        sentence: What size does to the best candidate.
    """

    measured: tuple[AtSize, ...]
    scores: tuple[SizeScore, ...]
    sentence: Sentence | None


class _Hits(NamedTuple):
    """A candidate at one size, and whether it predicted the class of each image."""

    at: AtSize
    hits: np.ndarray


def compare_sizes(
    candidates: Sequence[Candidate],
    sizes: Sequence[int],
    own_size: int,
    encode: Encode,
    dataset: LabelledDataset | None,
    classification: Classification | None,
) -> SizeComparison | None:
    """Encode at every size and compare accuracies with those at the comparison's own size.

    Args:
        candidates: All of them; those with a size of their own are left out.
        sizes: The sizes; None is returned where there are none.
        own_size: Of the comparison.
        encode: Vectors of candidates at a size.
        dataset: The images to score; None where nothing can be scored.
        classification: The result at the comparison's own size.
    """
    if not sizes:
        return None
    scaled = [candidate for candidate in candidates if not candidate.fixed_size]
    if not scaled:
        return SizeComparison((), (), ALL_FIXED)
    measured = tuple(
        AtSize(size, encoded)
        for size in sorted({*sizes, own_size})
        for encoded in encode(scaled, size)
    )
    if dataset is None or classification is None:
        return SizeComparison(measured, (), NO_SCORES)
    by_spec: dict[str, dict[int, _Hits]] = {}
    for at in measured:
        hits = predictions.predict(at.encoded, dataset).probe == dataset.labels
        by_spec.setdefault(at.encoded.spec, {})[at.size] = _Hits(at, hits)
    scores = tuple(s for by_size in by_spec.values() for s in _scores(by_size, own_size, dataset))
    best = _best(classification, [spec for spec, sides in by_spec.items() if own_size in sides])
    gains = _gains(by_spec[best], own_size, dataset) if best else []
    return SizeComparison(measured, scores, sentence(best, own_size, gains) if best else None)


def _best(classification: Classification, specs: Sequence[str]) -> str:
    """Of these specs the recommended one, else the most accurate; "" where there is none."""
    pick = "" if classification.pick is None else classification.encoded[classification.pick].spec
    ranked = sorted(
        zip(classification.encoded, classification.verdict.standings, strict=True),
        key=lambda pair: (pair[0].spec != pick, -pair[1].accuracy),
    )
    return next((encoded.spec for encoded, _ in ranked if encoded.spec in specs), "")


def _scores(by_size: dict[int, _Hits], own_size: int, dataset: LabelledDataset) -> list[SizeScore]:
    """Accuracy of one candidate at each size, and its gain over the comparison's own."""
    sizes = sorted(by_size)
    hits = np.stack([by_size[size].hits for size in sizes])
    boot = bootstrap(hits, dataset.labels, dataset.groups, dataset.seed)
    low, high = (ends.tolist() for ends in boot.intervals())
    scores = []
    for j, size in enumerate(sizes):
        gain = None
        if size != own_size and own_size in sizes:
            gain = Interval(*boot.difference(j, sizes.index(own_size)))
        accuracy = Interval(float(boot.counts.accuracy[j]), low[j], high[j])
        scores.append(SizeScore(by_size[size].at, accuracy, gain))
    return scores


def _gains(by_size: dict[int, _Hits], own_size: int, dataset: LabelledDataset) -> list[SizeGain]:
    """Each other size against the comparison's own, judged as two candidates."""
    own, gains = by_size[own_size], []
    for size, larger in sorted(by_size.items()):
        if size == own_size:
            continue
        hits = np.stack([own.hits, larger.hits])
        verdict = judge(hits, dataset.labels, dataset.groups, dataset.seed)
        boot = bootstrap(hits, dataset.labels, dataset.groups, dataset.seed)
        gains.append(
            SizeGain(
                size,
                *boot.difference(1, 0),
                cost=larger.at.encoded.cpu_ms / max(own.at.encoded.cpu_ms, 1e-9),
                decided=len(verdict.tied) == 1 and not verdict.too_few,
            )
        )
    return gains


def sentence(name: str, own_size: int, gains: Sequence[SizeGain]) -> Sentence:
    """What size does to the recommended candidate or the most accurate."""
    if not gains:
        return Sentence("sizes", f"Only one size was compared, {own_size} px.")
    decided = [_gain(gain, own_size) for gain in gains if gain.decided]
    equal = [gain for gain in gains if not gain.decided]
    parts = [f"{'; '.join(decided)}; more than chance explains"] if decided else []
    if equal:
        sizes = " or ".join(f"{gain.size} px" for gain in equal)
        listed = ", ".join(f"{_signed(g.gain)} points ({_ends(g)}) at {g.size}" for g in equal)
        parts.append(
            f"no difference between {own_size} px and {sizes} that chance does not explain "
            f"({listed})"
        )
    return Sentence("sizes", f"Size of the images, for **{name}**: {'; '.join(parts)}.")


def _gain(gain: SizeGain, own_size: int) -> str:
    more = "more" if gain.gain > 0 else "less"
    return (
        f"{gain.size} px gives {points(abs(gain.gain))} {more} than {own_size} (95% interval "
        f"{_ends(gain)}) at {two_digits(gain.cost)} times the cost"
    )


def _ends(gain: SizeGain) -> str:
    return f"{_signed(gain.low)} to {_signed(gain.high)}"


def _signed(share: float) -> str:
    percent = round(100 * share)
    return f"{percent:+d}".replace("-", "−") if percent else "0"
