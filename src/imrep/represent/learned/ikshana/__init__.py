"""IkshanaNet: the gist of a scene at several scales, from a few glances, and its segmentation."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import torch
from torch import Tensor

from imrep import checks, codecheck
from imrep import weights as weights_
from imrep.base import Evaluation, Examples, Learned, Recipe, TrainingImages
from imrep.codes import Map, Views
from imrep.datasets import Dataset, masks
from imrep.datasets.masks import Masks
from imrep.drawing import paint, palette
from imrep.errors import BadCode, BadData, BadParameter, WeightsNeeded, short_repr
from imrep.networks import inputs
from imrep.ops.segmentation import confusion
from imrep.registry import specs
from imrep.registry.cards import Card
from imrep.represent.learned.ikshana import checkpoint, pictures, segmentation, training
from imrep.represent.learned.ikshana.checkpoint import Trained
from imrep.represent.learned.ikshana.glances import CHANNELS, Layout, build, layout
from imrep.represent.learned.ikshana.training import MaskedImages
from imrep.types import Image, Picture, Progress
from imrep.weights import strict

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet; see `_normalised`
_MAX_CLASSES = 1024
_OF_TRAINING = ("class_weights",)  # parameters without effect on a code


class Ikshana(Learned[Views]):
    """The gist of a scene: maps of several glances at each of several scales.

    A glance looks at the image and at the maps of all glances before it, through convolutions of
    another dilation than theirs. The code holds the 32 maps of each glance, scale by scale, each
    scale half as high and wide as the one before; the vector holds their means per cell of a
    2 × 2 grid, each glance's of length one. `segment` gives the class of each pixel. It is trained
    on few images and their masks by `imrep train ikshana FOLDER`, and without any pretraining.

    In a picture each row is a scale and each column a glance: colours show what the glance adds to
    those before it at its scale, the bar below how much.

    No weights come with imrep. The author's files (Cityscapes with 20 classes, CamVid with 12; in
    the repository of the paper, under GPL-3.0) are read by `weights=FILE`; they determine variant
    and number of classes.

    The network reads blue, green and red, in this order, less (0.485, 0.456, 0.406) over (0.229,
    0.224, 0.225), as in its published training. Departure from the paper: sizes that halving does
    not divide are rounded down, and scales are enlarged to the size of the finer one.

    Args:
        variant: "main" (three scales of three glances, with projections of each scale's maps, and
            the image seen again at every scale), "kS-nG" for k scales of n glances (3S-2G, 2S-3G,
            1S-6G), or "nG" for three of them (3G, 6G, 12G).
        weights: A file or folder of trained ones, "random" for training and for measuring what the
            architecture alone contributes, or "published", which names where they are.
        classes: Of the segmentation, void among them where it has a class of its own.
        class_weights: In training: "none", or "median" for the weights of median frequency
            balancing, which count rare classes more.

    References:
        V. S. S. A. Daliparthi, "The Ikshana hypothesis of human scene understanding", 2021.
        arXiv:2101.10837

    Example:
        >>> import torch, imrep
        >>> net = imrep.get("ikshana:variant=3S-2G,weights=random,classes=12")
        >>> code = net.encode(torch.rand(1, 3, 48, 64))
        >>> [tuple(maps.values.shape[1:]) for maps in code.codes[::2]]
        [(32, 48, 64), (32, 24, 32), (32, 12, 16)]
        >>> tuple(net.segment(torch.rand(1, 3, 48, 64)).shape)
        (1, 12, 48, 64)
    """

    card = Card(
        title="IkshanaNet",
        family="learned",
        cite="Daliparthi 2021, arXiv:2101.10837",
        dtype="float32",
        weights="trained",
    )
    example = "ikshana:variant=3S-2G,weights=random"
    recipe = Recipe(batch=4, size=256)
    # A rate of 1e-6 of the loss summed over the pixels of a step is this one of their mean; 180
    # epochs of CamVid's 367 images.
    recipes = MappingProxyType(
        {
            "paper": Recipe(
                optimiser="sgd", learning_rate=1e-6 * 2 * 368**2, momentum=0.7, weight_decay=0.0,
                schedule="plateau", warmup=0.0, batch=2, steps=33_030, size=368, augment="",
            )
        }
    )  # fmt: skip

    def __init__(
        self,
        *,
        variant: str = "main",
        weights: str = "published",
        classes: int = 20,
        class_weights: str = "none",
    ) -> None:
        checks.one_of(class_weights, segmentation.WEIGHTS, self.name, "class_weights")
        super().__init__()
        self.variant, self.weights, self.classes = variant, weights, classes
        self.class_weights = class_weights
        self._class_weights: Tensor | None = None
        self._trained = Trained()
        if weights == "published":
            raise WeightsNeeded(
                f"{self.name} needs weights, and none come with imrep. Train it: imrep train "
                "ikshana FOLDER -o d. Or pass weights=FILE with one of the author's "
                "(arXiv:2101.10837 names the repository), or weights=random."
            )
        content = None if weights == "random" else checkpoint.read(weights, self.name)
        if content is not None:
            self._take(content)
        checks.integer(self.classes, 1, _MAX_CLASSES, self.name, "classes")
        self.network = weights_.seeded(lambda: build(self._layout, self.classes))
        if content is not None:
            self._fill(content.state)
            self._trained = content.trained
        self.eval()

    def encode(self, image: Image) -> Views:
        """Maps (batch, 32, height / 2^s, width / 2^s) of each glance, scale s by scale."""
        x = self._normalised(image)
        size = (x.shape[2], x.shape[3])
        gists = self.network.gists(x)
        return Views(tuple(Map(values, size) for maps in gists for values in maps))

    def segment(self, image: Image) -> Tensor:
        """Scores of each class and pixel, (batch, classes, height, width)."""
        return self.network(self._normalised(image))

    def picture(self, code: Views, image: Image | None = None) -> Picture:
        """What each glance adds: a row for each scale, a column for each glance."""
        maps = [part.values for part in _maps(code)]
        count = self._layout.glances
        return pictures.additions([maps[i : i + count] for i in range(0, len(maps), count)])

    def check_code(self, code: Views) -> None:
        """Refuse another number of maps, or maps of other sizes, than these parameters give."""
        codecheck.structure(code, Views, self.name)
        scales, glances = self._layout[:2]
        if len(code.codes) != scales * glances:
            raise BadCode(
                f"{self.name} needs {scales * glances} maps, got {len(code.codes)}. "
                "Use the parameters that encoded."
            )
        for part in code.codes:
            codecheck.structure(part, Map, self.name)
        parts = _maps(code)
        if len({(part.size, len(part)) for part in parts}) > 1:
            raise BadCode(f"{self.name} needs maps of the same images. Use the code of encode.")
        height, width = parts[0].size
        for i, part in enumerate(parts):
            scale = 2 ** (i // glances)
            codecheck.maps(part.values, self.name, [CHANNELS], (height // scale, width // scale))

    def loss(self, batch: dict[str, Tensor]) -> Tensor:
        """Cross-entropy of the labelled pixels; in training batch normalisation reads the batch.

        Args:
            batch: `image` (b, 3, h, w) in [0, 1], and `mask` (b, h, w), the class of each pixel, -1
                for one that does not count.

        Raises:
            BadData: There are no masks of the images' size, or a class is not below `classes`.
        """
        mask = segmentation.mask_of(batch, self.classes, self.name)
        x = self._normalised(batch["image"])
        if self.training:
            self._trained = replace(self._trained, side=int(x.shape[2]))
        self.network.train(self.training)
        try:
            scores = self.network(x)
        finally:
            self.network.eval()
        return segmentation.cross_entropy(scores, mask, self._class_weights)

    @classmethod
    def annotated(cls, data: str, progress: Progress | None = None) -> Dataset:
        """The images at `data` with their masks, as `imrep.datasets.masks.find` reads them.

        Raises:
            BadData: There are none, or a mask does not fit its image or its classes.
        """
        return masks.find(data, progress)

    def training_examples(self, images: TrainingImages) -> Examples | None:
        """Images with their masks; the classes' names, colours and weights become those of these.

        Raises:
            BadData: There are no masks, or they have another number of classes.
        """
        own = images.annotations
        if not isinstance(own, Masks):
            return None  # the loss refuses them
        if len(own.classes) != self.classes:
            raise BadData(
                f"{self.name} needs masks of {self.classes} classes, got {len(own.classes)}. "
                "Train from weights=random, or with the classes of the weights."
            )
        self._trained = replace(self._trained, names=own.classes.names, colours=own.classes.rgb)
        if self.class_weights == "median":
            self._class_weights = training.class_weights(own)
        return MaskedImages(images, own)

    def evaluate(self, batches: Iterator[dict[str, Tensor]]) -> Evaluation:
        """Mean IoU, the IoU of each class and the confusion of held-out images."""
        matrix = torch.zeros(self.classes, self.classes, dtype=torch.long)
        for batch in batches:
            predicted = self.segment(batch["image"]).argmax(1)
            matrix += confusion(batch["mask"], predicted, self.classes)
        return training.evaluation(matrix, self.labels)

    def examples_of_batch(self, batch: dict[str, Tensor]) -> dict[str, Image]:
        """Images, their masks, and their segmentation, in the colours of the classes."""
        image, colours = batch["image"], self.colours
        predicted = self.segment(image).argmax(1)
        return {
            "image": image,
            "truth": paint(batch["mask"], colours),
            "prediction": paint(predicted, colours),
        }

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the classes, or their numbers."""
        return self._trained.names or tuple(map(str, range(self.classes)))

    @property
    def colours(self) -> tuple[tuple[int, int, int], ...]:
        """Red, green and blue of each class, 0 to 255."""
        return self._trained.colours or palette(self.classes)

    @property
    def trained_side(self) -> int | None:
        """Side in pixels of the squares that it was trained on; None where that is not known."""
        return self._trained.side or None

    def train(self, mode: bool = True) -> "Ikshana":
        """In training mode the weights have gradients; codes are the same in either.

        The network stays in evaluation mode, outside `loss`: a code must not depend on its batch.
        """
        super().train(False)
        self.training = mode
        self.network.requires_grad_(mode)
        return self

    def load_weights(self, folder: str | Path) -> "Ikshana":
        """Load what `save` wrote, with the name of its weights.

        Raises:
            BadParameter: They are another network's, or there are none.
        """
        file = Path(folder) / "weights.safetensors"
        if not file.is_file():
            raise BadParameter(f"{self.spec} cannot load {file.name}: {file} is no file.")
        content = checkpoint.read(str(folder), self.name)
        self._fill(content.state)
        self._trained = content.trained
        weights_.rename(self, ("random", str(folder)), content.fingerprint)
        return self

    @property
    def _layout(self) -> Layout:
        """Scales and glances.

        Raises:
            BadParameter: No variant has that name.
        """
        own = layout(self.variant)
        if own is None:
            raise BadParameter(
                f"{self.name} needs variant to be main, kS-nG or nG with k up to 9 and n up to 99, "
                f"got {short_repr(self.variant)}. Try 3S-2G."
            )
        return own

    def _take(self, content: checkpoint.Weights) -> None:
        """Set variant and classes to those of the weights.

        Raises:
            BadParameter: The caller set others.
        """
        defaults = {key: p.default for key, p in self._signature().items()}
        if self.variant != defaults["variant"] and self._layout != layout(content.variant):
            raise self._conflict("variant", content.variant)
        if self.classes not in (defaults["classes"], content.classes):
            raise self._conflict("classes", content.classes)
        if self._layout != layout(content.variant):
            self.variant = content.variant
        self.classes = content.classes

    def _conflict(self, key: str, value: object) -> BadParameter:
        return BadParameter(
            f"{self.name} needs {key}={value} for the weights in {self.weights}, "
            f"got {getattr(self, key)}. Leave it out."
        )

    def _fill(self, state: weights_.State) -> None:
        own = self.network.state_dict()
        self.network.load_state_dict(strict.fit(state, own, self.variant, self.name))

    def _normalised(self, image: Image) -> Tensor:
        """The image as the network reads it: blue, green and red, each standardised."""
        min_side = 2 ** (self._layout.scales - 1)
        checks.image(image, self.name, at_least=min_side)
        return inputs.normalised(
            image.expand(-1, 3, -1, -1).flip(1),
            side=None,
            gray=False,
            mean=_MEAN,
            std=_STD,
            dtype=next(self.network.parameters()).dtype,
        )

    def _fingerprint_params(self) -> dict[str, Any]:
        """The variant under one name, and the weights by their digest."""
        own = self._layout
        variant = self.variant if own.main else f"{own.scales}S-{own.glances}G"
        named = self.weights == "random"
        digest = self.weights if named else weights_.digest(self.network.state_dict())
        params = {**self.get_params(), "variant": variant, "weights": digest}
        return {key: value for key, value in params.items() if key not in _OF_TRAINING}

    def _saved_facts(self) -> dict[str, Any]:
        """The names and colours of the classes, and the side of the squares of training."""
        return {"segmentation": asdict(self._trained)}

    def _blank_spec(self) -> str:
        return specs.write(self.name, {**self.get_params(), "weights": "random"})


def _maps(code: Views) -> tuple[Map, ...]:
    return cast(tuple[Map, ...], code.codes)
