"""From codes to what a report is drawn from: answers, descriptions, rows and pictures."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from imrep import assets, results
from imrep.assets import Assets
from imrep.comparison.candidates import Absent
from imrep.comparison.conclusions import sizes
from imrep.comparison.conclusions.answers import Answers, answer
from imrep.comparison.data.labelled_dataset import Folder
from imrep.comparison.diagnostics import retrieval, stability, unlabelled
from imrep.comparison.diagnostics.reconstruction import Kept
from imrep.comparison.output import gallery, notes, rows, tables
from imrep.comparison.output.rows import Record
from imrep.comparison.probes import predictions
from imrep.comparison.probes.predictions import Coded
from imrep.comparison.state import Run
from imrep.embedding import cache
from imrep.io import skipped

_CURVES = 4  # of the best contenders, with few labels


def write(
    run: Run,
    folder: Folder,
    coded: Sequence[Coded],
    absent: Sequence[Absent],
) -> Path:
    """Measure the rest, and write everything into the output folder."""
    settings, progress = run.settings, run.progress
    out = settings.out
    total = run.data.total
    answers = answer(folder, coded, settings, total, progress) if folder.folds else None
    lines = _record(run, folder, coded)
    tables.about_data(lines, folder, len(run.data.items), total)
    tables.about_copies(lines, folder)
    if answers:
        tables.accuracy(lines, folder, answers)
        _curves(lines, run, folder, answers)
    sized = sizes.compare(lines, run, folder, [one.contender for one in coded], answers)
    found = None if run.same is None else retrieval.compare(lines, folder, coded, run.same, run)
    kept = _describe(lines, run, folder, coded)
    tables.failures(lines, [*absent, *run.failed])
    notes.verdict(lines, run, folder, answers, found, sized)
    (out / assets.FOLDER).mkdir(parents=True, exist_ok=True)
    _pictures(run, folder, coded, answers, kept).save(out)
    skipped.write(out / "skipped.csv", folder.decoded.skipped)
    results.write(out / results.FILENAME, lines.rows)
    return out


def _record(run: Run, folder: Folder, coded: Sequence[Coded]) -> Record:
    """An empty record that knows what all its rows share."""
    settings = run.settings
    apart = (
        "out",
        "readers",
        "specs",
        "vectors",
        "data",
    )  # objects among them have no text of their own
    asked = {k: str(v) for k, v in vars(settings).items() if k not in apart}
    prints = [one.contender.fingerprint for one in coded]
    digest = folder.decoded.key
    return rows.start(
        run=cache.key(asked, prints, digest, folder.labels.tolist(), folder.groups.tolist()),
        data=digest,
        data_name=run.data.name,
        n=len(folder.scored) or len(folder.labels),
        classes=len(folder.classes),
        groups=len(np.unique(folder.scored_groups if folder.folds else folder.groups)),
        S=settings.size,
        seed=settings.seed,
        folds=folder.folds.k if folder.folds else 0,
        threads=settings.threads,
    )


def _curves(lines: Record, run: Run, folder: Folder, answers: Answers) -> None:
    """Accuracy with few labels, of the best four."""
    order = sorted(range(len(answers.coded)), key=lambda j: -answers.verdict.standings[j].accuracy)[
        :_CURVES
    ]
    found = []
    for done, j in enumerate(sorted(order)):
        run.progress("labels needed", done, len(order))
        found.append((answers.coded[j], predictions.accuracy_curve(answers.coded[j], folder)))
    tables.curves(lines, found)


def _describe(lines: Record, run: Run, folder: Folder, coded: Sequence[Coded]) -> dict[str, Kept]:
    """Cost, stability, information and label-free numbers of every contender."""
    settings = run.settings
    grams, rebuilt = [], {}
    for done, one in enumerate(coded):
        run.progress("what each keeps and notices", done, len(coded))
        gram = one.gram(folder.few)
        kept = unlabelled.kept(one, folder, gram)
        exact = None
        if len(one.parts) == 1:
            rep, reading = one.parts[0].rep, settings.reading
            exact = unlabelled.exact(rep, folder.decoded, settings.device, reading)
        tables.cost(lines, one, run.peaks)
        if not one.contender.ready:
            seen = {part.key: run.seen_by(part.rep, settings.size) for part in one.parts}
            moves = unlabelled.moves(one, seen, settings.device, settings.seed)
            tables.stability(lines, one, moves)
        tables.information(lines, one, kept, exact, len(folder.few))
        grams.append((one, gram))
        if kept is not None:
            rebuilt[one.spec] = kept
    if len(folder.decoded.items) > 1:
        tables.label_free(lines, grams)
    return rebuilt


def _pictures(
    run: Run,
    folder: Folder,
    coded: Sequence[Coded],
    answers: Answers | None,
    kept: Mapping[str, Kept],
) -> Assets:
    """Everything the report shows besides numbers."""
    decoded, seed = folder.decoded, run.settings.seed
    same = folder.labels if run.same is None or folder.names else run.same
    rows = gallery.shown(folder.labels, seed)
    alike = {one.spec: gallery.cosines(one.codes(rows)) for one in coded if len(rows) > 1}
    paths, labels = gallery.names(decoded, rows.tolist())
    if run.same is not None and not folder.names:  # what shows the same object is what is asked
        labels = [None if run.same[row] < 0 else run.objects[run.same[row]] for row in rows]
    pairs, copies = gallery.near_copies(decoded, folder.copies)
    moved = stability.sample(len(decoded.items), seed)
    confusions = {}
    for one, seen in zip(answers.coded, answers.predictions, strict=True) if answers else ():
        confusions[one.spec] = gallery.confusion(folder.truth, seen.probe, len(folder.classes))
    return Assets(
        thumbnails=gallery.shrink(decoded.squares[rows]),
        paths=paths,
        labels=labels,
        neighbours={spec: gallery.nearest(cosines) for spec, cosines in alike.items()},
        queries=gallery.queries(same[rows], seed),
        maps={spec: gallery.plane(cosines) for spec, cosines in alike.items()},
        copies=copies,
        pairs=pairs,
        originals=unlabelled.originals(folder),
        rebuilt={spec: one.reconstructions for spec, one in kept.items()},
        perturbed=gallery.examples(unlabelled.pictures(decoded, seed), decoded.squares[moved]),
        classes=folder.classes,
        confusions=confusions,
        skipped=decoded.skipped,
    )
