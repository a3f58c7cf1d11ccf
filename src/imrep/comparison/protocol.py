"""The comparison, from images to numbers, figures and a recommendation.

Each step is cached on disk, so that an interrupted run continues where it stopped, and a run with
one more representation computes only that one.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from imrep.adapters import MadeOutside
from imrep.base import Bilingual
from imrep.comparison.candidates import Candidate, gather
from imrep.comparison.conclusions import multi_label, sizes
from imrep.comparison.conclusions.caption_retrieval import CaptionRetrieval, retrieve_captions
from imrep.comparison.conclusions.class_names import by_names
from imrep.comparison.conclusions.classification import classify, learning_curves
from imrep.comparison.conclusions.cues import Cues, find_cues
from imrep.comparison.conclusions.final_classifier import Classifiers
from imrep.comparison.conclusions.final_models import FinalModels, check_choice
from imrep.comparison.conclusions.final_regressor import Regressors
from imrep.comparison.conclusions.final_tagger import Taggers
from imrep.comparison.conclusions.label_together import put_labels_together
from imrep.comparison.conclusions.multi_label import judge_labels
from imrep.comparison.conclusions.probabilities import answer
from imrep.comparison.conclusions.regression import judge_values, value_curves
from imrep.comparison.conclusions.retrieval import judge_retrieval
from imrep.comparison.conclusions.suspects import find_suspects
from imrep.comparison.conclusions.together import ALL, CHEAP, put_together
from imrep.comparison.conclusions.value_together import put_values_together
from imrep.comparison.data import captions, own_vectors, source
from imrep.comparison.data.image_collection import ImageCollection
from imrep.comparison.data.labelled_dataset import LabelledDataset, labelled, training_labels
from imrep.comparison.data.multi_label_dataset import LabelSets, multi_labelled
from imrep.comparison.data.only_label import as_classes, only_label
from imrep.comparison.data.own_vectors import OwnVectors
from imrep.comparison.data.valued_dataset import (
    PLAIN,
    ValuedDataset,
    described,
    logarithms,
    valued,
)
from imrep.comparison.diagnostics import quality
from imrep.comparison.diagnostics.measurements import Measurements, measure
from imrep.comparison.diagnostics.memory import encoding_memory
from imrep.comparison.diagnostics.retrieval import Objects, find_objects
from imrep.comparison.output.outcome import LabelScores, Outcome, Scores, ValueScores
from imrep.comparison.output.saving import Saving, save
from imrep.comparison.output.write import write
from imrep.comparison.probes.encoded_candidate import EncodedCandidate
from imrep.comparison.settings import Inputs, Settings
from imrep.comparison.state import State
from imrep.datasets.target import plural
from imrep.embedding import encode
from imrep.errors import BadData, BadParameter
from imrep.models import saved
from imrep.ops import parallel
from imrep.types import Progress


class Finished(NamedTuple):
    """A comparison whose results are written.

    Attributes:
        folder: Where they are.
        models: Those that can be fitted to all images; None where nothing was scored.
        saving: What became of `settings.save`.
    """

    folder: Path
    models: FinalModels | None
    saving: Saving


def run(inputs: Inputs, settings: Settings, progress: Progress) -> Finished:
    """Compare, and write results.jsonl, assets/ and the two lists of files into `settings.out`.

    Raises:
        BadData: There are no images, none can be read, or no representation can encode them.
        ImrepError: An option or a spec is wrong.
    """
    with parallel.one_thread(settings.threads):
        tables = own_vectors.read(inputs.vectors, inputs.ms)
        named = [MadeOutside(table.name, table.vectors) for table in tables]
        candidates, absent = gather(inputs.specs, named)
        which = ""
        if settings.save_which:
            which = check_choice(settings.save_which, candidates, (ALL, CHEAP))
        if settings.save is not None:
            saved.check_name(settings.save)
        state = State(
            dataset=source.find(inputs),
            size=settings.size,
            seed=settings.seed,
            reading=settings.reading,
            readers=settings.readers,
            device=settings.device,
            progress=progress,
        )
        own = own_vectors.in_image_order(tables, state.dataset, state.decoded(state.size))
        left_out = sorted({row for each in own for row in each.missing})
        images = _collect(state, left_out)
        dataset, values = labelled(images), _valued(images, settings.log)
        own_vectors.refuse_labels(own, dataset)
        state.labels = training_labels(dataset) if inputs.same_object is None else None
        objects = None
        if inputs.same_object is not None:
            objects = find_objects(images.decoded.items, inputs.same_object, left_out)
        encoded = state.encode(_placed(candidates, own, inputs.ms or {}), state.size)
        if not encoded:
            reasons = "; ".join(absentee.reason for absentee in state.failed)
            raise BadData(f"compare needs a representation that runs, got none. {reasons}")
        peaks = encoding_memory(encoded, progress)
        sampled_from = None if inputs.max_images is None else state.dataset.total
        scores = _score(dataset, images, encoded, settings.margin, sampled_from, progress)
        label_scores = _score_labels(images, encoded, settings.margin, sampled_from, progress)
        value_scores = _score_values(
            values, images, encoded, settings.margin, sampled_from, progress
        )
        retrieval = None
        if objects is not None:
            retrieval = judge_retrieval(encoded, objects, settings.margin, state.seed)
        by_size = sizes.compare_sizes(
            [each.candidate for each in encoded],
            settings.sizes,
            state.size,
            state.encode,
            _trial(dataset, values, label_scores, objects, state.seed),
            _judged(scores, label_scores, value_scores) or retrieval,
        )
        outcome = Outcome(
            source=state.dataset,
            images=images,
            quality=_quality(images),
            measurements=_measure(encoded, images, state),
            peak_memory=peaks,
            scores=scores,
            label_scores=label_scores,
            value_scores=value_scores,
            retrieval=retrieval,
            sizes=by_size,
            cues=_cues(scores, settings, state),
            absent=[*absent, *state.failed],
            requested=inputs.specs is not None,
            own=own,
            captions=_captions(encoded, inputs, state),
        )
        folder = write(outcome, inputs, settings)
        models = _models(outcome, settings)
        saving = save(models, settings.save, which, progress)
        if models is not None:
            models.fit_objects()
        encode.forget([part for each in encoded for part in each.parts])
        return Finished(folder, models, saving)


def _collect(state: State, left_out: list[int]) -> ImageCollection:
    """The readable images; of several labels of which one can be tested, as two classes."""
    images = state.collect(left_out)
    if (label := only_label(images)) is None:
        return images
    state.relabel(as_classes(state.dataset, label))
    return state.collect(left_out)


def _models(outcome: Outcome, settings: Settings) -> FinalModels | None:
    """What can be fitted to all images; None where nothing was scored."""
    scores, images, name = outcome.scores, outcome.images, outcome.source.name
    if (values := outcome.value_scores) is not None:
        return Regressors(
            results=values.results,
            together=values.together,
            reading=settings.reading,
            data_name=name,
        )
    if (sets := outcome.label_scores) is not None:
        return Taggers(
            results=sets.results,
            together=sets.together,
            reading=settings.reading,
            data_name=name,
            left_out=sets.results.dataset.untested,
        )
    if scores is None:
        return None
    return Classifiers(
        dataset=scores.dataset,
        results=scores.classification,
        together=scores.together,
        reading=settings.reading,
        data_name=name,
        left_out=[images.names[label] for label in images.untestable],
    )


def _quality(images: ImageCollection) -> quality.Quality:
    decoded = images.decoded
    return quality.find(decoded.squares, decoded.facts, [item.label for item in decoded.items])


def _trial(
    dataset: LabelledDataset | None,
    values: ValuedDataset | None,
    label_scores: LabelScores | None,
    objects: Objects | None,
    seed: int,
) -> sizes.Trial | None:
    """What is scored at every size: classes, numbers or labels, else objects."""
    if dataset is not None:
        return sizes.classes(dataset)
    if values is not None:
        return sizes.numbers(values)
    if label_scores is not None:
        return sizes.labels(label_scores.results)
    return None if objects is None else sizes.objects(objects, seed)


def _judged(
    scores: Scores | None, label_scores: LabelScores | None, value_scores: ValueScores | None
) -> sizes.Judged | None:
    """The results at the comparison's own size; None where no targets were scored."""
    if scores is not None:
        return scores.classification
    others = (each.results for each in (label_scores, value_scores) if each is not None)
    return next(others, None)


def _placed(
    candidates: list[Candidate], own: list[OwnVectors], ms: Mapping[str, float]
) -> list[Candidate]:
    """The candidates with the user's vectors in the order of the images."""
    parts = [MadeOutside(each.table.name, each.vectors, ms.get(each.table.name)) for each in own]
    return [candidate.with_vectors(parts) for candidate in candidates]


def _score(
    dataset: LabelledDataset | None,
    images: ImageCollection,
    encoded: list[EncodedCandidate],
    margin: float,
    sampled_from: int | None,
    progress: Progress,
) -> Scores | None:
    """Everything that needs classes; None where none can be scored."""
    if dataset is None:
        return None
    results = classify(dataset, images.decoded, encoded, margin, sampled_from, progress)
    curves = learning_curves(results, dataset, progress)
    combinations = put_together(dataset, results, progress)
    suspects = find_suspects(dataset, images, results, combinations, progress)
    answers = answer(dataset, results, combinations, progress)
    names = by_names(dataset, encoded, progress)
    return Scores(dataset, results, curves, combinations, suspects, answers, names)


def _score_labels(
    images: ImageCollection,
    encoded: list[EncodedCandidate],
    margin: float,
    sampled_from: int | None,
    progress: Progress,
) -> LabelScores | None:
    """Everything that needs sets of labels; None where no label can be scored."""
    if images.label_sets is None:
        return None
    sets = LabelSets.of(images.label_sets)
    dataset = multi_labelled(sets, images.groups, images.seed, images.left_out)
    if dataset is None:
        return None
    results = judge_labels(dataset, images.decoded, encoded, margin, sampled_from, progress)
    curves = multi_label.learning_curves(results, progress)
    return LabelScores(results, curves, put_labels_together(results, progress))


def _valued(images: ImageCollection, log: bool) -> ValuedDataset | None:
    """The images with a number; None where numbers are not predicted or cannot be tested.

    Raises:
        BadData: A number below 0 has no logarithm.
        BadParameter: There are no numbers to take the logarithm of.
    """
    if images.values is None:
        if log:
            raise BadParameter(
                "--log needs numbers to predict, got "
                f"{plural(images.target.kind)}. Compare without it, or name a column of numbers."
            )
        return None
    numbers, scale = images.values.copy(), PLAIN
    numbers[list(images.left_out)] = np.nan
    if log:
        numbers, scale = logarithms(numbers, [item.path for item in images.decoded.items])
    name = described(images.target.column, scale)
    return valued(numbers, name, images.groups, images.seed, scale)


def _score_values(
    dataset: ValuedDataset | None,
    images: ImageCollection,
    encoded: list[EncodedCandidate],
    margin: float,
    sampled_from: int | None,
    progress: Progress,
) -> ValueScores | None:
    """Everything that needs numbers; None where none can be scored."""
    if dataset is None:
        return None
    results = judge_values(dataset, images.decoded, encoded, margin, sampled_from, progress)
    curves = value_curves(results, progress)
    return ValueScores(results, curves, put_values_together(results, progress))


def _captions(
    encoded: list[EncodedCandidate], inputs: Inputs, state: State
) -> list[CaptionRetrieval]:
    """Retrieval of captions; they are looked for only where something embeds text."""
    if not any(isinstance(each.parts[0].rep, Bilingual) for each in encoded):
        return []
    texts = captions.of_images(inputs.data, state.decoded(state.size).items)
    return retrieve_captions(encoded, texts, state.progress)


def _cues(scores: Scores | None, settings: Settings, state: State) -> Sequence[Cues]:
    if scores is None or not settings.cues:
        return ()
    return find_cues(scores.dataset, scores.classification, state)


def _measure(
    encoded: list[EncodedCandidate], images: ImageCollection, state: State
) -> list[Measurements]:
    """Measurements of every candidate that need no labels."""
    measured = []  # one at a time: perturbed images of two would take as much memory as all else
    for done, each in enumerate(encoded):
        state.progress("reconstruction and robustness", done, len(encoded))
        measured.append(measure(each, images, state))
    return measured
