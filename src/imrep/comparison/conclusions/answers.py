"""Which contender serves the folder best: predictions, verdict, controls, and what may be said."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from imrep.comparison.conclusions import sentences
from imrep.comparison.conclusions.recommend import recommend
from imrep.comparison.conclusions.sentences import Sentence
from imrep.comparison.data import controls
from imrep.comparison.data.labelled_dataset import Folder
from imrep.comparison.probes import predictions
from imrep.comparison.probes.classifier import Predictions, balanced_accuracy
from imrep.comparison.probes.predictions import Coded
from imrep.comparison.settings import Settings
from imrep.comparison.statistics.verdict import Verdict, judge
from imrep.embedding import encode
from imrep.embedding.decoded_images import Progress
from imrep.registry import catalog

_UNDECIDED = ("noise", "too few", "none")  # headlines after which nothing is recommended
_SAID: dict[str, Callable[..., Sentence]] = {
    "file": sentences.file_facts,
    "frame": sentences.frame,
}
_YARDSTICK = "hog"  # sees most classes, so that the frame has something to be compared with


@dataclass(frozen=True)
class Answers:
    """What a labelled folder says.

    Args:
        coded: The contenders.
        predictions: What each named.
        verdict: How they stand.
        pick: The recommended contender's place, None where nothing is recommended.
        headline: The sentence.
        warnings: Most serious first.
        notes: Other remarks that rest on the labels.
        controls: What codes that cannot see the picture named, by name.
    """

    coded: tuple[Coded, ...]
    predictions: tuple[Predictions, ...]
    verdict: Verdict
    pick: int | None
    headline: Sentence
    warnings: tuple[Sentence, ...]
    notes: tuple[Sentence, ...]
    controls: Mapping[str, Predictions]


def answer(
    folder: Folder, coded: Sequence[Coded], settings: Settings, total: int, progress: Progress
) -> Answers:
    """Score every contender and control, and say what follows.

    Args:
        folder: A folder with folds.
        coded: The contenders.
        settings: What was asked for.
        total: Images in the data set, before `--max` left some out.
        progress: Told what is scored.
    """
    seen = []
    for done, one in enumerate(coded):
        progress("probe", done, len(coded))
        seen.append(predictions.predict(one, folder))
    hits = np.stack([one.probe == folder.truth for one in seen])
    verdict = judge(hits, folder.truth, folder.scored_groups, folder.seed)
    ms = [one.cpu_ms for one in coded]
    size = [4 * one.dimensions for one in coded]
    pick = recommend(verdict, ms, size, settings.margin)
    progress("controls", 0, 1)
    grey = _controls(folder)
    alarms = _alarms(folder, coded, seen, grey)
    warnings = tuple(_SAID[one.id](**one.values) for one in alarms if one.id in _SAID)
    facts = sentences.Facts(
        names=[one.spec for one in coded],
        verdict=verdict,
        pick=pick,
        ms=ms,
        size=size,
        class_sizes=np.bincount(folder.truth).tolist(),
        margin=settings.margin,
        groups=groups_per_class(folder),
        noise=next((one.values["score"] for one in alarms if one.id == "noise"), None),
        images=total if settings.most is not None else None,
    )
    headline = sentences.headline(facts)
    undecided = headline.id in _UNDECIDED
    return Answers(
        coded=tuple(coded),
        predictions=tuple(seen),
        verdict=verdict,
        pick=None if undecided else pick,
        headline=headline,
        warnings=warnings,
        notes=_repeats(folder, coded, seen) if settings.data is not None else (),
        controls=grey,
    )


def groups_per_class(folder: Folder) -> list[int]:
    """Groups of each scored class."""
    pairs = np.unique(np.stack([folder.truth, folder.scored_groups]), axis=1)
    return np.bincount(pairs[0]).tolist()


def _repeats(
    folder: Folder, coded: Sequence[Coded], seen: Sequence[Predictions]
) -> tuple[Sentence, ...]:
    """Who is named better by its neighbours than by the probe, where several are.

    Not asked of the built-in photographs, which nobody can group anew.
    """
    scores = [_score(one, folder) for one in seen]
    ahead = controls.neighbours_ahead(scores)
    if not ahead:
        return ()
    middle = float(np.median([scores[j].knn - scores[j].probe for j in ahead]))
    return (sentences.repeats(middle, [coded[j].spec for j in ahead]),)


def _controls(folder: Folder) -> dict[str, Predictions]:
    """What codes that do not see the picture name."""
    squares = folder.decoded.squares[folder.scored]
    facts = [folder.decoded.facts[row] for row in folder.scored]
    found = {
        "noise": controls.noise(squares),
        "frame": controls.frame(squares),
        "file facts": controls.file_facts(facts),
        "file bytes": controls.file_bytes(facts),
    }
    return {
        name: predictions.predict_control(codes, name, folder)
        for name, codes in found.items()
        if codes is not None
    }


def _alarms(
    folder: Folder,
    coded: Sequence[Coded],
    seen: Sequence[Predictions],
    grey: Mapping[str, Predictions],
) -> tuple[controls.Alarm, ...]:
    """What the controls, held against the contenders, give reason to say."""
    hog = None
    if all(one.spec != _YARDSTICK for one in coded):
        codes = encode.embed(catalog.get(_YARDSTICK), folder.decoded.squares[folder.scored])
        hog = _score(predictions.predict_control(codes, _YARDSTICK, folder), folder)
    graded = {name: _score(one, folder) for name, one in grey.items()}
    return controls.alarm(
        np.bincount(folder.truth).tolist(),
        [_score(one, folder) for one in seen],
        noise=graded.get("noise"),
        file=graded.get("file facts"),
        frame=graded.get("frame"),
        hog=hog,
    )


def _score(seen: Predictions, folder: Folder) -> controls.Score:
    return controls.Score(
        balanced_accuracy(seen.probe == folder.truth, folder.truth), predictions.knn(seen, folder)
    )
