"""The verdict's row: the sentence, and everything said beside it."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from imrep import images
from imrep.comparison.conclusions import sentences
from imrep.comparison.conclusions.answers import Answers
from imrep.comparison.conclusions.sentences import Sentence
from imrep.comparison.data.labelled_dataset import Folder
from imrep.comparison.diagnostics.retrieval import Retrieved
from imrep.comparison.output import gallery
from imrep.comparison.output.rows import Record
from imrep.comparison.probes.predictions import Coded
from imrep.comparison.state import Run
from imrep.io.names import command_line


def verdict(
    lines: Record,
    run: Run,
    folder: Folder,
    answers: Answers | None,
    retrieved: Retrieved | None,
    sizes: Sentence | None,
) -> None:
    """The row with the sentence, and everything said beside it."""
    notes = [Sentence("data", note) for note in run.data.notes]
    assumed = sorted({facts.assumed for facts in folder.decoded.facts} - {""})
    notes += [Sentence("data", images.assumption(one)) for one in assumed]
    notes += [*(answers.notes if answers else ()), *_remarks(folder, run)]
    judged = answers or retrieved
    says = judged.headline if judged else _nothing(folder)
    asked = [sizes, retrieved.headline if retrieved and answers else None]
    text = " ".join([says.text, *(one.text for one in asked if one is not None)])
    says = Sentence(says.id, text)
    if judged is None:
        lines.add("verdict.sentence", None, detail=_detail(says, run, notes))
        return
    specs, standing = [one.spec for one in judged.coded], judged.verdict
    pick = None if judged.pick is None else judged.coded[judged.pick]
    more = {
        "warnings": [one._asdict() for one in answers.warnings] if answers else [],
        "leader": specs[standing.leader],
        "equals": [specs[j] for j in standing.tied],
        "q": _finite(standing.q),
        "gap": _finite(standing.gap),
        "guess": standing.chance,
    }
    detail = _detail(says, run, notes, pick) | more
    if pick is None or judged.pick is None:
        lines.add("verdict.sentence", None, detail=detail)
    else:
        share = standing.standings[judged.pick].accuracy
        size = run.settings.size  # of the comparison, whatever the pick reads
        lines.of(pick, "verdict.sentence", share, "share", detail=detail, S=size)


def _nothing(folder: Folder) -> Sentence:
    """Why nothing is scored."""
    if len(folder.names) > 1:
        return Sentence("nothing", sentences.NOTHING)
    known = Counter(item.label for item in folder.decoded.items if item.label is not None)
    if len(known) == 1:
        return sentences.one_class(*known.most_common(1)[0])
    if len(known) > 1:
        return sentences.partly_labelled(sum(known.values()), len(folder.decoded.items))
    return sentences.unlabelled(len(folder.decoded.items))


def _remarks(folder: Folder, run: Run) -> list[Sentence]:
    """Notes that do not rest on scores: copies, classes left out, what failed."""
    names, found = folder.names, []
    counts = folder.copies.counts
    if counts["images"]:
        numbers = (counts["images"], counts["groups"], counts["largest"])
        if run.data.builtin:
            found.append(sentences.lookalikes(*numbers))
        else:
            found.append(sentences.copies(*numbers, scored=folder.folds is not None))
    if pairs := gallery.conflicts(folder.decoded, folder.copies):
        found.append(sentences.labels(pairs))
    if folder.left_out:
        found.append(sentences.single([names[label] for label in folder.left_out]))
    if not run.data.builtin:
        found += _joined(folder)
    if folder.relaxed:
        grouped = any(item.group is not None for item in folder.decoded.items)
        found.append(sentences.relaxed([names[label] for label in folder.relaxed], grouped))
    if folder.folds and folder.folds.together:
        found.append(sentences.together([folder.classes[c] for c in folder.folds.together]))
    return found + [sentences.failed(one.spec, one.reason) for one in run.failed]


def _joined(folder: Folder) -> list[Sentence]:
    """Classes of several images that near-copies joined whole, with a pair to look at."""
    items, found = folder.decoded.items, []
    for label in folder.left_out:
        pair = next((e for e in folder.copies.edges if folder.labels[e.i] == label), None)
        images = int((folder.labels == label).sum())
        if pair is not None and images > 1:
            paths = (items[pair.i].path, items[pair.j].path)
            found.append(sentences.joined(folder.names[label], images, paths))
    return found


def _detail(
    says: Sentence, run: Run, notes: Sequence[Sentence], pick: Coded | None = None
) -> dict[str, Any]:
    """The verdict's detail as results.jsonl documents it, for a folder without scores."""
    return {
        "sentence": says.id,
        "text": says.text,
        "warnings": [],
        "notes": [one._asdict() for one in notes],
        "leader": "",
        "equals": [],
        "q": None,
        "gap": None,
        "margin": run.settings.margin / 100,
        "guess": None,
        "command": _again(run, pick),
    }


def _again(run: Run, pick: Coded | None) -> str:
    """What repeats the vectors that were measured; "" where no command can."""
    data = run.settings.data  # None: the built-in photographs; "-": a list that was read to its end
    typed = isinstance(data, str) and data != "-"
    if pick is None or not typed or not pick.contender.written:
        return ""
    side = [] if pick.contender.fixed else ["--size", str(run.settings.size)]
    words = ["imrep", "embed", str(data), pick.contender.written, *side, "-o", "vectors.parquet"]
    return command_line(words)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
