"""Training examples: a changed image, and one of its captions as tokens."""

import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imrep import datasets
from imrep.base.examples import Change, Pixels, TrainingImages
from imrep.datasets import Dataset, captions
from imrep.errors import BadData, ImrepError
from imrep.represent.language.virtex.tokens import PAD, Tokens, mirrored

_MIN_AREA, _MAX_ASPECT = 0.2, 4 / 3  # of a resized crop at full strength
_COLOUR, _HUE, _JITTERED = 0.4, 0.1, 0.8  # of the jitter, and the share of images that have it


def find(data: str) -> Dataset:
    """The images with their captions; without any, labelled images.

    Raises:
        BadData: There is neither, or a line is wrong.
    """
    try:
        return captions.find(data)
    except BadData:
        with contextlib.suppress(ImrepError):
            dataset = datasets.find(data)
            if any(_labels(item) for item in dataset.items):
                return dataset
        raise


def texts(images: TrainingImages, rows: Sequence[int], caller: str) -> list[tuple[str, ...]]:
    """The captions of each row.

    Raises:
        BadData: There are none.
    """
    annotations, items = images.annotations, images.items
    if not isinstance(annotations, captions.Captions):
        raise BadData(
            f"{caller} needs captions to be trained, got images without. Give a table with columns "
            "path and caption, or set task=multilabel-classification for labels."
        )
    return [annotations.of(items[row].path) for row in rows]


@dataclass(frozen=True)
class Sequences:
    """Sequences of numbers in groups, packed: millions of lists would fill the memory.

    Args:
        values: All numbers.
        starts: First of each sequence, and the end of the last.
        groups: First sequence of each group, and the end of the last.
    """

    values: NDArray[np.int32]
    starts: NDArray[np.int64]
    groups: NDArray[np.int64]

    @classmethod
    def of(cls, groups: Iterable[Sequence[Sequence[int]]]) -> "Sequences":
        """Packed, group by group."""
        values: list[NDArray[np.int32]] = []
        lengths, counts = [], []
        for group in groups:
            counts.append(len(group))
            for sequence in group:
                values.append(np.array(sequence, np.int32))
                lengths.append(len(sequence))
        return cls(
            np.concatenate(values) if values else np.empty(0, np.int32),
            np.cumsum([0, *lengths]),
            np.cumsum([0, *counts]),
        )

    def count(self, group: int) -> int:
        """Sequences of a group."""
        return int(self.groups[group + 1] - self.groups[group])

    def read(self, group: int, index: int) -> Tensor:
        """A sequence of a group, int64."""
        number = self.groups[group] + index
        return torch.from_numpy(
            self.values[self.starts[number] : self.starts[number + 1]].astype(np.int64)
        )


@dataclass(frozen=True)
class CaptionExamples:
    """Images with one of their captions; a mirrored image has left and right exchanged in it.

    Args:
        pixels: Images by row.
        captions: Tokens of the captions of each row.
        mirrored: Those of the mirrored image.
        length: Tokens of a batch, padded.
    """

    pixels: Pixels
    captions: Sequences
    mirrored: Sequences
    length: int

    @classmethod
    def of(
        cls, pixels: Pixels, texts: Sequence[Sequence[str]], tokens: Tokens, length: int
    ) -> "CaptionExamples":
        """The captions of each row as tokens."""

        def encoded(change: Callable[[str], str]) -> Sequences:
            return Sequences.of(
                [tokens.encode(change(text), length) for text in group] for group in texts
            )

        return cls(pixels, encoded(str), encoded(lambda text: mirrored(text.lower())), length)

    def random(self, row: int, change: Change) -> dict[str, Tensor]:
        """A random part of the image in changed colours, and a random caption of it."""
        index = int(torch.randint(self.captions.count(row), ()))
        is_mirrored = "flip" in change.names and float(torch.rand(())) < change.strength / 2
        image = changed(self.pixels.read(row), change)
        if is_mirrored:
            image = image.flip(2)
        source = self.mirrored if is_mirrored else self.captions
        return {"image": image, **self._padded(source.read(row, index))}

    def plain(self, row: int, side: int) -> dict[str, Tensor]:
        """The central square and the first caption."""
        return {
            "image": _centred(self.pixels.read(row), side),
            **self._padded(self.captions.read(row, 0)),
        }

    def _padded(self, tokens: Tensor) -> dict[str, Tensor]:
        padded = torch.full((self.length,), PAD)
        padded[: len(tokens)] = tokens
        return {"caption_tokens": padded, "caption_length": torch.tensor(len(tokens))}


@dataclass(frozen=True)
class LabelExamples:
    """Images with the set of their classes.

    Args:
        pixels: Images by row.
        labels: Classes of each row, from 1, in one sequence.
        length: Classes of an image, at most.
    """

    pixels: Pixels
    labels: Sequences
    length: int

    def random(self, row: int, change: Change) -> dict[str, Tensor]:
        """A random part of the image in changed colours, and its classes."""
        image = changed(self.pixels.read(row), change)
        if "flip" in change.names and float(torch.rand(())) < change.strength / 2:
            image = image.flip(2)
        return {"image": image, "labels": self._padded(row)}

    def plain(self, row: int, side: int) -> dict[str, Tensor]:
        """The central square and its classes."""
        return {"image": _centred(self.pixels.read(row), side), "labels": self._padded(row)}

    def _padded(self, row: int) -> Tensor:
        labels, padded = self.labels.read(row, 0), torch.full((self.length,), -1)
        padded[: len(labels)] = labels
        return padded


def classes_of(items: Sequence[Any], caller: str) -> tuple[str, ...]:
    """The classes of labelled images, sorted.

    Raises:
        BadData: There are none.
    """
    classes = tuple(sorted({label for item in items for label in _labels(item)}))
    if not classes:
        raise BadData(
            f"{caller} needs labels to be trained for multilabel classification, got none. Put the "
            "images of each class into a folder of its own."
        )
    return classes


def label_examples(pixels: Pixels, items: Sequence[Any], caller: str) -> LabelExamples:
    """The classes of each row, counted from 1."""
    number = {label: i for i, label in enumerate(classes_of(items, caller), 1)}
    sets = [[number[label] for label in _labels(item)] for item in items]
    return LabelExamples(pixels, Sequences.of([each] for each in sets), max(map(len, sets)))


def changed(image: Tensor, change: Change) -> Tensor:
    """A random part of an image (3, h, w), uint8, enlarged to a square, its colours changed."""
    from torchvision.transforms import v2

    strength = change.strength
    if "resized_crop" in change.names:
        area, aspect = 1 - (1 - _MIN_AREA) * strength, _MAX_ASPECT**strength
        image = v2.RandomResizedCrop(change.side, (area, 1), (1 / aspect, aspect))(image)
    elif "crop" in change.names:
        image = v2.RandomCrop(change.side, pad_if_needed=True, padding_mode="edge")(image)
    else:
        image = _centred(image, change.side)
    if "jitter" in change.names and float(torch.rand(())) < _JITTERED:
        colour = _COLOUR * strength
        image = v2.ColorJitter(colour, colour, colour, _HUE * strength)(image)
    return image


def _labels(item: Any) -> tuple[str, ...]:
    if item.labels is not None:
        return tuple(item.labels)
    return () if item.label is None else (item.label,)


def _centred(image: Tensor, side: int) -> Tensor:
    from torchvision.transforms.v2 import functional

    return functional.center_crop(image, [side, side])
