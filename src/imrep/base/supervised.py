"""Representations that learn from labelled images."""

from abc import abstractmethod
from collections.abc import Callable, Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from imrep import checks
from imrep.base.learned import Learned
from imrep.base.representation import C
from imrep.errors import BadData, BadParameter, NotFitted
from imrep.registry import catalog, specs
from imrep.types import Image, Progress
from imrep.weights import configuration, described

Read = Callable[[NDArray[np.int64]], Image]  # images of these rows, all of one size


class Supervised(Learned[C]):
    """One that learns from labelled images, all of it in one call, before it embeds.

    `compare` trains such a representation anew on the training part of each fold.
    """

    reads_labels = True

    @abstractmethod
    def fit_rows(
        self, read: Read, labels: Tensor, seed: int = 0, progress: Progress | None = None
    ) -> None:
        """Learn from the images `read(rows)`, for rows of `labels` (n,): classes from 0."""

    @property
    @abstractmethod
    def budget(self) -> str:
        """How long `fit` trains, in words that follow "trained for"."""

    def require_training(self) -> None:
        """Refuse to embed untrained.

        Raises:
            NotFitted: With the ways to train it.
        """
        if self.needs_fit:
            raise NotFitted(
                f"{self.name} needs labelled images to train on, got none. Run imrep train, call "
                "fit(images, labels), or pass weights=FOLDER of a trained one."
            )

    def fit(self, images: Image, labels: Tensor, *, seed: int = 0) -> None:
        """Learn from images and their classes.

        Args:
            images: (n, 1|3, h, w).
            labels: Class of each image, (n,), from 0.
            seed: Of the order of the images and of what is random in training.

        Raises:
            BadData: If there is not one class for each image.
        """
        checks.image(images, self.name)
        if not isinstance(labels, Tensor) or labels.shape != images.shape[:1]:
            shape = tuple(labels.shape) if isinstance(labels, Tensor) else type(labels).__name__
            raise BadData(
                f"{self.name} needs a class for each of {len(images)} images, got {shape}. "
                "Pass a tensor of whole numbers from 0."
            )
        self.fit_rows(lambda rows: images[rows], labels.long(), seed)


def batch_labels(batch: dict[str, Tensor], classes: int, caller: str) -> Tensor:
    """The class of each image of a batch, (b,), -1 for an image without one.

    Raises:
        BadData: If there is not one of each image, or one is not below `classes`.
    """
    labels = batch.get("label")
    if labels is None or labels.shape != batch["image"].shape[:1]:
        raise BadData(
            f"{caller} needs a class of each image to be trained, got none. Put the images "
            "of each class into a folder of its own."
        )
    if int(labels.max()) >= classes or int(labels.min()) < -1:
        raise BadData(
            f"{caller} needs classes from 0 to {classes - 1}, got "
            f"{int(labels.min())} to {int(labels.max())}. Set classes={int(labels.max()) + 1}."
        )
    return labels


def take_configured(rep: Any, fixed: Collection[str] = ()) -> tuple[dict[str, Any], set[str]]:
    """Set the parameters that the config.json beside `rep.weights` gives, as `take_saved` does.

    That of timm gives the architecture alone.

    Args:
        rep: With its own parameters as attributes.
        fixed: Parameters that the weights decide.

    Returns:
        Parameters of what `save` wrote, and the names of those that were set.

    Raises:
        WeightsNeeded: If there are no such weights.
        BadParameter: If they are of another representation, or one of `fixed` is another.
    """
    config = described(rep.weights, rep.name).config
    if "spec" in config:
        return take_saved(rep, config["spec"], fixed)
    parameters = catalog.entry(rep.name).parameters
    default = next(p.default for p in parameters if p.name == "arch")
    if rep.arch == default:
        rep.arch = configuration.architecture(config) or default
    return {}, set()


def take_saved(rep: Any, spec: str, fixed: Collection[str]) -> tuple[dict[str, Any], set[str]]:
    """Set the parameters of a saved spec where `rep` has the defaults.

    Args:
        rep: With its own parameters as attributes.
        spec: Of the representation that was saved.
        fixed: Parameters that the weights decide.

    Returns:
        The saved parameters, and the names of those that were set.

    Raises:
        BadParameter: If it is of another representation, or one of `fixed` is another.
    """
    name, texts = specs.parse(str(spec))[0]
    if name != rep.name:
        raise BadParameter(f"{rep.name} needs weights of its own, got those of {name}.")
    entry = catalog.entry(rep.name)
    defaults = {parameter.name: parameter.default for parameter in entry.parameters}
    saved = {**defaults, **entry.typed(texts)}
    del saved["weights"]
    taken = {key for key in saved if getattr(rep, key) == defaults[key]}
    for key, value in saved.items():
        own = getattr(rep, key)
        if key in taken:
            setattr(rep, key, value)
        elif key in fixed and own != value:
            raise BadParameter(
                f"{rep.name} needs {key}={value}, of its weights, got {own}. Leave it out."
            )
    return saved, taken
