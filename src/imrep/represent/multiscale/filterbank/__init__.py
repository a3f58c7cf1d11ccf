"""A bank of filters, rectified: what one layer of a network computes, and how to undo it."""

import math
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from imrep import checks, codecheck
from imrep.base import Representation
from imrep.codes import Map
from imrep.drawing import beside, diverging, enlarge, montage, sequential
from imrep.errors import BadImage, BadParameter, NoInverse
from imrep.io.digests import digest
from imrep.ops.fourier.radial_bands import transformable
from imrep.ops.pooling import means
from imrep.registry.cards import Card, Inverse
from imrep.represent.multiscale.filterbank import filters, frame_inverse
from imrep.represent.multiscale.filterbank.rectification import PARTS, recovered, rectified
from imrep.represent.multiscale.filterbank.shrinkage import denoise
from imrep.types import Image, Picture, Vectors

_MIN_SIDE = 2  # pixels of a filter
_EXACT = 1e4  # condition number up to which the inverse is exact to 1e-5 in float32
_SOLVABLE = 1e5  # and up to which it is approximate
_MIN_RECTIFIED = 4  # filters whose positive responses safely outnumber the pixels
_PICTURE_PX = 640  # side of all maps together in a picture, approximately
_EPSILON = 1e-6  # keeps the gradient of the square root finite at zero
_DOUBLE = 2e-16  # relative residual at which a float64 solution has converged
_MAX_WEIGHT = 1e6  # of noise and of Tikhonov's term


class FilterBank(Representation[Map]):
    """Responses of a bank of filters, negative ones set to zero.

    Each channel is convolved with every filter, circularly (opposite borders are neighbours), and
    rectified: one layer of a convolutional network with fixed filters. The banks: `gabor`, a
    low-pass and Gabor filters of three wavelengths and four orientations, each as cosine and sine;
    `random`, 16 filters of Gaussian noise; `dct`, the size² products of cosines; or the path of a
    file. Where all filters have zero mean, the channel's mean follows as one more map.

    Rectification sets half of the responses to zero, yet the image can be recovered: a positive
    response is one linear equation, and there are more of them (`equations` counts them) than
    pixels. `invert` solves them by conjugate gradients, preconditioned with the bank's power at
    each frequency. The bank must pass every frequency: `condition`, the ratio of its frame bounds,
    says how well. With "crelu" or no rectifier the convolution theorem gives the solution directly.
    The vector is the square root of each map's mean per cell.

    Args:
        bank: "gabor", "random", "dct", or a .npy, .npz or .safetensors file of real kernels (k, h,
            w): its only array or the one named `kernels`, optionally with `thresholds` (k,). The
            file determines `size`.
        size: Side of the filters in pixels; images must be as large.
        cells: Cells per side that the vector averages over.
        rectify: "relu" for the positive part; "crelu" for the positive part and, in as many further
            maps, the negative part; "none" for the responses themselves.
        threshold: Subtracted from each response before it is rectified, 0 or more. The image can be
            recovered while there are more equations than pixels, up to about a fifth of the maps'
            standard deviation.

    References:
        A. C. Bovik, M. Clark and W. S. Geisler, "Multichannel texture analysis using localized
        spatial filters", IEEE Trans. PAMI 12(1), 1990. doi:10.1109/34.41384

        W. Shang, K. Sohn, D. Almeida and H. Lee, "Understanding and improving convolutional neural
        networks via concatenated rectified linear units", ICML 2016. arXiv:1603.05201

    Example:
        >>> import torch, imrep
        >>> bank = imrep.get("filterbank:bank=random,size=5")
        >>> image = torch.rand(1, 1, 16, 20)
        >>> code = bank.encode(image)
        >>> tuple(code.values.shape), float((bank.invert(code) - image).abs().max()) < 1e-5
        ((1, 16, 16, 20), True)
    """

    card = Card(
        title="Filter bank",
        family="multiscale",
        cite="Bovik, Clark & Geisler 1990, doi:10.1109/34.41384",
        inverse="exact",
    )
    periodic = "its inverse rests on the convolution theorem, which is of circular convolution"
    kernels: Tensor
    thresholds: Tensor  # of the file, (k,)

    def __init__(
        self,
        *,
        bank: str = "gabor",
        size: int = 15,
        cells: int = 4,
        rectify: str = "relu",
        threshold: float = 0.0,
    ) -> None:
        checks.between(size, _MIN_SIDE, 64 if bank == "dct" else 255, self.name, "size")
        checks.between(cells, 1, checks.MAX_CELLS, self.name, "cells")
        checks.one_of(rectify, tuple(PARTS), self.name, "rectify")
        checks.between(threshold, 0, 1e6, self.name, "threshold")
        if threshold and rectify == "none":
            raise BadParameter(
                f"{self.name} needs rectify=relu or crelu with a threshold, got none. Leave out "
                "one of them."
            )
        super().__init__()
        self.bank, self.size, self.cells = bank, size, cells
        self.rectify, self.threshold = rectify, threshold
        built_in = bank in filters.BANKS
        arrays = (filters.BANKS[bank](size), None) if built_in else filters.read(bank, self.name)
        self._register(*arrays, built_in)

    @property
    def frame_bounds(self) -> tuple[float, float]:
        """Frame bounds: extremes of the bank's power over the frequencies of 64 × 64 pixels."""
        side = max(64, *self.kernels.shape[1:])
        power = frame_inverse.power(self._spectra(side, side, self.kernels.double()))
        return float(power.min()), float(power.max())

    @property
    def condition(self) -> float:
        """Ratio of the frame bounds; infinite where the bank does not pass a frequency."""
        low, high = self.frame_bounds
        return high / low if low > 0 else math.inf

    @property
    def inverse(self) -> Inverse:
        """Exact where the bank is well conditioned and the equations outnumber the pixels."""
        condition = self.condition
        if not condition < _SOLVABLE:
            return "none"
        few = self.rectify == "relu" and len(self.kernels) < _MIN_RECTIFIED
        if few or not condition < _EXACT:
            return "approximate"
        thresholded = self.rectify != "none" and bool(self.threshold or self.thresholds.any())
        return "approximate" if thresholded else "exact"

    def encode(self, image: Image) -> Map:
        """Maps (batch, channel * filter, height, width), channel by channel."""
        checks.image(image, self.name, linear=self.rectify == "none")
        transformable(image, self.name)
        height, width = image.shape[2:]
        self._check_size(height, width)
        bias = self._bias(image)
        if torch.compiler.is_compiling():  # the length of a batch may be left open
            spectra = self._spectra(height, width, image, slice(None))
            maps = rectified(frame_inverse.respond(image, spectra), bias, self.rectify)
            return Map(maps.flatten(1, 3), (height, width), signed=self.rectify == "none")
        maps = image.new_empty(*image.shape[:2], PARTS[self.rectify], len(bias), height, width)
        waves = [torch.fft.rfft2(each).unsqueeze(2) for each in image.split(1)]
        # One image and a few filters at a time, so that the responses stay in the cache.
        for block in frame_inverse.blocks(image[:1], len(bias)):
            filters = self._spectra(height, width, image, block)
            for i, wave in enumerate(waves):
                response = torch.fft.irfft2(wave * filters, s=(height, width))
                maps[i, :, :, block] = rectified(response, bias[block], self.rectify)[0]
        return Map(maps.flatten(1, 3), (height, width), signed=self.rectify == "none")

    def check_code(self, code: Map) -> None:
        """Refuse maps of another bank or size, or of other than one or three channels.

        Raises:
            BadCode: Naming what is needed and what came.
        """
        codecheck.maps(code.values, self.name, (self._count, 3 * self._count), code.size)
        self._check_size(*code.size)

    def pool(self, code: Map) -> Vectors:
        """Square roots of the maps' means per cell, of absolute values where they are signed."""
        values = code.values.abs() if self.rectify == "none" else code.values
        return (means(values, self.cells).clamp_min(0) + _EPSILON).sqrt()

    def invert(
        self,
        code: Map,
        iterations: int = 1000,
        *,
        tikhonov: float = 0.0,
        noise: float | None = None,
    ) -> Image:
        """The least-squares image for the known responses.

        Negative values in rectified maps are noise, and give its standard deviation; positive
        values below five deviations are then not used.

        Args:
            code: From `encode` of this bank, with or without noise.
            iterations: Limit of the conjugate gradient steps, where not every response is known.
                They stop at convergence; smooth images take longest. An exact inverse that has not
                converged warns.
            tikhonov: Weight of the squared norm of the image, as a share of the upper frame bound;
                above zero, a bank that does not pass some frequencies recovers the others.
            noise: Standard deviation of the noise in the maps; None estimates it from negatives.

        Raises:
            NoInverse: If the bank does not pass a frequency of images of this size.
        """
        checks.integer(iterations, 0, checks.MAX_ITERATIONS, self.name, "iterations")
        for what, value in {"tikhonov": tikhonov, "noise": noise or 0.0}.items():
            checks.between(value, 0, _MAX_WEIGHT, self.name, what)
        maps = self._maps(code)
        # Double precision: frequencies that the bank attenuates lose two digits in single.
        maps = maps if maps.device.type == "mps" else maps.double()
        spectra = self._spectra(*code.size, maps)
        self._check_power(frame_inverse.power(spectra), tikhonov)
        images = []
        exact = self.inverse == "exact"
        tolerance = frame_inverse.EXACT if code.values.dtype == torch.float32 else _DOUBLE
        for each in maps.split(1):
            values, mask = self._recovered(each, noise)
            images.append(
                frame_inverse.solve(
                    values,
                    mask,
                    spectra,
                    tikhonov=tikhonov,
                    iterations=iterations,
                    tolerance=tolerance,
                    caller=self.name if exact else "",
                )
            )
        image = torch.cat(images).to(code.values)
        return image if exact else image.clamp(0, 1)

    def equations(self, code: Map) -> Tensor:
        """Known responses per pixel, (batch, channel); `invert` needs more than one."""
        mask = self._recovered(self._maps(code), None)[1][:, :, : len(self.kernels)]
        return mask.to(code.values).sum(2).mean((2, 3))

    def denoise(self, image: Image, noise: float | None = None) -> Image:
        """The image without white noise, (batch, channel, height, width) in [0, 1].

        Responses below 2.7 standard deviations of the noise are set to zero, and the least-squares
        image of the others is a first estimate. Its responses give the gains of a Wiener filter,
        which is applied to the noisy responses. Colours are first decorrelated. Images must be
        sparse under the bank: `bank=dct,size=8` is best, `random` is no use.

        G. Yu and G. Sapiro, "DCT image denoising: a simple and effective image denoising
        algorithm", IPOL 1, 2011. doi:10.5201/ipol.2011.ys-dct

        Args:
            image: Noisy; values need not stay within [0, 1].
            noise: Standard deviation of the noise, in units of the image; None estimates it.

        Raises:
            NoInverse: If the bank does not pass a frequency of images of this size.
        """
        transformable(checks.image(image, self.name, linear=True), self.name)
        checks.between(noise or 0.0, 0, _MAX_WEIGHT, self.name, "noise")
        height, width = image.shape[2:]
        self._check_size(height, width)
        spectra = self._spectra(height, width, image)
        self._check_power(frame_inverse.power(spectra), 0.0)
        sums, sizes = self.kernels.sum((1, 2)).abs(), self.kernels.abs().sum((1, 2))
        low_pass = F.pad(sums > sizes / 2, (0, len(spectra) - len(sums)), value=True)
        return torch.cat([denoise(each, spectra, low_pass, noise) for each in image.split(1)])

    def picture(self, code: Map, image: Image | None = None) -> Picture:
        """Filters on the left, square roots of their responses on the right, in the same order."""
        maps = self._maps(code).detach().mean(1)
        tile = _PICTURE_PX // math.ceil(math.sqrt(maps.shape[1]))
        maps = F.avg_pool2d(maps, math.ceil(max(code.size) / tile), ceil_mode=True)
        kernels = self.kernels.to(maps)
        if self._zero_mean:
            kernels = torch.cat([kernels, torch.ones_like(kernels[:1])])
        kernels = torch.cat([kernels, -kernels]) if self.rectify == "crelu" else kernels
        factor = max(1, min(maps.shape[2] // kernels.shape[1], maps.shape[3] // kernels.shape[2]))
        shapes = kernels.repeat_interleave(factor, 1).repeat_interleave(factor, 2)[:, None, None]
        responses = (maps.sign() * maps.abs().sqrt()).unsqueeze(2)
        colour = diverging if self.rectify == "none" else sequential
        left = montage([diverging(shape) for shape in shapes]).expand(len(maps), -1, -1, -1)
        return enlarge(beside(left, montage([colour(each) for each in responses.unbind(1)])))

    def load_weights(self, folder: str | Path) -> "FilterBank":
        """Load kernels that came from a file, of any number and size."""
        path = Path(folder) / "weights.safetensors"
        with suppress(OSError, SafetensorError):  # the base class reports these
            stored = load_file(path)
            if "kernels" in stored:
                self._register(stored["kernels"], stored.get("thresholds"), built_in=False)
                self.bank = self._digest()
        super().load_weights(folder)
        return self

    def _register(self, kernels: Tensor, thresholds: Tensor | None, built_in: bool) -> None:
        bias = thresholds if thresholds is not None else torch.zeros(len(kernels))
        self.register_buffer("kernels", kernels.float(), persistent=not built_in)
        self.register_buffer("thresholds", bias.float(), persistent=thresholds is not None)
        # Power at frequency zero, and its mean over all frequencies (Parseval).
        zero, mean = kernels.double().sum((1, 2)).square().sum(), kernels.double().square().sum()
        self._zero_mean = bool(zero * _SOLVABLE <= mean)

    def _fingerprint_params(self) -> dict[str, Any]:
        bank = self.bank if self.bank in filters.BANKS else self._digest()
        return {**self.get_params(), "bank": bank}

    def _blank_spec(self) -> str:
        if self.bank in filters.BANKS:
            return super()._blank_spec()
        return type(self)(**{**self.get_params(), "bank": "gabor"}).spec

    def _digest(self) -> str:
        arrays = (self.kernels, self.thresholds)[: 1 + bool(self.thresholds.any())]
        numbers = (array.detach().cpu().contiguous().numpy().tobytes() for array in arrays)
        return digest(*numbers, size=6)

    def _spectra(self, height: int, width: int, like: Tensor, block: slice = slice(None)) -> Tensor:
        """Transforms of a block of filters; the last is the mean, if no filter passes it."""
        spectra = frame_inverse.spectra(self.kernels[block].to(like), height, width)
        if len(spectra) == len(range(*block.indices(len(self.kernels) + self._zero_mean))):
            return spectra
        mean = spectra.new_zeros(1, *spectra.shape[1:])
        mean[:, 0, 0] = 1
        return torch.cat([spectra, mean])

    def _bias(self, like: Tensor) -> Tensor:
        """Threshold of each filter, (filter, 1, 1); zero for the mean."""
        bias = F.pad(self.thresholds + self.threshold, (0, int(self._zero_mean)))
        return bias.to(like)[:, None, None]

    def _recovered(self, maps: Tensor, noise: float | None) -> tuple[Tensor, Tensor]:
        return recovered(maps, self._bias(maps), self.rectify, noise)

    def _maps(self, code: Map) -> Tensor:
        """The code's maps by channel and filter, (b, c, parts * k, h, w)."""
        return code.values.unflatten(1, (-1, self._count))

    @property
    def _count(self) -> int:
        """Maps per channel of the image."""
        return PARTS[self.rectify] * (len(self.kernels) + self._zero_mean)

    def _check_power(self, power: Tensor, tikhonov: float) -> None:
        low, high = float(power.min()), float(power.max())
        if not high < _SOLVABLE * low and not (tikhonov and high):
            raise NoInverse(
                f"{self.name} needs a bank that passes every frequency, got power from "
                f"{low:.3g} to {high:.3g}. Add a filter for the missing ones, or pass "
                "tikhonov=1e-3 to invert."
            )

    def _check_size(self, height: int, width: int) -> None:
        rows, columns = self.kernels.shape[1:]
        if height < rows or width < columns:
            shorter = min(height, width)
            smaller = self.bank in filters.BANKS and shorter >= _MIN_SIDE
            raise BadImage(
                f"{self.name} needs images of at least {rows}×{columns}, its filters' size, "
                f"got {height}×{width}. "
                + (f"Use size={shorter} or enlarge them." if smaller else "Enlarge them first.")
            )
