"""The results folder: results.jsonl, the lists of files and the report's images."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from imrep import answers, assets, results
from imrep.comparison.output import (
    captions,
    cues,
    gallery,
    multi_label,
    near_duplicates,
    notes,
    pick,
    pictures,
    probabilities,
    suspects,
    tables,
    values,
)
from imrep.comparison.output.outcome import Outcome
from imrep.comparison.output.rows import Rows, started
from imrep.comparison.output.saving import save_commands
from imrep.comparison.settings import Inputs, Settings
from imrep.embedding import cache
from imrep.io import skipped
from imrep.results import Row


def write(outcome: Outcome, inputs: Inputs, settings: Settings) -> Path:
    """Write all results into `settings.out`, results.jsonl last, and return that folder."""
    out = settings.out
    rows = _rows(outcome, inputs, settings, pick.save(outcome, out))
    (out / assets.FOLDER).mkdir(parents=True, exist_ok=True)
    gallery.assets(outcome, settings.seed).save(out)
    skipped.write(out / "skipped.csv", outcome.images.decoded.skipped)
    near_duplicates.write(out / near_duplicates.FILENAME, outcome.images)
    pictures.write(out / pictures.FILENAME, outcome.quality, outcome.images)
    suspects.write(out / results.SUSPECTS, outcome.scores, outcome.images)
    answers.write(out, _answers(outcome))
    results.write(out / results.FILENAME, rows)
    return out


def _answers(outcome: Outcome) -> answers.AnyTable | None:
    if outcome.label_scores is not None:
        return multi_label.answer_table(outcome.images, outcome.label_scores)
    if outcome.value_scores is not None:
        return values.answer_table(outcome.images, outcome.value_scores)
    if outcome.scores is None:
        return None
    return probabilities.table(outcome.images, outcome.scores.dataset, outcome.scores.answers)


def _rows(outcome: Outcome, inputs: Inputs, settings: Settings, saved: str) -> list[Row]:
    """All rows, in the order of the tables in `imrep.results`.

    Args:
        outcome: The results.
        inputs: The images and representations.
        settings: How they were compared.
        saved: The folder of the pick, as a spec names it; or "".
    """
    images, measured = outcome.images, outcome.measurements
    rows = Rows(_common(outcome, inputs, settings))
    tables.data(rows, images, outcome.source)
    tables.duplicates(rows, images)
    pictures.add_rows(rows, outcome.quality, images)
    _add_scores(rows, outcome)
    cues.add(rows, outcome.cues)
    if outcome.sizes:
        tables.sizes(rows, outcome.sizes)
    if outcome.retrieval:
        tables.retrieval(rows, outcome.retrieval)
    captions.add(rows, outcome.captions)
    for candidate in measured:
        tables.measurements(rows, candidate, outcome.peak_memory, len(images.sample))
    if len(images) > 1:
        tables.label_free(rows, measured)
    tables.failures(rows, outcome.absent)
    command, save = (inputs.command_data, saved), save_commands(inputs, settings)
    notes.verdict(rows, outcome, settings.size, settings.margin, command, save)
    return rows.rows


def _add_scores(rows: Rows, outcome: Outcome) -> None:
    """What needs targets: classes, numbers or sets of labels."""
    multi_label.add_labels(rows, outcome.images, outcome.label_scores)
    values.add_target(rows, outcome.images, outcome.value_scores)
    if (scores := outcome.scores) is not None:
        judged = scores.classification
        tables.accuracy(rows, scores.dataset, judged)
        tables.curves(rows, scores.curves)
        tables.crossings(rows, scores.curves)
        tables.together(rows, scores.dataset, scores.together)
        tables.by_names(rows, scores.by_names)
        if scores.suspects:
            suspects.rows(rows, scores.suspects)
        best = judged.encoded[judged.verdict.leader if judged.pick is None else judged.pick].spec
        probabilities.probabilities(rows, scores.dataset, scores.answers, best)
    if outcome.label_scores is not None:
        multi_label.add_precisions(rows, outcome.label_scores.results)
        tables.curves(rows, outcome.label_scores.curves, "precision_curve")
        multi_label.add_together(rows, outcome.label_scores)
    if outcome.value_scores is not None:
        results = outcome.value_scores.results
        values.add_explained(rows, results)
        tables.curves(rows, outcome.value_scores.curves, "r2_curve")
        values.add_together(rows, results.dataset, outcome.value_scores.together)


def _common(outcome: Outcome, inputs: Inputs, settings: Settings) -> Row:
    """The fields that all rows share."""
    images, dataset = outcome.images, outcome.scores.dataset if outcome.scores else None
    tested = outcome.tested
    fingerprints = [encoded.candidate.fingerprint for encoded in outcome.encoded]
    # objects among the inputs have no text of their own; readers, out and save change no number
    options = {
        name: str(value)
        for name, value in (vars(settings) | vars(inputs)).items()
        if name not in ("out", "readers", "save", "save_which", "specs", "vectors", "data")
    }
    digest = images.decoded.key
    return replace(
        started(),
        run=cache.key(
            options,
            fingerprints,
            digest,
            images.labels.tolist(),
            images.groups.tolist(),
            images.label_sets,
            None if images.values is None else images.values.tolist(),
        ),
        data=digest,
        data_name=outcome.source.name,
        n=len(tested) if tested else len(images),
        classes=len(dataset.classes) if dataset else 0,
        groups=len(np.unique(tested.groups if tested else images.groups)),
        S=settings.size,
        seed=settings.seed,
        folds=tested.folds.k if tested else 0,
        threads=settings.threads,
    )
