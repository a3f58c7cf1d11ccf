"""A network that reads frequencies in place of pixels, from images or straight from JPEG files."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from imrep import checks
from imrep import weights as weights_
from imrep.base import Evaluation, Examples, Recipe, Supervised, TrainingImages, descent
from imrep.base.descent import Course
from imrep.base.supervised import Read, batch_labels, take_saved
from imrep.codes import Map, Spectrum
from imrep.drawing import draw, stack, strongest
from imrep.errors import BadCode, BadParameter
from imrep.jpeg import ycbcr
from imrep.ops.resize import square
from imrep.registry import specs
from imrep.registry.cards import Card
from imrep.represent.learned.dctnet import backbone, heat_maps, parameters, statistics
from imrep.represent.learned.dctnet.augmentation import mirrored_and_shifted
from imrep.represent.learned.dctnet.examples import Coefficients
from imrep.represent.learned.dctnet.frequencies import Frequencies
from imrep.represent.learned.dctnet.gate import Gate
from imrep.types import Image, Picture, Progress, Vectors
from imrep.weights import strict

_STARTS = (None, "published")  # of weights that must be trained before they embed
_REMEDY = "Use `imrep train`, which takes a learning rate."
_RANDOM_RATE, _PUBLISHED_RATE = 2e-3, 3e-4  # of Adam
_SELECTED = 0.5  # share of the images for which a selected channel is on


class DCTNet(Supervised[Map]):
    """Features of a network that reads block DCT coefficients.

    The image is transformed as by `dct`: the coefficients of all 8 × 8 blocks at one frequency are
    a channel, at an eighth of the size. A ResNet or MobileNetV2 without its first layers reads a
    subset of the 192 channels, each less its mean over its deviation in photographs. Images of
    twice the side, or of four times the side for MobileNetV2, cost what those of pixels do.

    The subset is static (the authors', who take low frequencies of luma first), or a gate learns
    it: the loss adds `lam` for each channel that is on. `selected` lists the channels that the gate
    leaves on for at least half of the images, `heat_maps` draws all.

    `encode_jpeg` and `imrep train` read the coefficients of a JPEG itself: no pixel is decoded.
    Where the file stores chroma at half the resolution, it is enlarged as a decoder would.

    It must be trained: by `imrep train`, by `fit(images, labels)`, or by `compare`, which trains it
    inside folds. No weights are published; "published" begins with those of the network of pixels,
    as the authors do, from its second block on and as far as they fit in the first.

    Args:
        arch: A ResNet or MobileNetV2 of timm or torchvision; the paper's are resnet50 and
            mobilenetv2_100.
        weights: None for a random start; "published" for one from the published weights of the
            network of pixels; "random" for an untrained network that embeds all the same; or a
            folder of `save`, whose parameters are taken where none are given.
        channels: Frequencies that are read: 6, 24, 32, 48, 64 or all 192.
        gate: Whether a gate selects among them.
        lam: What a channel that is on adds to the loss (the paper's λ).
        temperature: Of the gate's Gumbel-softmax.
        stride: Of the second stage: 2 as in the network of pixels, or 1 as in the authors'
            released ResNet, which keeps the resolution at three to four times the cost.
        chroma: "full", or "dctnet": filtered by (1, 6, 1) / 8 along both axes, which is what the
            authors' detour through an enlarged 4:2:0 JPEG amounts to.
        layer: Stage of the network, from 0 for the finest or from -1 for the last.
        side: Height and width that images are resized to, in pixels; none for the image's own.
        classes: Number of classes; `fit` sets it.
        epochs: Passes over the images in `fit` and in `compare`.

    References:
        K. Xu, M. Qin, F. Sun, Y. Wang, Y.-K. Chen and F. Ren, "Learning in the frequency domain",
        CVPR 2020. doi:10.1109/CVPR42600.2020.00181

    Example:
        >>> import torch, imrep
        >>> net = imrep.get("dctnet:weights=random,channels=64")
        >>> net.encode(torch.rand(1, 3, 64, 96)).values.shape
        torch.Size([1, 512, 1, 2])
        >>> net.selected()[:9]  # rows 0 and 1 of Y
        (0, 1, 2, 3, 4, 5, 6, 8, 9)
    """

    card = Card(
        title="Learning in the frequency domain",
        family="learned",
        cite="Xu et al. 2020, doi:10.1109/CVPR42600.2020.00181",
        dtype="float32",
        weights="trained",
        reads="jpeg",
        native="jpeg",
    )
    example = "dctnet:arch=test_resnet,weights=random,classes=4,layer=0"
    recipe = Recipe(optimiser="adamw", learning_rate=2e-3, weight_decay=0.05, batch=64)
    recipes = MappingProxyType(
        {"jpeg": replace(recipe, size=0, crop=448, augment="crop+flip")}  # straight from the files
    )

    trained_side: Tensor
    epochs_begun: Tensor
    _mean: Tensor
    _std: Tensor

    def __init__(  # noqa: PLR0913  # the network, its input, its gate and its training
        self,
        *,
        arch: str = "resnet18",
        weights: str | None = None,
        channels: int = 24,
        gate: bool = False,
        lam: float = 0.01,
        temperature: float = 1.0,
        stride: int = 2,
        chroma: str = "full",
        layer: int = -1,
        side: int | None = None,
        classes: int = 10,
        epochs: int = 20,
    ) -> None:
        super().__init__()
        self.arch, self.weights, self.channels, self.gate = arch, weights, channels, gate
        self.lam, self.temperature, self.stride, self.chroma = lam, temperature, stride, chroma
        self.layer, self.side, self.classes, self.epochs = layer, side, classes, epochs
        trained = weights not in (*_STARTS, "random")
        stored = weights_.checkpoint(str(weights), self.name) if trained else None
        if stored is not None and "spec" in stored.config:
            take_saved(self, stored.config["spec"], parameters.OF_THE_NETWORK)
        parameters.check(self)
        self._build()
        if stored is not None:
            own = self.state_dict()
            self.load_state_dict(strict.fit(stored.state, own, self.arch, self.name))
        self._settle()

    def _build(self) -> None:
        start = "published" if self.weights == "published" else "random"
        self.frequencies = Frequencies(self.channels, self.chroma)
        self.network = backbone.build(self.arch, start, self.channels, self.stride, self.name)
        self.network = self.network.to(memory_format=torch.channels_last).eval()
        with torch.no_grad():
            maps = self.network(torch.zeros(1, self.channels, 1, 1))
        if not -len(maps) <= self.layer < len(maps):
            raise BadParameter(
                f"{self.name} needs layer to be a stage of {self.arch}, from {-len(maps)} to "
                f"{len(maps) - 1}, got {self.layer}. Try -1."
            )
        self.widths = tuple(values.shape[1] for values in maps)
        self.head = weights_.seeded(lambda: nn.Linear(self.widths[-1], self.classes))
        self.gating = (
            weights_.seeded(lambda: Gate(self.channels, self.temperature)) if self.gate else None
        )
        mean, std = statistics.of(self.frequencies.rows)
        self.register_buffer("_mean", mean, persistent=False)
        self.register_buffer("_std", std, persistent=False)
        self.register_buffer("epochs_begun", torch.zeros((), dtype=torch.long))
        self.register_buffer("trained_side", torch.zeros((), dtype=torch.long))  # pixels
        self.eval()

    def _settle(self) -> None:
        """Files are read at the side that it was trained at, where no other is set."""
        self.canvas = self.side or int(self.trained_side) or None

    @property
    def needs_fit(self) -> bool:
        """Whether it has yet to be trained."""
        return self.weights in _STARTS and not int(self.epochs_begun)

    @property
    def budget(self) -> str:
        """How long `fit` trains."""
        return f"{self.epochs:,} epochs"

    def encode(self, image: Image) -> Map:
        """The stage's map, (batch, channel, height / stride, width / stride)."""
        maps = self.stages(self.coefficients(image))
        return Map(maps[self.layer], (image.shape[2], image.shape[3]))

    def encode_jpeg(self, source: str | Path | bytes) -> Map:
        """The code of a JPEG from its coefficients: upright, no pixel decoded.

        Args:
            source: A path, or the bytes of a file; gray, YCbCr at any sampling, or RGB.

        Raises:
            BadParameter: `side` is another than the file's.
            BadFile: No JPEG; damaged or truncated; CMYK; or rotated where that is not exact.
            ExtraNeeded: imrep was built without libjpeg-turbo.
        """
        code = ycbcr.read(source, self.name)
        parameters.check_size(self, code.size)
        return Map(self.stages(self.coefficients_of(code))[self.layer], code.size)

    def embed_jpeg(self, source: str | Path | bytes) -> Vectors:
        """The vector of a JPEG from its coefficients; raises as `encode_jpeg` does."""
        return self.pool(self.encode_jpeg(source))

    def coefficients(self, image: Image) -> Tensor:
        """Normalised coefficients (b, channels, ceil(h / 8), ceil(w / 8)) of images.

        Raises:
            BadImage: If they are no images.
        """
        checks.image(image, self.name)
        x = image if image.dtype == torch.float64 else image.float()  # resizing has no half
        return self.normalised(self.frequencies.of_pixels(square(x, self.side) if self.side else x))

    def coefficients_of(self, stored: Spectrum) -> Tensor:
        """Normalised coefficients (1, channels, ceil(h / 8), ceil(w / 8)) of what a JPEG stores.

        Args:
            stored: As `imrep.jpeg.ycbcr.read` gives it.
        """
        return self.normalised(self.frequencies.of_jpeg(stored))

    def normalised(self, coefficients: Tensor) -> Tensor:
        """Coefficients in JPEG's units, less the mean over the deviation of each frequency."""
        weight = next(self.network.parameters())
        return (coefficients.to(weight.device) - self._mean).div_(self._std).to(weight.dtype)

    def stages(self, coefficients: Tensor) -> list[Tensor]:
        """The map of every stage, (b, c, h, w), from normalised coefficients."""
        return self._gated(coefficients)[0]

    def selected(self) -> tuple[int, ...]:
        """Numbers of the channels that are read, among the 192: 64 p + 8 v + u.

        Those that the gate left on for at least half of the images in training; all without one.
        """
        shares = self.shares().tolist()
        pairs = zip(self.frequencies.indices, shares, strict=True)
        return tuple(index for index, share in pairs if share >= _SELECTED)

    def shares(self) -> Tensor:
        """Share of the images in training for which each channel was on, (channels,)."""
        return torch.ones(self.channels) if self.gating is None else self.gating.opened.clone()

    def heat_maps(self) -> Picture:
        """The shares of the 192 frequencies, 8 × 8 each for Y, Cb and Cr; (1, 3, rows, columns)."""
        return heat_maps.draw(self.frequencies.indices, self.shares())

    def pool(self, code: Map) -> Vectors:
        """The map's mean."""
        self.require_training()
        return code.values.mean((2, 3))

    def check_code(self, code: Map) -> None:
        """Refuse maps with another number of channels than the stage has."""
        count, width = code.values.shape[1], self.widths[self.layer]
        if count != width or not code.values.numel():
            raise BadCode(
                f"{self.name} needs a map of {width} channels, got {tuple(code.values.shape)}. "
                "Use the code that encode gave."
            )

    def picture(self, code: Map, image: Image | None = None) -> Picture:
        """The 64 maps that vary most, strongest first, and with a gate its heat maps below."""
        maps = draw(Map(strongest(code.values.detach()), code.size))
        if self.gating is None:
            return maps
        return stack([maps, self.heat_maps().to(maps).expand(len(maps), -1, -1, -1)])

    def loss(self, batch: dict[str, Tensor]) -> Tensor:
        """Cross-entropy of the classes, and `lam` times the mean number of channels that are on.

        In training mode batch normalisation reads the batch, and the gate samples. Images of class
        -1 count in the number of channels alone.

        Raises:
            BadData: If there is no class of each image, or one is not below `classes`.
        """
        coefficients, side = self._read(batch)
        labels = batch_labels({**batch, "image": coefficients}, self.classes, self.name)
        if self.training:
            self.trained_side.fill_(side)
        with self._batch_statistics():
            maps, gates = self._gated(coefficients)
        logits, labelled = self.head(maps[-1].mean((2, 3))), labels >= 0
        total = logits.sum() * 0
        if labelled.any():
            total = F.cross_entropy(logits[labelled], labels[labelled])
        return total if gates is None else total + self.lam * gates.sum(1).mean()

    def training_examples(self, images: TrainingImages) -> Examples | None:
        """The coefficients that JPEG files store, where images are read at their own size."""
        if self.side is not None or images.pixels.side is not None:
            return None
        return Coefficients(images, self.frequencies)

    def evaluate(self, batches: Iterator[dict[str, Tensor]]) -> Evaluation:
        """The accuracy, and how many channels a gate selected."""
        correct, labelled = 0, 0
        for batch in batches:
            classes = self._logits(self._read(batch)[0]).argmax(1)
            correct += int((classes == batch["label"]).sum())
            labelled += int((batch["label"] >= 0).sum())
        numbers = {"accuracy": correct / max(1, labelled)}
        if self.gating is not None:
            numbers["selected channels"] = float(len(self.selected()))
        return Evaluation(numbers)

    def logits(self, image: Image) -> Tensor:
        """The classifier's outputs, (b, classes)."""
        return self._logits(self.coefficients(image))

    def begin_epoch(self, epoch: int) -> None:
        """Count it."""
        self.epochs_begun.fill_(epoch + 1)

    def fit_rows(
        self, read: Read, labels: Tensor, seed: int = 0, progress: Progress | None = None
    ) -> None:
        """Train anew, from the start that `weights` names, for `epochs` passes by Adam.

        Raises:
            BadParameter: If it was made with trained weights.
            BadData: If there are fewer than two images, or the loss is not finite.
        """
        if self.weights not in _STARTS:
            raise BadParameter(
                f"{self.name} needs weights=none or published to be trained, got {self.weights!r}."
            )
        device = next(self.parameters()).device
        side = self.canvas or read(np.zeros(1, np.int64)).shape[2]
        with torch.inference_mode(False):  # its tensors could have no gradient
            self.set_params(classes=int(labels.max()) + 1, side=side)
        rate = _RANDOM_RATE if self.weights is None else _PUBLISHED_RATE
        course = Course(self.epochs, rate, seed, _REMEDY)

        def loss(rows: NDArray[np.int64], _: int) -> Tensor:
            image = mirrored_and_shifted(read(rows).to(device))
            return self.loss({"image": image, "label": labels[rows].to(device)})

        descent.descend(self.to(device), loss, len(labels), course, progress)

    def train(self, mode: bool = True) -> "DCTNet":
        """In training mode the weights have gradients; vectors are the same in either.

        The network's layers stay in evaluation mode, outside `loss`: a vector must not depend on
        its batch, nor on chance.
        """
        super().train(False)
        self.training = mode
        self.requires_grad_(mode)
        return self

    def load_weights(self, folder: str | Path) -> "DCTNet":
        """Load what `save` wrote; raises BadParameter for another network's weights, or none."""
        super().load_weights(folder)
        self._settle()
        return self

    def _logits(self, coefficients: Tensor) -> Tensor:
        return self.head(self.stages(coefficients)[-1].mean((2, 3)))

    def _read(self, batch: dict[str, Tensor]) -> tuple[Tensor, int]:
        """Normalised coefficients of a batch, and the side of its images in pixels."""
        if "coefficients" in batch:
            coefficients = batch["coefficients"]
            return self.normalised(coefficients), 8 * coefficients.shape[2]
        image = batch["image"]
        return self.coefficients(image), self.side or image.shape[2]

    def _gated(self, coefficients: Tensor) -> tuple[list[Tensor], Tensor | None]:
        """The map of every stage, and the gates (b, channels) of a network that has them."""
        gates = None
        if self.gating is not None:
            coefficients, gates = self.gating(coefficients)
        if not torch.compiler.is_compiling():
            coefficients = coefficients.contiguous(memory_format=torch.channels_last)
        return self.network(coefficients), gates

    @contextmanager
    def _batch_statistics(self) -> Iterator[None]:
        """Within it the network's layers and the gate are in the mode of training."""
        modules = [self.network, *([] if self.gating is None else [self.gating])]
        for module in modules:
            module.train(self.training)
        try:
            yield
        finally:
            for module in modules:
                module.eval()

    def _fingerprint_params(self) -> dict[str, Any]:
        """How it started and where its weights lie do not matter: the weights themselves enter."""
        return {**self.get_params(), "weights": "random" if self.weights == "random" else None}

    def _blank_spec(self) -> str:
        return specs.write(self.name, self._fingerprint_params())
