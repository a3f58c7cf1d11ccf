"""`classify`: which of the caller's labels fits each image, without any training."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imrep import images
from imrep.api.answers import Answers
from imrep.api.data import in_order
from imrep.api.image_text import Options
from imrep.base import Representation
from imrep.datasets import Dataset, Item
from imrep.embedding.image_vectors import ImageVectors
from imrep.errors import BadData
from imrep.evaluation import zeroshot as accuracy
from imrep.evaluation.figures import Figure
from imrep.language import prompts, text_vectors, zeroshot

ONLY_THESE = "Shares are among these {count} labels only; an image of something else gets some too."
_MAX_NAMES = 3


@dataclass(frozen=True, repr=False, eq=False, kw_only=True)
class ZeroShotAnswers(Answers):
    """Which label fits each image best, by the labels' names alone.

    Args:
        spec: What embedded images and labels.
        templates: The sentences that the labels were put into.
        similarities: (n, C), cosine of image and label; NaN for an image that could not be read.
        accuracy: Balanced accuracy, where the labels are the images' classes; None elsewhere.
        top5: The same of the five best, where there are more labels.
    """

    spec: str
    templates: tuple[str, ...]
    similarities: NDArray[np.float64]
    accuracy: Figure | None = None
    top5: Figure | None = None

    @property
    def among(self) -> str:
        """What the probabilities are shares of."""
        return ONLY_THESE.format(count=len(self.classes))

    def __repr__(self) -> str:
        measured = f", {self.accuracy.text} right" if self.accuracy else ""
        return (
            f"ZeroShotAnswers({len(self)} images, {len(self.classes)} labels by {self.spec}"
            f"{measured}{self._skipped_text})"
        )


def classify(  # noqa: PLR0913  # one argument for each option of the command
    data: Any,
    representation: str | Representation = "clip",
    labels: str | Sequence[str] | None = None,
    *,
    templates: str | Sequence[str] | None = None,
    size: int | None = 64,
    threads: int | None = None,
    device: str = "cpu",
    download: bool = False,
    max_pixels: int = images.MAX_PIXELS,
    data_range: tuple[float, float] | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> ZeroShotAnswers:
    """Which of these labels fits each image best, by their names alone.

    Each label is put into every template; the mean of its vectors stands for it. Probabilities are
    shares among these labels only.

    Args:
        data: An image, a folder, a split.csv, a zip, a parquet, a glob, or a list of paths; or
            images in memory, as `embed` takes them, with labels for the accuracy.
        representation: A spec, or a representation, that embeds text.
        labels: A list, "a cat, a dog", or the name of a file with one a line. None for the names
            of the images' classes.
        templates: Sentences with {} where the label goes: a list, one, or the name of a file;
            "openai" or "simple" for those of open_clip; None for four plain ones.
        size: Side in pixels of the squares that images are read at, unless the representation has
            its own; None keeps each at its own size.
        threads: Threads that read and encode; None for as many as torch has.
        device: Where to encode, as torch names it.
        download: Whether published weights that are not on this machine are fetched.
        max_pixels: Largest image that is decoded.
        data_range: Black and white of files that do not say it (`images.Reading`).
        progress: Called with a phrase, the number done and the total.

    Returns:
        `ZeroShotAnswers`: labels, p, probabilities, accuracy, skipped.

    Raises:
        BadData: There are no images, none can be read, or there are neither labels nor classes.
        BadParameter: A label or a template is wrong, or the representation embeds no text.
        WeightsNeeded: Its weights are not on this machine.
    """
    options = Options(
        caller="classify",
        size=size,
        threads=threads,
        device=device,
        download=download,
        max_pixels=max_pixels,
        data_range=data_range,
        progress=progress,
    )
    sentences = prompts.read_templates(templates)
    own = None if labels is None else prompts.read_labels(labels)
    rep = text_vectors.bilingual(options.resolve(representation), "classify")
    dataset = options.dataset(data)
    names = _class_names(dataset) if own is None else own
    words = [prompts.readable(name) for name in names] if own is None else names
    classifier = zeroshot.classifier(rep, words, sentences, progress)
    items = in_order(dataset.items, data)
    embedded = options.vectors(rep, dataset, data, items)
    truth = accuracy.matched(embedded.items, names)
    figures = accuracy.accuracies(classifier, embedded, truth) if dataset.labelled else []
    return ZeroShotAnswers(
        paths=tuple(item.path for item in items),
        classes=names,
        probabilities=_rows(items, embedded, classifier.probabilities(embedded.vectors)),
        skipped=embedded.skipped,
        notes=(*dataset.notes, *_notes(dataset, embedded, names, truth, rep.name)),
        spec=rep.spec,
        templates=sentences,
        similarities=_rows(items, embedded, classifier.similarities(embedded.vectors)),
        accuracy=figures[0] if figures else None,
        top5=figures[1] if figures[1:] else None,
    )


def _rows(items: Sequence[Item], embedded: ImageVectors, values: NDArray[Any]) -> NDArray[Any]:
    """A row for every image; NaN for one that could not be read."""
    rows = {item.path: row for row, item in enumerate(embedded.items)}
    table = np.full((len(items), values.shape[1]), np.nan)
    for position, item in enumerate(items):
        if item.path in rows:
            table[position] = values[rows[item.path]]
    return table


def _class_names(dataset: Dataset) -> tuple[str, ...]:
    """The classes of the images as labels.

    Raises:
        BadData: There are fewer than two.
    """
    if len(dataset.classes) < 2:
        raise BadData(
            f"classify needs labels, or images with two classes or more, got {dataset.name} with "
            f"{len(dataset.classes) or 'none'}. Give --labels 'a cat, a dog'."
        )
    return prompts.read_labels(dataset.classes)


def _notes(
    dataset: Dataset, embedded: ImageVectors, labels: Sequence[str], truth: np.ndarray, name: str
) -> list[str]:
    """What the user should know of the labels."""
    notes = []
    if foreign := prompts.other_scripts(labels):
        notes.append(
            f"Labels in another script than Latin ({_listed(foreign)}): {name} may not have "
            "learned them."
        )
    if numbers := [label for label in labels if not prompts.has_words(label)]:
        notes.append(f"Labels that say nothing ({_listed(numbers)}): what fits them is chance.")
    others = [
        item.label
        for item, label in zip(embedded.items, truth, strict=True)
        if label < 0 and item.label is not None
    ]
    if dataset.labelled and others:
        what = "there is no accuracy" if (truth < 0).all() else "they are not in the accuracy"
        images_have = "1 image has" if len(others) == 1 else f"{len(others):,} images have"
        notes.append(f"{images_have} a class that is no label ({_listed(others)}): {what}.")
    return notes


def _listed(names: Sequence[str]) -> str:
    distinct = list(dict.fromkeys(names))
    return ", ".join(distinct[:_MAX_NAMES]) + (" …" if distinct[_MAX_NAMES:] else "")
