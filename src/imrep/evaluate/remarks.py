"""The verdict's row: the sentence, and everything said beside it."""

import math
from collections.abc import Sequence
from typing import Any

from imrep import images
from imrep.evaluate import gallery, sentences
from imrep.evaluate.answers import Answers
from imrep.evaluate.contenders import Absent
from imrep.evaluate.folder import Folder
from imrep.evaluate.record import Record
from imrep.evaluate.run import Run
from imrep.evaluate.scoring import Coded
from imrep.evaluate.sentences import Sentence
from imrep.io.names import command_line


def verdict(lines: Record, run: Run, folder: Folder, answers: Answers | None) -> None:
    """The row with the sentence, and everything said beside it."""
    notes = [Sentence("data", note) for note in run.data.notes]
    assumed = sorted({facts.assumed for facts in folder.decoded.facts} - {""})
    notes += [Sentence("data", images.assumption(one)) for one in assumed]
    notes += [*(answers.notes if answers else ()), *_remarks(folder, run.failed, run.data.builtin)]
    if answers is None:
        nothing = Sentence("nothing", sentences.NOTHING)
        says = nothing if folder.names else sentences.unlabelled()
        lines.add("verdict.sentence", None, detail=_detail(says, run, notes))
        return
    specs, standing = [one.spec for one in answers.coded], answers.verdict
    pick = None if answers.pick is None else answers.coded[answers.pick]
    more = {
        "warnings": [one._asdict() for one in answers.warnings],
        "leader": specs[standing.leader],
        "equals": [specs[j] for j in standing.tied],
        "q": _finite(standing.q),
        "gap": _finite(standing.gap),
        "guess": standing.chance,
    }
    detail = _detail(answers.headline, run, notes, pick) | more
    if pick is None or answers.pick is None:
        lines.add("verdict.sentence", None, detail=detail)
    else:
        share = standing.standings[answers.pick].accuracy
        size = run.settings.size  # of the comparison, whatever the pick reads
        lines.of(pick, "verdict.sentence", share, "share", detail=detail, S=size)


def _remarks(folder: Folder, failed: Sequence[Absent], builtin: bool) -> list[Sentence]:
    """Notes that do not rest on scores: copies, classes left out, what failed."""
    names, found = folder.names, []
    counts = folder.copies.counts
    if counts["images"]:
        says = sentences.lookalikes if builtin else sentences.copies
        found.append(says(counts["images"], counts["groups"], counts["largest"]))
    if pairs := gallery.conflicts(folder.decoded, folder.copies):
        found.append(sentences.labels(pairs))
    if folder.left_out:
        found.append(sentences.single([names[label] for label in folder.left_out]))
    if folder.relaxed:
        found.append(sentences.relaxed([names[label] for label in folder.relaxed]))
    if folder.folds and folder.folds.together:
        found.append(sentences.together([folder.classes[c] for c in folder.folds.together]))
    return found + [sentences.failed(one.spec, one.reason) for one in failed]


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
    if pick is None or data is None or data == "-":
        return ""
    side = [] if pick.contender.fixed else ["--size", str(run.settings.size)]
    words = ["imrep", "embed", data, pick.contender.written, *side, "-o", "vectors.parquet"]
    return command_line(words)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
