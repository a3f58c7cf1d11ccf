"""A denoising autoencoder, trained by imrep, and the denoisers DnCNN and FFDNet in its place."""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from imrep import checks, codecheck, weights
from imrep.base import Learned, Recipe
from imrep.codes import Map, Views
from imrep.drawing import draw, strongest
from imrep.errors import BadCode, BadParameter
from imrep.ops.pooling import means
from imrep.registry import specs
from imrep.registry.cards import Card
from imrep.represent.learned.dae import checkpoint, tiles
from imrep.represent.learned.dae.autoencoder import MIDDLE
from imrep.represent.learned.dae.checkpoint import ARCHITECTURES, Shape
from imrep.represent.learned.dae.noises import NOISES
from imrep.types import Image, Picture, Vectors

_NAMED = ("published", "random")
_SHAPES = ("arch", "width", "bottleneck", "skip", "residual", "channels")  # fixed by the weights
_MAX_WIDTH = 1024  # channels
_MAX_STRENGTH = 1e4  # of noise, and of the terms of the loss
_CELLS = 2  # per side of the grid that a vector averages over
_GRAY, _INFORMED = 0.4, 0.5  # shares of training images: made gray; with their noise level given
_LUMA = (0.299, 0.587, 0.114)  # BT.601


class DAE(Learned[Map | Views]):
    """Maps of an autoencoder that was trained to return clean images for noisy ones.

    The code is the bottleneck, at a quarter of the image's size, and with `skip` the map of each
    level above it; with `residual` the noisy image is part of the code as well, since the network
    then estimates the noise. `invert` denoises: it returns the clean image that the code stands
    for, at any size. The vector is each map's mean absolute value per cell of a 2 × 2 grid. A shift
    of the image by four pixels shifts the code by as much, apart from its borders.

    The published network comes with imrep (563,168 parameters, blind to the noise level from 0 to
    55 / 255, colour and gray). It was trained on photographs under free licences only, listed with
    the recipe in `recipes/dae_photographs.csv`; none of them is in a test set of denoising. The
    files of DnCNN and FFDNet that KAIR publishes are read in its place, told by their tensors.

    Without `skip` and `residual` it is the plain autoencoder: all must pass the bottleneck, and
    fine texture does not.

    Args:
        weights: "published" (part of imrep), "random" for training, a file or a folder of trained
            ones, or the name of an installed package that holds some. A folder determines the
            network's parameters; so do the files of DnCNN and FFDNet.
        arch: "autoencoder"; "dncnn" or "ffdnet" for those stacks of convolutions, whose code is
            their last maps.
        width: Channels at full size, from 1; twice and four times as many at the levels below.
        bottleneck: Channels of the bottleneck; 0 for four times `width`.
        skip: Whether the maps of the way down are added on the way up.
        residual: Whether the network estimates the noise rather than the image.
        channels: 3 for a network of colours, which sees gray as three equal channels; 1 for a
            network of gray, which sees colours one by one.
        noise: In training: "gaussian", "poisson", "blocks" (squares set to zero), "none", or
            "mixed" (white noise, and that of photographs as cameras write them).
        low: Least strength of the noise: its standard deviation times 255; of Poisson noise the
            number of light particles for white; of blocks the percentage of the area.
        high: Greatest strength; every image gets another one from `low` to `high`.
        alpha: Weight of the mean absolute error in the loss.
        beta: Weight of the mean squared error in the loss.

    References:
        P. Vincent, H. Larochelle, Y. Bengio and P.-A. Manzagol, "Extracting and composing robust
        features with denoising autoencoders", ICML 2008. doi:10.1145/1390156.1390294

        S. Mohan, Z. Kadkhodaie, E. P. Simoncelli and C. Fernandez-Granda, "Robust and interpretable
        blind image denoising via bias-free convolutional neural networks", ICLR 2020.
        arXiv:1906.05478

    Example:
        >>> import torch, imrep
        >>> dae = imrep.get("dae")
        >>> code = dae.encode(torch.rand(1, 3, 41, 64))
        >>> [tuple(maps.values.shape[1:]) for maps in code.codes]
        [(3, 41, 64), (32, 41, 64), (64, 21, 32), (128, 11, 16)]
    """

    card = Card(
        title="Denoising autoencoder",
        family="learned",
        cite="Vincent et al. 2008, doi:10.1145/1390156.1390294",
        inverse="approximate",
        dtype="float32",
        weights="included",
    )
    recipe = Recipe(size=256, crop=48, augment="crop+flip", batch=8, steps=4000, learning_rate=2e-3)

    def __init__(  # noqa: PLR0913  # the network, its noise and its loss
        self,
        *,
        weights: str = "published",
        arch: str = "autoencoder",
        width: int = 32,
        bottleneck: int = 0,
        skip: bool = True,
        residual: bool = True,
        channels: int = 3,
        noise: str = "mixed",
        low: float = 0.0,
        high: float = 55.0,
        alpha: float = 1.0,
        beta: float = 0.0,
    ) -> None:
        checks.one_of(arch, ARCHITECTURES, self.name, "arch")
        checks.one_of(noise, tuple(NOISES), self.name, "noise")
        checks.integer(width, 1, _MAX_WIDTH, self.name, "width")
        checks.integer(bottleneck, 0, _MAX_WIDTH, self.name, "bottleneck")
        if channels not in (1, 3):
            raise BadParameter(f"{self.name} needs channels to be 1 or 3, got {channels}.")
        checks.between(low, 0, _MAX_STRENGTH, self.name, "low")
        checks.between(high, low, _MAX_STRENGTH, self.name, "high")
        checks.between(alpha, 0, _MAX_STRENGTH, self.name, "alpha")
        checks.between(beta, 0, _MAX_STRENGTH, self.name, "beta")
        super().__init__()
        self.weights, self.arch = weights, arch
        self.width, self.bottleneck, self.skip, self.residual = width, bottleneck, skip, residual
        self.channels, self.noise, self.low, self.high = channels, noise, low, high
        self.alpha, self.beta = alpha, beta
        self._build()

    def encode(self, image: Image, *, level: Tensor | None = None) -> Map | Views:
        """The maps of each level, the noisy image first where the network is residual.

        Args:
            image: (batch, 1|3, height, width), values in [0, 1]; those of noise may lie beyond.
            level: (batch,), standard deviation of each image's noise, in units of the image; None
                or 0 where it is not known. DnCNN does not use it, FFDNet needs it.
        """
        checks.image(image, self.name, linear=True)
        return self._encode(image, level)

    def invert(self, code: Map | Views) -> Image:
        """The clean image of a code, (batch, channel, height, width), clipped to [0, 1]."""
        return self._decode(code).clamp(0, 1)

    def denoise(self, image: Image, noise: float | None = None) -> Image:
        """The image without noise, (batch, channel, height, width), not clipped.

        Large images go through the network in tiles that overlap by all that an output depends on:
        there are no seams, and memory is bounded.

        Args:
            image: (batch, 1|3, height, width), values in [0, 1]; those of noise may lie beyond.
            noise: Standard deviation of the noise, in units of the image; None where not known.

        Raises:
            BadParameter: If FFDNet, which needs the noise level, does not get it.
        """
        checks.image(image, self.name, linear=True)
        checks.between(noise or 0.0, 0, 1, self.name, "noise")
        if noise is None and self.arch == "ffdnet":
            raise BadParameter(
                f"{self.name} needs the noise level for FFDNet, got none. Pass noise."
            )

        def clean(tile: Tensor) -> Tensor:
            level = tile.new_full((len(tile),), noise or 0.0)
            return self._decode(self._encode(tile, level))

        network = self.network
        return tiles.each_tile(clean, image, network.stride, network.reach)

    def pool(self, code: Map | Views) -> Vectors:
        """Mean absolute values of the maps, per cell of a 2 × 2 grid."""
        return torch.cat([means(maps.abs(), _CELLS) for maps in self._maps(code)], 1)

    def picture(self, code: Map | Views, image: Image | None = None) -> Picture:
        """The 64 maps of the bottleneck that vary most, strongest first."""
        values = strongest(self._maps(code)[-1].detach())
        return draw(Map(values, self._size(code), signed=True))

    def check_code(self, code: Map | Views) -> None:
        """Refuse maps of other sizes or numbers than these parameters give."""
        codecheck.structure(code, self._kind, self.name)
        parts = self._parts(code)
        for part in parts:
            codecheck.structure(part, Map, self.name)
        counts = self.network.channels
        if len(parts) != len(counts) + self._residual:
            raise BadCode(
                f"{self.name} needs {len(counts) + self._residual} maps, got {len(parts)}. "
                "Use the parameters that encoded."
            )
        size, maps = self._size(code), self._maps(code)
        if len({(part.size, len(part)) for part in parts}) > 1:
            raise BadCode(f"{self.name} needs maps of the same images. Use the code of encode.")
        if self._residual:
            codecheck.maps(parts[0].values, self.name, (1, 3), size)
        copies = maps[0].shape[1] // counts[0]  # of a network of gray, one for each colour
        copies = copies if self.channels == 1 and copies in (1, 3) else 1
        levels = self.network.sizes(*size)[-len(maps) :]
        for values, count, level in zip(maps, counts, levels, strict=True):
            codecheck.maps(values, self.name, [count * copies], level)

    def loss(self, batch: dict[str, Tensor]) -> Tensor:
        """`alpha` times the absolute error plus `beta` times the squared error, of noisy images.

        Args:
            batch: `image` (b, c, h, w) in [0, 1]; where there is `seed` (b,), it determines the
                noise of each image, else torch's generator does.
        """
        noisy, target, level = self.degrade(batch["image"], batch.get("seed"))
        error = self._decode(self._encode(noisy, level)) - target
        return self.alpha * error.abs().mean() + self.beta * error.square().mean()

    def examples(self, image: Image) -> dict[str, Image]:
        """The images, with noise as in training, and denoised without being told its level."""
        noisy, target, level = self.degrade(image, torch.arange(len(image)))
        denoised = self._decode(self._encode(noisy, level if self.arch == "ffdnet" else None))
        return {
            "without noise": target.clamp(0, 1),
            "with noise": noisy.clamp(0, 1),
            "denoised": denoised.clamp(0, 1),
        }

    def degrade(self, image: Image, seeds: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Noisy images, their targets, and the noise levels that the network is given, (b,).

        Images and targets have one channel for a network of gray, else those of `image`. Four in
        ten are made gray for a network of colours, and every second level is 0.
        """
        seeds = torch.randint(2**62, (len(image),)) if seeds is None else seeds
        pairs = [self._degraded(clean, int(seed)) for clean, seed in zip(image, seeds, strict=True)]
        noisy, target, level = (torch.stack(parts) for parts in zip(*pairs, strict=True))
        return noisy.to(image), target.to(image), level.to(image)

    def load_weights(self, folder: str | Path) -> "DAE":
        """Load what `save` wrote, with the name of its weights.

        Raises:
            BadParameter: If they are another network's, or there are none.
        """
        file = Path(folder) / "weights.safetensors"
        if not file.is_file():
            raise BadParameter(f"{self.spec} cannot load {file.name}: {file} is no file.")
        content = checkpoint.read(str(folder), self.name)
        checkpoint.fill(self.network, content.state, self.arch, self.name)
        weights.rename(self, (*_NAMED, str(folder)), content.fingerprint)
        return self

    def _build(self) -> None:
        if self.weights == "random":
            self.network = weights.seeded(self._shape().build)
            return
        path = str(checkpoint.PUBLISHED) if self.weights == "published" else self.weights
        content = checkpoint.read(path, self.name)
        stack = checkpoint.stack_of(content.state)
        shape = stack or self._saved(content.params)
        self.arch, self.width, self.channels = shape.arch, shape.width, shape.channels
        self.bottleneck, self.skip, self.residual = shape.bottleneck, shape.skip, shape.residual
        self.network = shape.build()
        checkpoint.fill(self.network, content.state, self.arch, self.name)
        self.network = self.network.to(memory_format=torch.channels_last)

    def _shape(self) -> Shape:
        return Shape(**{key: getattr(self, key) for key in _SHAPES})

    def _saved(self, params: dict[str, Any]) -> Shape:
        """This shape, with the parameters of a folder where the caller set none.

        Raises:
            BadParameter: If the caller set another value.
        """
        shape, signature = self._shape(), self._signature()
        for key in params.keys() & set(_SHAPES):
            kind = type(signature[key].default)
            value = params[key] == "true" if kind is bool else kind(params[key])
            ours = getattr(self, key)
            if ours not in (value, signature[key].default):
                raise BadParameter(
                    f"{self.name} needs {key}={specs.text(value)} for the weights in "
                    f"{self.weights}, got {specs.text(ours)}. Leave it out."
                )
            shape = replace(shape, **{key: value})
        return shape

    @property
    def _residual(self) -> bool:
        return self.network.residual

    @property
    def _kind(self) -> type[Map] | type[Views]:
        return Views if self._residual or self.network.skip else Map

    def _encode(self, image: Tensor, level: Tensor | None) -> Map | Views:
        weight = next(self.network.parameters())
        image, batch, size = image.to(weight), image.shape[0], (image.shape[2], image.shape[3])
        level = image.new_zeros(batch) if level is None else level.to(image)
        x = image.expand(-1, self.channels, -1, -1) if self.channels == 3 else image
        copies = x.shape[1] // self.channels
        x = x.reshape(-1, self.channels, *size).contiguous(memory_format=torch.channels_last)
        maps = self.network.analyse(x, level.repeat_interleave(copies).view(-1, 1, 1, 1))
        codes = [Map(m.reshape(batch, -1, *m.shape[2:]), size, signed=True) for m in maps]
        if self._residual:
            codes.insert(0, Map(image, size))
        return codes[0] if self._kind is Map else Views(tuple(codes))

    def _decode(self, code: Map | Views) -> Tensor:
        """The clean image, not clipped."""
        weight = next(self.network.parameters())
        size, counts = self._size(code), self.network.channels
        pairs = zip(self._maps(code), counts, strict=True)
        maps = [m.to(weight).reshape(-1, count, *m.shape[2:]) for m, count in pairs]
        estimate = self.network.synthesise(maps, size)
        estimate = estimate.reshape(len(code), -1, *size)
        if not self._residual:
            return estimate + MIDDLE
        noisy = self._parts(code)[0].values.to(weight)
        if noisy.shape[1] == 1:
            estimate = estimate.mean(1, keepdim=True)
        return noisy - estimate

    def _parts(self, code: Map | Views) -> tuple[Map, ...]:
        return (code,) if isinstance(code, Map) else cast(tuple[Map, ...], code.codes)

    def _maps(self, code: Map | Views) -> list[Tensor]:
        """The network's maps in a code, without the image."""
        return [part.values for part in self._parts(code)[self._residual :]]

    def _size(self, code: Map | Views) -> tuple[int, int]:
        return self._parts(code)[0].size

    def _degraded(self, clean: Tensor, seed: int) -> tuple[Tensor, Tensor, Tensor]:
        generator = torch.Generator().manual_seed(seed)
        gray, informed = torch.rand(2, generator=generator).tolist()
        strength = self.low + (self.high - self.low) * float(torch.rand((), generator=generator))
        clean, channels = clean.detach().cpu(), len(clean)
        if len(clean) == 3 and (self.channels == 1 or gray < _GRAY):
            clean = torch.tensordot(clean.new_tensor(_LUMA), clean, 1)[None]
        noisy, target = NOISES[self.noise](clean, strength, generator)
        level = (noisy - target).square().mean().sqrt() * (informed < _INFORMED)
        if self.channels == 1:
            return noisy, target, level
        return noisy.expand(channels, -1, -1), target.expand(channels, -1, -1), level

    def _fingerprint_params(self) -> dict[str, Any]:
        named = self.weights in _NAMED
        return {**self.get_params(), "weights": self.weights if named else self._digest()}

    def _blank_spec(self) -> str:
        published = self.weights == "published"  # a part of imrep
        weights = "published" if published else "random"
        return specs.write(self.name, {**self.get_params(), "weights": weights})

    def _digest(self) -> str:
        return weights.digest(self.network.state_dict())
