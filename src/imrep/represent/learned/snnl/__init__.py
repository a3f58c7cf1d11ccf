"""A network trained by its task and by the soft nearest neighbour loss of its layers."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from imrep import checks
from imrep import weights as weights_
from imrep.base import Recipe, Supervised, descent
from imrep.base.descent import Course
from imrep.base.supervised import Read, batch_labels, take_saved
from imrep.codes import Map, Vector
from imrep.drawing import draw
from imrep.errors import BadCode, BadImage, BadParameter
from imrep.networks import inputs
from imrep.ops.resize import resize, square
from imrep.registry import specs
from imrep.registry.cards import Card, Inverse
from imrep.represent.learned.snnl import backbone, parameters
from imrep.represent.learned.snnl.layers import select
from imrep.represent.learned.snnl.neighbour_loss import unit
from imrep.represent.learned.snnl.objective import Objective
from imrep.types import Image, Picture, Progress, Vectors
from imrep.weights import strict

_STARTS = (None, "published")  # of weights that must be trained before they embed
_REMEDY = "Use a factor closer to 0, or a higher temperature."
_RANDOM_RATE, _PUBLISHED_RATE = 3e-3, 3e-4  # of Adam


class SNNL(Supervised[Map]):
    """Features of a network trained to have neighbours of the same class.

    The network is trained by its task, plus `factor` times the soft nearest neighbour loss of its
    layers. With a positive factor the classes become clusters, which helps neighbours and k-means;
    with a negative one they are entangled, as Frosst et al. do to keep what classes share. A
    layer's vector is its map's mean, where the papers flatten maps. The vectors of `embed` have
    length one where the distance is the cosine.

    It must be trained: by `fit(images, labels)`, or by `compare`, which trains it inside folds.

    Args:
        arch: "mlp", "convnet" (four convolutions with batch normalisation), "autoencoder" (fully
            connected, 500-500-2000-code and back), lenet5, or a network of timm or torchvision.
        weights: None for a random start; "published" for one from a backbone's published weights;
            "random" for an untrained network that embeds all the same; or a folder of `save`,
            whose parameters are taken where none are given.
        layer: Layer that embeds, from 0 for the first or from -1 for the last before the output.
        side: Height and width that images are resized to, in pixels; none for 32 where the network
            has a weight for every pixel, and else for the size that it was trained at.
        code: Numbers in the last hidden layer of the mlp, and in the autoencoder's code.
        classes: Number of classes; `fit` sets it.
        primary: The task: "ce" (cross-entropy of the classes), or for the autoencoder "bce" or
            "mse" between the image and its reconstruction; none for "ce", or its "bce".
        distance: Between vectors of a layer: "cosine", or "euclidean": the mean squared difference.
        factor: Of the neighbour loss; negative to entangle the classes.
        layers: "code" (the one that embeds), "hidden" (all that can embed), "all" (with those
            behind them and the output), or numbers from 0: "1", "0-2".
        combine: "sum" of the layers' losses (Frosst et al.), or "min" (Agarap and Azcarraga).
        schedule: Of the temperature: "annealed" to temperature / (eta + i)^gamma in epoch i;
            "fixed"; "learned" (one, Agarap and Azcarraga); "inverse" (one a layer, Frosst et al.).
        temperature: The first; distances of this size count 1/e as much as none.
        eta: Offset of the epoch in the annealing.
        gamma: Exponent of the annealing.
        eps: 1e-5 for the published programs' form of the loss; 0 for the loss itself.
        augment: How hard the images become: their largest shift, rotation, zoom, contrast change
            and noise grow from 0 to this share while 1 / (eta + i)^gamma falls; 0 for none.
        epochs: Passes over the images in `fit` and in `compare`.

    References:
        N. Frosst, N. Papernot and G. Hinton, "Analyzing and improving representations with the soft
        nearest neighbor loss", ICML 2019. arXiv:1902.01889

        A. F. Agarap and A. P. Azcarraga, "Improving k-means clustering performance with
        disentangled internal representations", IJCNN 2020. arXiv:2006.04535

    Example:
        >>> import torch, imrep
        >>> snnl = imrep.get("snnl:arch=mlp,epochs=2,side=8")
        >>> snnl.fit(torch.rand(20, 3, 8, 8), torch.arange(20) % 4)
        >>> snnl.embed(torch.rand(5, 3, 8, 8)).shape
        torch.Size([5, 64])
    """

    card = Card(
        title="Soft nearest neighbour loss",
        family="learned",
        cite="Frosst et al. 2019, arXiv:1902.01889",
        dtype="float32",
        weights="trained",
    )
    example = "snnl:weights=random,classes=4"
    recipe = Recipe(optimiser="adam", learning_rate=3e-3, weight_decay=0.0, batch=128)

    def __init__(  # noqa: PLR0913  # the choices of two papers
        self,
        *,
        arch: str = "convnet",
        weights: str | None = None,
        layer: int = -1,
        side: int | None = None,
        code: int = 64,
        classes: int = 10,
        primary: str | None = None,
        distance: str = "cosine",
        factor: float = 1.0,
        layers: str = "code",
        combine: str = "sum",
        schedule: str = "annealed",
        temperature: float = 1.0,
        eta: float = 1.0,
        gamma: float = 0.55,
        eps: float = 0.0,
        augment: float = 0.0,
        epochs: int = 60,
    ) -> None:
        super().__init__()
        self.arch, self.weights, self.layer, self.side = arch, weights, layer, side
        self.code, self.classes, self.primary, self.distance = code, classes, primary, distance
        self.factor, self.layers, self.combine = factor, layers, combine
        self.schedule, self.temperature, self.eta, self.gamma = schedule, temperature, eta, gamma
        self.eps, self.augment, self.epochs = eps, augment, epochs
        trained = weights not in (*_STARTS, "random")
        stored = weights_.checkpoint(str(weights), self.name) if trained else None
        if stored is not None and "spec" in stored.config:
            take_saved(self, stored.config["spec"], parameters.OF_THE_NETWORK)
        parameters.check(self)
        self._build()
        if stored is not None:
            own = self.state_dict()
            self.load_state_dict(strict.fit(stored.state, own, self.arch, self.name))

    def _build(self) -> None:
        start = "published" if self.weights == "published" else "random"
        built = backbone.build(self.arch, start, self.side, self.code, self.classes, self.name)
        if not -built.hidden <= self.layer < built.hidden:
            raise BadParameter(
                f"{self.name} needs layer to be one of {self.arch}, from {-built.hidden} to "
                f"{built.hidden - 1}, got {self.layer}. Try -1."
            )
        self._hidden, self._code_layer = built.hidden, self.layer % built.hidden
        self._selected = select(
            self.layers,
            code=self._code_layer,
            hidden=built.hidden,
            total=built.hidden + len(built.network.head),
            caller=self.name,
        )
        self.network = built.network
        self.objective = Objective(
            len(self._selected),
            distance=self.distance,
            combine=self.combine,
            schedule=self.schedule,
            temperature=self.temperature,
            eta=self.eta,
            gamma=self.gamma,
            eps=self.eps,
        )
        self._gray, self._serial = built.gray, built.serial
        self._mean, self._std = built.mean, built.std
        self.canvas = self.side or built.side
        self.eval()

    @property
    def needs_fit(self) -> bool:
        """Whether it has yet to be trained."""
        return self.weights in _STARTS and not self._trained

    @property
    def budget(self) -> str:
        """How long `fit` trains."""
        return f"{self.epochs:,} epochs"

    @property
    def inverse(self) -> Inverse:
        """Approximate by a trained autoencoder, from its code."""
        return "approximate" if self._decodes and self._trained else "none"

    def encode(self, image: Image) -> Map:
        """The layer's map (batch, channel, rows, columns); of a fully connected one 1 × 1."""
        checks.image(image, self.name)
        values = self._layers(self._normalised(image))[self._code_layer]
        values = values if values.ndim == 4 else values[:, :, None, None]
        return Map(values, (image.shape[2], image.shape[3]))

    def pool(self, code: Map) -> Vectors:
        """The map's mean, divided by its length where the distance is the cosine."""
        self.require_training()
        vectors = backbone.vectors(code.values)
        return unit(vectors) if self.distance == "cosine" else vectors

    def invert(self, code: Map) -> Image:
        """The decoder's image, resized to the size of the image that was encoded."""
        if self.inverse == "none":
            return super().invert(code)
        assert self.canvas is not None  # of every autoencoder
        flat = self.network.behind(code.values)[-1].sigmoid()
        image = flat.reshape(-1, 3, self.canvas, self.canvas)
        return resize(image, *code.size).clamp(0, 1)

    def check_code(self, code: Map) -> None:
        """Refuse codes of another length where the decoder reads them."""
        if self._decodes and code.values.shape[1] != self.code:
            raise BadCode(
                f"{self.name} needs codes of {self.code} numbers, got {code.values.shape[1]}. "
                "Use the code that encode gave."
            )

    def picture(self, code: Map, image: Image | None = None) -> Picture:
        """The first 64 maps, or the numbers row by row."""
        if code.values.shape[2:] == (1, 1):
            return draw(Vector(code.values.flatten(1)))
        return draw(code)

    def loss(self, batch: dict[str, Tensor]) -> Tensor:
        """The task's loss plus `factor` times the neighbour loss.

        In training mode batch normalisation reads the batch, and a learned temperature takes a
        step. Images of class -1 have none, and count in the autoencoder's task alone.

        Raises:
            BadData: If there is no class of each image, or one is not below `classes`.
        """
        image, labels = batch["image"], batch_labels(batch, self.classes, self.name)
        image = checks.image(image, self.name).expand(-1, 3, -1, -1)
        with self._batch_statistics():
            hidden = self._layers(self._normalised(image))
            behind = self.network.behind(hidden[-1])
        every = [backbone.vectors(values) for values in (*hidden, *behind)]
        labelled = labels >= 0
        features = [every[i][labelled] for i in self._selected]
        neighbours = self.objective(features, labels[labelled], self.factor)
        return self._task(behind[-1], image, labels) + self.factor * neighbours

    def begin_epoch(self, epoch: int) -> None:
        """Anneal the temperature."""
        self.objective.begin_epoch(epoch)

    def strength(self, epoch: int) -> float:
        """Of the augmentation: 0 at the first temperature, and `augment` at a temperature of 0."""
        return self.augment * (1 - self.objective.annealed(epoch) / self.objective.annealed(0))

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
        own = self.arch in backbone.OWN
        rate = _RANDOM_RATE if own or self.weights is None else _PUBLISHED_RATE
        course = Course(self.epochs, rate, seed, _REMEDY)
        descent.train(self.to(device), read, labels, course, progress)

    def train(self, mode: bool = True) -> "SNNL":
        """In training mode the weights have gradients; vectors are the same in either.

        The network's layers stay in evaluation mode, outside `loss`: a vector must not depend on
        its batch.
        """
        super().train(False)
        self.training = mode
        self.objective.train(mode)
        self.network.requires_grad_(mode)
        return self

    @property
    def _decodes(self) -> bool:
        return self.arch == backbone.AUTOENCODER and self._code_layer == self._hidden - 1

    @property
    def _trained(self) -> bool:
        return int(self.objective.begun) > 0

    def _normalised(self, image: Image) -> Tensor:
        """The image as the network reads it."""
        return inputs.normalised(
            image,
            side=self.canvas,
            gray=self._gray,
            mean=self._mean,
            std=self._std,
            dtype=next(self.network.parameters()).dtype,
        )

    def _layers(self, x: Tensor) -> list[Tensor]:
        try:
            with inputs.exclusive(self._serial):
                return self.network(x)
        except (RuntimeError, ValueError) as error:
            if self.canvas:
                raise
            raise BadImage(
                f"{self.name} needs images that {self.arch} can read, got "
                f"{x.shape[2]}×{x.shape[3]}: {' '.join(str(error).split())[:120]}. Set side=64."
            ) from error

    def _task(self, output: Tensor, image: Image, labels: Tensor) -> Tensor:
        primary = self.primary or ("bce" if self.arch == backbone.AUTOENCODER else "ce")
        if primary == "ce":
            labelled = labels >= 0
            if not labelled.any():
                return output.sum() * 0
            return F.cross_entropy(output[labelled], labels[labelled])
        assert self.canvas is not None  # of every autoencoder
        pixels = square(image, self.canvas).flatten(1).clamp(0, 1).to(output.dtype)
        if primary == "bce":
            return F.binary_cross_entropy_with_logits(output, pixels)
        return F.mse_loss(output.sigmoid(), pixels)

    @contextmanager
    def _batch_statistics(self) -> Iterator[None]:
        """Within it the network's layers are in the mode of training."""
        self.network.train(self.training)
        try:
            yield
        finally:
            self.network.eval()

    def _fingerprint_params(self) -> dict[str, Any]:
        """How it started and where its weights lie do not matter: the weights themselves enter."""
        return {**self.get_params(), "weights": "random" if self.weights == "random" else None}

    def _blank_spec(self) -> str:
        return specs.write(self.name, self._fingerprint_params())
