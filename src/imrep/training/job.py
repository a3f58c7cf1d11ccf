"""A run that is about to start: representation, images, their division, and the number of steps."""

import copy
import math
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from imrep.base import Learned, Recipe
from imrep.datasets import Dataset
from imrep.errors import BadData, BadParameter
from imrep.training import data as training_data
from imrep.training.batches import ImagesAlone, Loading, Share
from imrep.training.data import TrainingData
from imrep.training.order import Draw, Order, held_out
from imrep.training.parts import Rows, split
from imrep.training.settings import Settings
from imrep.types import Progress

if TYPE_CHECKING:
    from imrep.training.module import Module

_FORMAT = 1  # raised when the same settings would give other weights
_MAX_EVALUATED = 1024  # held-out images whose loss is computed
_MAX_WORKERS = 8  # processes that load images
_OPTIONAL = ("rates", "lookahead")  # of a recipe, that most do not set
_LATE = 10**6  # an epoch by which a curriculum has strength


@dataclass(frozen=True)
class Job:
    """One training run.

    Args:
        rep: The representation, at its first weights.
        data: The images.
        trained: Rows that are trained on.
        held_out: Rows that are not.
        settings: With the number of steps in the recipe, unless it is still to be measured.
    """

    rep: Learned
    data: TrainingData
    trained: Rows
    held_out: Rows
    settings: Settings

    @property
    def steps(self) -> int:
        """Of the optimiser."""
        return self.settings.recipe.steps

    @cached_property
    def order(self) -> Order:
        """Which images a step sees."""
        return Order(self.trained, self.settings.recipe.batch, self.settings.seed)

    @cached_property
    def loading(self) -> Loading:
        """How they become a batch."""
        recipe = self.settings.recipe
        examples = self.rep.training_examples(self.data) or ImagesAlone(self.data.pixels)
        return Loading(self.data, examples, recipe.augmentations, recipe.side, self.rep.strength)

    @property
    def evaluation(self) -> Draw:
        """Held-out images whose loss is computed: all, or a random sample."""
        rows = np.random.default_rng(self.settings.seed).permutation(self.held_out)
        return held_out(np.sort(rows[:_MAX_EVALUATED]), self.settings.seed)

    @property
    def parameters(self) -> int:
        """Number of trained weights."""
        return sum(p.numel() for p in self.rep.parameters() if p.requires_grad)

    @property
    def workers(self) -> int:
        """Processes that load images beside the one that computes."""
        return min(self.settings.threads - 1, _MAX_WORKERS)

    def module(self, *, first: int = 0, last: int | None = None, copied: bool = False) -> "Module":
        """The representation as Lightning trains it, from step `first` to before `last`."""
        from imrep.training.module import Module

        return Module(
            copy.deepcopy(self.rep) if copied else self.rep,
            self.settings.recipe,
            self.order,
            self.loading,
            share=Share(self.settings.accumulate),
            first=first,
            last=self.steps if last is None else last,
            workers=self.workers,
        )

    def with_steps(self, steps: int) -> "Job":
        """The same of another length."""
        recipe = replace(self.settings.recipe, steps=steps)
        return replace(self, settings=replace(self.settings, recipe=recipe))

    def identity(self) -> dict[str, Any]:
        """Everything that decides the weights, as JSON can hold it."""
        settings, recipe = self.settings, asdict(self.settings.recipe)
        recipe = {name: value for name, value in recipe.items() if value or name not in _OPTIONAL}
        if settings.minutes is not None:
            recipe["steps"] = f"{settings.minutes:g} minutes"
        names = ("held_out", "seed", "precision", "accumulate", "processes", "deterministic")
        return {
            "format": _FORMAT,
            "spec": self.rep.spec,
            "weights": self.rep.fingerprint,
            "data": self.data.key,
            "images": [len(self.trained), len(self.held_out)],
            **recipe,
            **{name: getattr(settings, name) for name in (*names, "selects_best")},
        }


def prepare(rep: Learned, dataset: Dataset, settings: Settings, progress: Progress) -> Job:
    """Read the images and divide them.

    Raises:
        BadData: None can be read, or all are near-duplicates.
    """
    data = read(rep, dataset, settings, progress)
    rows = np.arange(len(data))
    trained, remainder = split(rows, data.labels, data.groups, settings.held_out, settings.seed)
    return sized(rep, data, (trained, remainder), settings)


def read(rep: Learned, dataset: Dataset, settings: Settings, progress: Progress) -> TrainingData:
    """The images, at the representation's own size if it has one."""
    return training_data.collect(
        dataset,
        rep.canvas or settings.recipe.size,
        rep.framed(settings.reading),
        settings.threads,
        progress,
    )


def sized(rep: Learned, data: TrainingData, parts: tuple[Rows, Rows], settings: Settings) -> Job:
    """A job with its number of steps and its size.

    Raises:
        BadData: A class has no image to train on.
        BadParameter: Changes of images are requested that would have no strength.
    """
    rep.begin_training(data, parts[0].tolist())
    recipe = _augmenting(rep, settings.recipe)
    if rep.canvas:
        recipe = replace(recipe, size=rep.canvas, crop=min(recipe.crop, rep.canvas))
    if settings.epochs is not None:
        steps = math.ceil(settings.epochs * len(parts[0]) / recipe.batch)
        recipe = replace(recipe, steps=steps)
    if rep.reads_labels and len(classes := _present(data.labels[parts[0]])) < 2:
        raise BadData(
            f"{rep.name} needs two classes among the images to train on, got {len(classes)}. "
            "Add images, or hold out fewer."
        )
    return Job(rep, data, *parts, replace(settings, recipe=recipe))


def _augmenting(rep: Learned, recipe: Recipe) -> Recipe:
    """The recipe without those changes of images that the representation gives no strength.

    Raises:
        BadParameter: They are not the representation's own, but requested.
    """
    crop = [name for name in recipe.augmentations if name == "crop"]  # which has no strength
    if len(crop) == len(recipe.augmentations) or any(map(rep.strength, (0, _LATE))):
        return recipe
    if recipe.augment != rep.recipe.augment:
        raise BadParameter(
            f"train needs an augmentation of some strength for {recipe.augment}, got 0 of "
            f"{rep.spec}. Set the parameter that scales it; of snnl, augment=1."
        )
    return replace(recipe, augment="".join(crop))


def _present(labels: NDArray[np.int64]) -> list[int]:
    return [label for label in np.unique(labels).tolist() if label >= 0]
