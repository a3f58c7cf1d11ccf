"""Representations with trained weights: by a loss, or in one space with vectors of text."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from torch import Tensor

from imrep.base.examples import Evaluation, Examples, TrainingImages
from imrep.base.recipe import Recipe
from imrep.base.representation import C, Representation
from imrep.datasets import Dataset
from imrep.types import Image, Progress, Vectors


class Learned(Representation[C]):
    """A representation whose weights are trained by gradient descent on a loss.

    Where the spec does not set these parameters, `imrep train` builds it with `weights` set to
    `first_weights` in place of "published", and with `classes` set to the number of classes in the
    data; annotations set the parameters that they name.
    """

    recipe: ClassVar[Recipe] = Recipe()  # of `imrep train`, where its options do not differ
    recipes: ClassVar[Mapping[str, Recipe]] = {}  # others, by the name that `--recipe` takes
    first_weights: ClassVar[str] = "random"  # that training starts from
    reads_labels: ClassVar[bool] = False  # whether the loss needs images of two classes or more

    @abstractmethod
    def loss(self, batch: dict[str, Tensor]) -> Tensor:
        """Scalar to minimise on one batch, a mean over its images.

        Random numbers may come from torch's generator, which is seeded before every call; those
        from the images' seeds do not depend on the number of processes either.

        Args:
            batch: `image` (b, 3, h, w) in [0, 1], or what `training_examples` gives; `seed` (b,),
                int64, another for each image and epoch; and, of labelled data, `label` (b,), int64,
                -1 for an image without one.
        """

    @classmethod
    def annotated(cls, data: str, progress: Progress | None = None) -> Dataset | None:
        """The images at `data` with the annotations that the loss needs; None where it needs none.

        Args:
            data: A path.
            progress: Called as annotations are checked, where that takes long.

        Raises:
            BadData: There are none, or one is wrong: its file and line are named.
        """
        return None

    def begin_training(self, images: TrainingImages, rows: Sequence[int]) -> None:
        """Called once before a run, which may be resumed: learns what is not descended.

        Such as the tokens of captions. Equal images give an equal result.

        Args:
            images: Of the run.
            rows: Those that are trained on.
        """

    def training_examples(self, images: TrainingImages) -> Examples | None:
        """What batches are made of; None for the images alone, augmented as the recipe says."""
        return None

    def evaluate(self, batches: Iterator[dict[str, Tensor]]) -> Evaluation | None:
        """Measures beside the loss, under the weights of the model.

        Args:
            batches: Held-out images in batches without augmentation, on the device of the weights.
        """
        return None

    def begin_epoch(self, epoch: int) -> None:
        """Called before the first step of every epoch, from 0, and again when a run resumes."""

    def strength(self, epoch: int) -> float:
        """Strength of the augmentation in an epoch, from 0 (none) to 1; a curriculum rises."""
        return 1.0

    def examples(self, image: Image) -> dict[str, Image]:
        """Pictures (b, 3, h, w) by their captions, that show what it does to images.

        The images and their reconstructions from the code, where there is an inverse.
        """
        if self.inverse == "none":
            return {}
        return {"image": image, "from its code": self.invert(self.encode(image)).clamp(0, 1)}

    def examples_of_batch(self, batch: dict[str, Tensor]) -> dict[str, Image]:
        """Pictures, as of `examples`, of a batch, which may hold more than images."""
        return self.examples(batch["image"]) if "image" in batch else {}


class Bilingual(Representation[C]):
    """A representation whose vectors share one space with those of sentences."""

    @property
    def similarity_scale(self) -> float:
        """Factor of cosines before a softmax: CLIP's limit, or what the weights have learned."""
        return 100.0

    @abstractmethod
    def embed_text(self, texts: Sequence[str]) -> Vectors:
        """Vectors of sentences, (len(texts), dim), comparable with `embed`'s."""
