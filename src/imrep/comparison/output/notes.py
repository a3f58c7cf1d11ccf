"""The verdict's row: the sentence, its warnings and notes, and the command that repeats it."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from imrep import images
from imrep.comparison.candidates import Candidate
from imrep.comparison.conclusions import (
    classification,
    label_together,
    sentences,
    together,
    value_together,
)
from imrep.comparison.conclusions.classification import Classification
from imrep.comparison.conclusions.cues import sentence
from imrep.comparison.conclusions.linear_baseline import linear_notes
from imrep.comparison.conclusions.multi_label import MultiLabel
from imrep.comparison.conclusions.regression import Regression, skewed
from imrep.comparison.conclusions.retrieval import Retrieval
from imrep.comparison.conclusions.sentences import Sentence
from imrep.comparison.conclusions.visible_gaps import visible_gaps
from imrep.comparison.data.image_collection import ImageCollection
from imrep.comparison.diagnostics.similarity import is_constant
from imrep.comparison.output.outcome import Outcome
from imrep.comparison.output.rows import Rows
from imrep.io.names import command_line
from imrep.registry import catalog

_NOTHING_MEASURED = ("noise", "nothing")  # sentences after which no representation matters

_BUILTIN = {"built-in photographs": "these ten photographs", "digits": "these digits"}


def verdict(
    rows: Rows,
    outcome: Outcome,
    size: int,
    margin: float,
    command: tuple[str | None, str],
    save_commands: str = "",
) -> None:
    """Add the row.

    Args:
        rows: Where it goes.
        outcome: The results.
        size: Side in pixels of the comparison's images.
        margin: Percentage points of accuracy within which cost decides.
        command: DATA as typed on the command line, None where no command can repeat it; and the
            folder where the pick is saved, or "".
        save_commands: The commands that save the recommended classifier and use it; "" without any.
    """
    scores, retrieval, tested = outcome.scores, outcome.retrieval, outcome.judged
    judged = tested or retrieval
    first = judged.headline if judged else _nothing(outcome.images)
    texts = [first.text]
    if outcome.lacks_network and first.id not in _NOTHING_MEASURED:
        texts.append(sentences.no_network(_networks([absent.spec for absent in outcome.failed])))
    if scores and scores.together:
        texts.append(together.text(scores.together))
    if outcome.label_scores and outcome.label_scores.together:
        texts.append(label_together.text(outcome.label_scores.together))
    if outcome.value_scores and outcome.value_scores.together:
        target = outcome.value_scores.results.dataset.names[0]
        texts.append(value_together.text(outcome.value_scores.together, target))
    if outcome.sizes and outcome.sizes.sentence:
        texts.append(outcome.sizes.sentence.text)
    if retrieval and tested:
        texts.append(f"For images of the same object: {retrieval.headline.text}")
    detail: dict[str, Any] = {
        "sentence": first.id,
        "text": _of_itself(" ".join(texts), outcome),
        "warnings": [warning._asdict() for warning in _warnings(outcome)],
        "notes": [note._asdict() for note in _notes(rows, outcome)],
        **_standings(judged),
        "margin": margin / 100,
        "data": command[0] or "",
        "command": "",
        "save": "",
        "retrieval": _retrieval(retrieval) if retrieval and tested else None,
    }
    if judged is None or judged.pick is None:
        rows.add("verdict.sentence", None, detail=detail)
        return
    pick, share = judged.encoded[judged.pick], judged.verdict.standings[judged.pick].accuracy
    detail["command"] = embed_command(command[0], pick.candidate, size, command[1])
    detail["save"] = save_commands if tested else ""
    rows.add_for(pick, "verdict.sentence", share, "share", detail=detail, size=size)


def _warnings(outcome: Outcome) -> list[Sentence]:
    """Of the controls, and of representations whose vectors are all equal."""
    warnings = list(outcome.judged.warnings) if outcome.judged else []
    equal = [each.encoded.spec for each in outcome.measurements if is_constant(each.gram)]
    if equal and len(outcome.images) > 1:
        warnings.append(sentences.constant(equal))
    return warnings


def _standings(
    judged: Classification | MultiLabel | Regression | Retrieval | None,
) -> dict[str, Any]:
    """Who is best, who is tied with it, and what the test can show."""
    if judged is None:
        return {"leader": "", "equals": [], "q": None, "gap": None, "guess": None}
    specs, verdict = [candidate.spec for candidate in judged.encoded], judged.verdict
    return {
        "leader": specs[verdict.leader],
        "equals": [specs[j] for j in verdict.tied],
        "q": _finite(verdict.q),
        "gap": _finite(verdict.gap),
        "guess": verdict.chance,
    }


def _retrieval(results: Retrieval) -> dict[str, Any]:
    """The verdict on retrieval, beside that on classes."""
    pick = "" if results.pick is None else results.encoded[results.pick].spec
    first = results.headline
    return {"sentence": first.id, "text": first.text, "pick": pick, **_standings(results)}


def embed_command(data: str | None, candidate: Candidate, size: int, saved: str = "") -> str:
    """The command that computes the vectors that were measured; "" where none can.

    Args:
        data: DATA as typed.
        candidate: The pick.
        size: Side in pixels of the comparison's images.
        saved: Where the pick is saved, so that no codebook is fitted anew; or "".
    """
    if data is None or not candidate.rebuild_spec:
        return ""
    side = [] if candidate.fixed_size else ["--size", str(size)]
    spec = saved or candidate.rebuild_spec
    words = ["imrep", "embed", data, spec, *side, "-o", "vectors.parquet"]
    return command_line(words)


def _nothing(images: ImageCollection) -> Sentence:
    """Why nothing is scored."""
    if images.label_sets is not None:
        return Sentence("nothing", sentences.NO_LABEL)
    if images.values is not None:
        return sentences.no_values(images.values[~np.isnan(images.values)], images.target.column)
    if len(images.names) > 1:
        return Sentence("nothing", sentences.NOTHING)
    items = images.decoded.items
    count = Counter(item.label for item in items if item.label is not None)
    if len(count) == 1:
        return sentences.one_class(*count.most_common(1)[0])
    if len(count) > 1:
        return sentences.partly_labelled(sum(count.values()), len(items))
    return sentences.unlabelled(len(items))


def _of_itself(text: str, outcome: Outcome) -> str:
    """The headline; a built-in set is no folder of the reader's."""
    subject = _BUILTIN.get(outcome.source.name) if outcome.images.builtin else None
    return text.replace("this folder", subject) if subject else text


def _notes(rows: Rows, outcome: Outcome) -> list[Sentence]:
    """All notes: on the verdict, on classes and duplicates, on failures, on reading."""
    notes = _verdict_notes(rows, outcome) if outcome.judged else []
    notes = [*_cues(outcome), *notes, *_class_notes(outcome), *_label_notes(outcome)]
    notes += [sentences.failed(absent.spec, absent.reason) for absent in outcome.failed]
    notes += [Sentence("vectors", note) for own in outcome.own for note in own.notes]
    notes += [Sentence("data", note) for note in outcome.source.notes]
    assumed = sorted({facts.assumed for facts in outcome.images.decoded.facts} - {""})
    return notes + [Sentence("data", images.assumption(text)) for text in assumed]


def _cues(outcome: Outcome) -> list[Sentence]:
    """What the classes hang on."""
    return [note._replace(text=_of_itself(note.text, outcome)) for note in sentence(outcome.cues)]


def _verdict_notes(rows: Rows, outcome: Outcome) -> list[Sentence]:
    """How the scores came about, and what may surprise in them."""
    results = outcome.judged
    assert results
    method = sentences.METHOD_VALUES if outcome.value_scores else sentences.METHOD
    notes, names = [method], [encoded.spec for encoded in results.encoded]
    if results.headline.id == "tied":  # the sentence that mentions a smallest visible gap
        notes += visible_gaps(names, results.verdict)
    if len(names) > 1:
        tied = [names[j] for j in results.verdict.tied]
        accuracies, linear = _accuracies(rows, _metric(outcome)), _accuracies(rows, "linear")
        judge = "regression" if outcome.value_scores else "classifier"
        notes += linear_notes(accuracies, linear, tied, judge)
    aligned = [own.table.name for own in outcome.own if own.aligned]
    notes += classification.blind(results.encoded, results.verdict, aligned, _what(outcome))
    if outcome.scores and not outcome.images.builtin:  # those photographs have no groups
        notes += classification.repeats(outcome.scores.classification, outcome.scores.dataset)
    if outcome.scores:
        notes += [each.sentence for each in outcome.scores.by_names]
    if outcome.value_scores:
        notes += skewed(outcome.value_scores.results.dataset)
    return notes


def _what(outcome: Outcome) -> str:
    """What the candidates may see of the images."""
    if outcome.value_scores:
        return outcome.value_scores.results.dataset.names[0]
    return "the labels" if outcome.label_scores else "the classes"


def _metric(outcome: Outcome) -> str:
    """What the candidates are judged by, as results.jsonl names it."""
    if outcome.label_scores:
        return "precision"
    return "r2" if outcome.value_scores else "probe"


def _accuracies(rows: Rows, metric: str) -> dict[str, float]:
    """Of every representation that may be the best."""
    return {
        row.spec: row.value
        for row in rows.rows
        if (row.kind, row.metric) == ("accuracy", metric)
        and row.role in ("contender", "sum", "own")
        and row.value is not None
    }


def _class_notes(outcome: Outcome) -> list[Sentence]:
    """Notes on near-duplicates, and on classes that are left out or hard to test."""
    collection, scores, notes = outcome.images, outcome.scores, []
    names, copies = collection.names, collection.duplicates
    if copies.images:
        numbers = (copies.images, len(copies.groups()), copies.largest)
        if collection.builtin:
            notes.append(sentences.similar_tiles(*numbers))
        else:
            notes.append(sentences.near_duplicates(*numbers, scored=outcome.judged is not None))
    if collection.conflicts:
        notes.append(sentences.labels(collection.conflicts))
    if collection.untestable:
        notes.append(sentences.single([names[label] for label in collection.untestable]))
    if not collection.builtin:
        notes += _joined(collection)
    if collection.relaxed:
        grouped = any(item.group is not None for item in collection.decoded.items)
        notes.append(sentences.relaxed([names[label] for label in collection.relaxed], grouped))
    if scores and scores.dataset.folds.together:
        notes.append(
            sentences.together([scores.dataset.classes[c] for c in scores.dataset.folds.together])
        )
    return notes


def _label_notes(outcome: Outcome) -> list[Sentence]:
    """Labels that are left out, where each image has several."""
    scores = outcome.label_scores
    names = scores.results.dataset.untested if scores else ()
    return [sentences.untested(names)] if names else []


def _joined(images: ImageCollection) -> list[Sentence]:
    """Classes of several images that near-duplicates join into one group, with one pair."""
    items, notes = images.decoded.items, []
    for label in images.untestable:
        edges = images.duplicates.edges
        pair = next((edge for edge in edges if images.labels[edge.i] == label), None)
        count = int((images.labels == label).sum())
        if pair is not None and count > 1:
            paths = (items[pair.i].path, items[pair.j].path)
            notes.append(sentences.joined(images.names[label], count, paths))
    return notes


def _networks(specs: Sequence[str]) -> list[str]:
    """Those contenders that need learned weights."""
    return [spec for spec in specs if catalog.views(spec)[0][0].card.weights == "required"]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
