"""Scores and cost at several image sizes, on the same images, and whether another size helps."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from imrep.comparison.candidates import Candidate
from imrep.comparison.conclusions.multi_label import MultiLabel
from imrep.comparison.conclusions.phrases import listed, percent, points, two_digits
from imrep.comparison.conclusions.regression import errors_of, guesses_of
from imrep.comparison.conclusions.sentences import Sentence
from imrep.comparison.data.labelled_dataset import LabelledDataset
from imrep.comparison.data.valued_dataset import ValuedDataset
from imrep.comparison.diagnostics.retrieval import Objects, average_precision
from imrep.comparison.probes import predictions
from imrep.comparison.probes.encoded_candidate import EncodedCandidate
from imrep.comparison.probes.value_predictions import predict_values
from imrep.comparison.statistics.bootstrap import bootstrap
from imrep.comparison.statistics.explained_variance import influence
from imrep.comparison.statistics.many_to_one import Interval, differences
from imrep.comparison.statistics.measures import EXPLAINED, HITS, Measure
from imrep.comparison.statistics.verdict import Verdict, judge, p_flip

Encode = Callable[[Sequence[Candidate], int], list[EncodedCandidate]]

ALL_FIXED = Sentence("sizes", "Every one of these reads images at a size of its own, not --sizes.")
NO_SCORES = Sentence("sizes", "Whether a larger image helps cannot be decided without scores.")
_LEVEL = 0.05  # of the sign-flip test


class Trial(NamedTuple):
    """What is scored at every size.

    Attributes:
        metric: Of results.jsonl: "probe" (accuracy), "r2" (of numbers), "precision" (of several
            labels) or "retrieval" (mean average precision).
        score: Hit, influence, pseudovalue or precision of each image.
        labels: Class of each of them.
        groups: Group of each of them.
        seed: Of the draws.
        measure: What the mean of the scores is.
    """

    metric: str
    score: Callable[[EncodedCandidate], np.ndarray]
    labels: np.ndarray
    groups: np.ndarray
    seed: int
    measure: Measure = HITS


class Judged(Protocol):
    """The result at the comparison's own size: of classification or of retrieval."""

    @property
    def encoded(self) -> Sequence[EncodedCandidate]:
        """The candidates."""

    @property
    def verdict(self) -> Verdict:
        """Their standings."""

    @property
    def pick(self) -> int | None:
        """Index of the recommended one."""


class AtSize(NamedTuple):
    """A candidate at one size."""

    size: int
    encoded: EncodedCandidate


class SizeScore(NamedTuple):
    """Score of a candidate at one size.

    Attributes:
        at: The candidate and the size.
        score: At most 1.
        gain: Score minus that at the comparison's own size; None at that size itself. The
            intervals of one candidate's gains hold together.
        decided: Whether the gain is more than chance explains.
        cost: Time per image over that at the comparison's own size.
    """

    at: AtSize
    score: Interval
    gain: Interval | None = None
    decided: bool = False
    cost: float = 1.0


class Leader(NamedTuple):
    """A size at which the candidate of the sentence is not among the best.

    Attributes:
        size: In pixels.
        spec: The best there.
        score: Its score there.
        other: That of the candidate of the sentence.
    """

    size: int
    spec: str
    score: float
    other: float


class SizeComparison(NamedTuple):
    """Results at several sizes.

    Attributes:
        metric: Of the scores, as results.jsonl names it.
        measured: Every candidate at every size, for its cost.
        scores: Their scores; empty where nothing can be scored.
        sentence: What size does to the best candidate.
    """

    metric: str
    measured: tuple[AtSize, ...]
    scores: tuple[SizeScore, ...]
    sentence: Sentence | None


Scores = dict[int, tuple[AtSize, np.ndarray]]  # of one candidate, by size


def classes(dataset: LabelledDataset) -> Trial:
    """Whether the class of each image is predicted."""

    def hits(encoded: EncodedCandidate) -> np.ndarray:
        return predictions.predict(encoded, dataset).probe == dataset.labels

    return Trial("probe", hits, dataset.labels, dataset.groups, dataset.seed)


def numbers(dataset: ValuedDataset) -> Trial:
    """How much of the number's variance is explained."""

    def influences(encoded: EncodedCandidate) -> np.ndarray:
        errors = errors_of(dataset, predict_values(encoded, dataset).centred)
        return influence(errors[None], guesses_of(dataset))[0]

    zeros = np.zeros(len(dataset), np.int64)
    return Trial("r2", influences, zeros, dataset.groups, dataset.seed, EXPLAINED)


def labels(results: MultiLabel) -> Trial:
    """How precisely the images are ranked by their labels."""
    dataset, rankings = results.dataset, results.rankings

    def pseudovalues(encoded: EncodedCandidate) -> np.ndarray:
        scores = predict_values(encoded, dataset.valued).centred
        return rankings.values([rankings.precision(scores)])[0]

    zeros = np.zeros(len(dataset), np.int64)
    return Trial("precision", pseudovalues, zeros, rankings.blocks, dataset.seed, rankings.measure)


def objects(objects: Objects, seed: int) -> Trial:
    """How precisely the images of an object retrieve each other."""

    def precision(encoded: EncodedCandidate) -> np.ndarray:
        return average_precision(encoded.vectors(np.arange(len(objects.groups))), objects.groups)

    labels = np.zeros(len(objects.queries), np.int64)
    return Trial("retrieval", precision, labels, objects.queries, seed)


def compare_sizes(
    candidates: Sequence[Candidate],
    sizes: Sequence[int],
    own_size: int,
    encode: Encode,
    trial: Trial | None,
    judged: Judged | None,
) -> SizeComparison | None:
    """Encode at every size and compare the scores with those at the comparison's own size.

    Args:
        candidates: All of them; those with a size of their own are left out.
        sizes: The sizes; None is returned where there are none.
        own_size: Of the comparison.
        encode: Vectors of candidates at a size.
        trial: What is scored; None where nothing can be.
        judged: The result at the comparison's own size.
    """
    if not sizes:
        return None
    scaled = [candidate for candidate in candidates if not candidate.fixed_size]
    if not scaled:
        return SizeComparison("", (), (), ALL_FIXED)
    measured = tuple(
        AtSize(size, encoded)
        for size in sorted({*sizes, own_size})
        for encoded in encode(scaled, size)
    )
    if trial is None or judged is None:
        return SizeComparison("", measured, (), NO_SCORES)
    by_spec: dict[str, Scores] = {}
    for at in measured:
        by_spec.setdefault(at.encoded.spec, {})[at.size] = (at, trial.score(at.encoded))
    scores = {spec: _scores(by_size, own_size, trial) for spec, by_size in by_spec.items()}
    best = _best(judged, [spec for spec, by_size in by_spec.items() if own_size in by_size])
    text = None
    if best:
        too_few = judged.verdict.too_few
        leaders = [] if too_few else _leaders(by_spec, best, own_size, trial)
        text = sentence(best, own_size, scores[best], leaders, too_few)
    flat = tuple(score for of_spec in scores.values() for score in of_spec)
    return SizeComparison(trial.metric, measured, flat, text)


def _best(judged: Judged, specs: Sequence[str]) -> str:
    """Of these specs the recommended one, else the most accurate; "" where there is none."""
    pick = "" if judged.pick is None else judged.encoded[judged.pick].spec
    ranked = sorted(
        zip(judged.encoded, judged.verdict.standings, strict=True),
        key=lambda pair: (pair[0].spec != pick, -pair[1].accuracy),
    )
    return next((encoded.spec for encoded, _ in ranked if encoded.spec in specs), "")


def _scores(by_size: Scores, own_size: int, trial: Trial) -> list[SizeScore]:
    """Score of one candidate at each size, and its gain over the comparison's own."""
    sizes = sorted(by_size)
    hits = np.stack([by_size[size][1] for size in sizes])
    boot = bootstrap(hits, trial.labels, trial.groups, trial.seed, trial.measure)
    values = boot.counts.accuracy.tolist()
    ends = (each.tolist() for each in boot.intervals())
    intervals = [Interval(*triple) for triple in zip(values, *ends, strict=True)]
    if own_size not in sizes:
        return [
            SizeScore(by_size[size][0], interval)
            for size, interval in zip(sizes, intervals, strict=True)
        ]
    own = sizes.index(own_size)
    gains = differences(boot, own)
    ms = [by_size[size][0].encoded.cpu_ms for size in sizes]
    return [
        SizeScore(
            by_size[size][0],
            intervals[j],
            gain=gains[j],
            decided=_decided(gains[j], hits[j], hits[own], trial),
            cost=ms[j] / max(ms[own], 1e-9),
        )
        for j, size in enumerate(sizes)
    ]


def _decided(gain: Interval | None, hits: np.ndarray, own: np.ndarray, trial: Trial) -> bool:
    """Whether the interval excludes zero and the sign-flip test agrees."""
    if gain is None or gain.low <= 0 <= gain.high:
        return False
    return p_flip(hits, own, trial.labels, trial.groups, trial.seed) < _LEVEL


def _leaders(by_spec: dict[str, Scores], best: str, own_size: int, trial: Trial) -> list[Leader]:
    """The other sizes at which `best` is not tied with the best."""
    leaders = []
    for size in sorted({size for by_size in by_spec.values() for size in by_size} - {own_size}):
        specs = [spec for spec, by_size in by_spec.items() if size in by_size]
        if best not in specs or len(specs) < 2:
            continue
        hits = np.stack([by_spec[spec][size][1] for spec in specs])
        verdict = judge(hits, trial.labels, trial.groups, trial.seed, trial.measure)
        j = specs.index(best)
        if j not in verdict.tied:
            first, own = verdict.standings[verdict.leader], verdict.standings[j]
            leaders.append(Leader(size, specs[verdict.leader], first.accuracy, own.accuracy))
    return leaders


def sentence(
    name: str,
    own_size: int,
    scores: Sequence[SizeScore],
    leaders: Sequence[Leader] = (),
    too_few: bool = False,
) -> Sentence:
    """What size does to the recommended candidate or the most accurate."""
    others = [score for score in scores if score.gain is not None]
    if not others:
        return Sentence("sizes", f"Only one size was compared, {own_size} px.")
    decided = [score for score in others if score.decided and not too_few]
    close = [score for score in others if score not in decided]
    parts = []
    if decided:
        joined = "; ".join(_gain(score, own_size) for score in decided)
        parts.append(f"{joined}; more than chance explains")
    if close:
        parts.append(_close(close, own_size))
    texts = [f"Image size, for **{name}**: {'; '.join(parts)}."]
    texts += [_leader(leader, name) for leader in leaders]
    return Sentence("sizes", " ".join(texts))


def _gain(score: SizeScore, own_size: int) -> str:
    """128 px gives 6 points more than 64 (95% interval +2 to +10) at 4 times the cost."""
    gain = score.gain
    assert gain is not None  # the own size is left out
    more = "more" if gain.value > 0 else "less"
    return (
        f"{score.at.size} px gives {points(abs(gain.value))} {more} than {own_size} (95% interval "
        f"{signed(gain.low)} to {signed(gain.high)}) at {two_digits(score.cost)} times the cost"
    )


def _close(scores: Sequence[SizeScore], own_size: int) -> str:
    """Between 64 px and 32 or 128 px chance explains the difference (−1 and +2 points)."""
    sizes = " or ".join(str(score.at.size) for score in scores)
    gains = listed([signed(score.gain.value) for score in scores if score.gain is not None])
    noun = "point" if gains in ("+1", "−1") else "points"
    differences = "difference" if len(scores) == 1 else "differences"
    explains = f"chance can explain the {differences} between {own_size} px and {sizes} px"
    return f"{explains} ({gains} {noun})"


def _leader(leader: Leader, name: str) -> str:
    return (
        f"At {leader.size} px **{leader.spec}** comes first, with {percent(leader.score)}% "
        f"({name} {percent(leader.other)}%)."
    )


def signed(share: float) -> str:
    """+6, −12; a tenth where whole points would round to zero: +0.4."""
    rounded, tenths = round(100 * share), round(1000 * share) / 10
    text = f"{rounded:+d}" if rounded else f"{tenths:+.1f}" if tenths else "0"
    return text.replace("-", "−")
