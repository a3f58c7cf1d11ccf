"""The results folder: results.jsonl, the lists of files and the report's images."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from imrep import answers, assets, results
from imrep.comparison.output import (
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
)
from imrep.comparison.output.outcome import Outcome
from imrep.comparison.output.rows import Rows, started
from imrep.comparison.output.saving import save_command
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


def _answers(outcome: Outcome) -> answers.AnswerTable | answers.LabelAnswerTable | None:
    if outcome.label_scores is not None:
        return multi_label.answer_table(outcome.images, outcome.label_scores.results)
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
    if outcome.scores:
        tables.accuracy(rows, outcome.scores.dataset, outcome.scores.classification)
        tables.curves(rows, outcome.scores.curves)
        tables.together(rows, outcome.scores.dataset, outcome.scores.together)
        if outcome.scores.suspects:
            suspects.rows(rows, outcome.scores.suspects)
        judged = outcome.scores.classification
        best = judged.encoded[judged.verdict.leader if judged.pick is None else judged.pick].spec
        probabilities.probabilities(rows, outcome.scores.dataset, outcome.scores.answers, best)
    multi_label.add_labels(rows, images, outcome.label_scores)
    if outcome.label_scores:
        multi_label.add_precisions(rows, outcome.label_scores.results)
        tables.curves(rows, outcome.label_scores.curves, "precision_curve")
    cues.add(rows, outcome.cues)
    if outcome.sizes:
        tables.sizes(rows, outcome.sizes)
    if outcome.retrieval:
        tables.retrieval(rows, outcome.retrieval)
    for candidate in measured:
        tables.measurements(rows, candidate, outcome.peak_memory, len(images.sample))
    if len(images) > 1:
        tables.label_free(rows, measured)
    tables.failures(rows, outcome.absent)
    command, save = (inputs.command_data, saved), save_command(inputs, settings)
    notes.verdict(rows, outcome, settings.size, settings.margin, command, save)
    return rows.rows


def _common(outcome: Outcome, inputs: Inputs, settings: Settings) -> Row:
    """The fields that all rows share."""
    images, dataset = outcome.images, outcome.scores.dataset if outcome.scores else None
    tested = outcome.label_scores.results.dataset if outcome.label_scores else dataset
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
            *([images.label_sets] if images.label_sets is not None else []),
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
