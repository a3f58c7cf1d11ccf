"""A bank of filters, rectified: what one layer of a network computes, and how to undo it."""

import hashlib
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
from imrep.ops.fourier.radial_bands import transformable
from imrep.ops.pooling import means
from imrep.registry.cards import Card, Inverse
from imrep.represent.multiscale.filterbank import filters, frame_inverse
from imrep.represent.multiscale.filterbank.shrinkage import denoise
from imrep.types import Image, Picture, Vectors

_LEAST = 2  # pixels a filter needs to have a shape
_EXACT = 1e4  # condition number up to which float32 gives the image back to 1e-5
_SOLVABLE = 1e5  # and up to which it gives it back nearly
_ENOUGH = 4  # rectified filters, half of whose responses outnumber the pixels safely
_PICTURE = 640  # pixels of all maps side by side in a picture, about
_FLOOR = 1e-6  # keeps the slope of the square root finite at zero
_PARTS = {"relu": 1, "crelu": 2, "none": 1}  # maps per filter
_DOUBLE = 2e-16  # relative residual at which float64 has the image
_MOST = 1e6  # noise, or weight, beyond which nothing of an image is left
_SURE = 5.0  # standard deviations of noise that no response below zero gets past
_SAMPLE = 16  # negative numbers that a map's noise can be told from


class FilterBank(Representation[Map]):
    """Responses of a bank of filters, negative ones set to zero.

    Each channel is convolved, circularly, with every filter, and only what is positive is kept:
    one layer of a network with filters that nobody had to learn. The banks: `gabor`, a low-pass and
    waves of three lengths and four directions under a Gaussian, each as cosine and sine; `random`,
    16 filters of noise; `dct`, the size² products of cosines; or the path of a file. Where all
    filters are blind to brightness, the channel's mean follows as one more map.

    Half of the numbers are gone, yet the image is not: where a response is positive it is known
    exactly, and these equations (`equations` counts them) outnumber the pixels. `invert` solves
    them by conjugate gradients, preconditioned with the bank's power at each frequency. It needs a
    bank that passes every frequency: the ratio of the greatest to the least power (`condition`,
    from `frame_bounds`) says how well. With both signs kept, or no rectifier, the convolution
    theorem solves at once. The vector is the square root of each map's mean per cell.

    Args:
        bank: "gabor", "random", "dct", or a .npy, .npz or .safetensors file of real kernels (k, h,
            w), their only array or the one named kernels, with one of thresholds (k,) beside it
            or without; it fixes `size` itself.
        size: Side of the filters in pixels; images must be as large.
        cells: Cells per side that the vector averages over.
        rectify: "relu" keeps what is positive; "crelu" what is positive and then, in as many maps
            more, what is negative; "none" the responses as they are.
        threshold: What is taken from each response before it is rectified, 0 or more: smaller ones
            become zero. The image comes back while the equations are enough, up to about a fifth
            of the maps' standard deviation.

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
        checks.between(size, _LEAST, 64 if bank == "dct" else 255, self.name, "size")
        checks.between(cells, 1, checks.MAX_CELLS, self.name, "cells")
        checks.one_of(rectify, tuple(_PARTS), self.name, "rectify")
        checks.between(threshold, 0, 1e6, self.name, "threshold")
        if threshold and rectify == "none":
            raise BadParameter(
                f"{self.name} needs rectify=relu or crelu with a threshold, got none. Leave out "
                "one of them."
            )
        super().__init__()
        self.bank, self.size, self.cells = bank, size, cells
        self.rectify, self.threshold = rectify, threshold
        made = bank in filters.MADE
        self._hold(
            *((filters.MADE[bank](size), None) if made else filters.read(bank, self.name)), made
        )

    @property
    def frame_bounds(self) -> tuple[float, float]:
        """Least and greatest power of the bank over the frequencies of a 64 × 64 image."""
        side = max(64, *self.kernels.shape[1:])
        power = frame_inverse.power(self._spectra(side, side, self.kernels.double()))
        return float(power.min()), float(power.max())

    @property
    def condition(self) -> float:
        """Greatest over least power; infinite where the bank is blind to a frequency."""
        low, high = self.frame_bounds
        return high / low if low > 0 else math.inf

    @property
    def inverse(self) -> Inverse:
        """Exact where every frequency passes well enough and enough equations are left."""
        if not self.condition < _SOLVABLE:
            return "none"
        if self.rectify == "relu" and len(self.kernels) < _ENOUGH:
            return "approximate"
        if not self.condition < _EXACT:
            return "approximate"
        cut = self.rectify != "none" and bool(self.threshold or self.thresholds.any())
        return "approximate" if cut else "exact"

    def encode(self, image: Image) -> Map:
        """Maps (batch, channel * filter, height, width), channel by channel."""
        checks.image(image, self.name, linear=self.rectify == "none")
        transformable(image, self.name)
        height, width = image.shape[2:]
        self._check_size(height, width)
        bias = self._bias(image)
        maps = image.new_empty(*image.shape[:2], _PARTS[self.rectify], len(bias), height, width)
        waves = [torch.fft.rfft2(one).unsqueeze(2) for one in image.split(1)]
        # A few filters at a time and one image: so much stays in the cache.
        for some in frame_inverse.blocks(image[:1], len(bias)):
            filters = self._spectra(height, width, image, some)
            for place, wave in enumerate(waves):
                response = torch.fft.irfft2(wave * filters, s=(height, width))
                maps[place, :, :, some] = self._rectified(response, bias[some])[0]
        return Map(maps.flatten(1, 3), (height, width), signed=self.rectify == "none")

    def check_code(self, code: Map) -> None:
        """This bank's maps of the image's size, for one channel or three.

        Raises:
            BadCode: If they are not.
        """
        codecheck.maps(code.values, self.name, (self._count, 3 * self._count), code.size)
        self._check_size(*code.size)

    def pool(self, code: Map) -> Vectors:
        """Square roots of the maps' means per cell, of absolute values where they have signs."""
        values = code.values.abs() if self.rectify == "none" else code.values
        return (means(values, self.cells).clamp_min(0) + _FLOOR).sqrt()

    def invert(
        self,
        code: Map,
        iterations: int = 1000,
        *,
        tikhonov: float = 0.0,
        noise: float | None = None,
    ) -> Image:
        """The image of least squares over the responses that are known.

        Negative numbers in rectified maps can only be noise, and say how large it is: positive ones
        of less than five times that are then not trusted.

        Args:
            code: From `encode`, of one bank, with noise or without.
            iterations: Most steps of conjugate gradients, where not every response is known. They
                stop by themselves; smooth images take the longest. An exact inverse that they end
                before it is solved warns.
            tikhonov: Weight of the image's own square, as a share of the bank's greatest power;
                above zero, banks that are blind to a frequency give back the others.
            noise: Standard deviation of the noise in the maps, instead of what negatives tell.

        Raises:
            NoInverse: If the bank is blind to a frequency of images of this size.
        """
        checks.whole(iterations, 0, checks.MAX_ITERATIONS, self.name, "iterations")
        for what, value in {"tikhonov": tikhonov, "noise": noise or 0.0}.items():
            checks.between(value, 0, _MOST, self.name, what)
        maps = self._maps(code)
        # What the bank hardly passes has little to go by: single precision loses two digits there.
        maps = maps if maps.device.type == "mps" else maps.double()
        spectra = self._spectra(*code.size, maps)
        self._check_power(frame_inverse.power(spectra), tikhonov)
        images = []
        exact = self.inverse == "exact"
        tolerance = frame_inverse.EXACT if code.values.dtype == torch.float32 else _DOUBLE
        for one in maps.split(1):
            values, known = self._known(one, noise)
            images.append(
                frame_inverse.solve(
                    values,
                    known,
                    spectra,
                    tikhonov=tikhonov,
                    iterations=iterations,
                    tolerance=tolerance,
                    who=self.name if exact else "",
                )
            )
        image = torch.cat(images).to(code.values)
        return image if exact else image.clamp(0, 1)

    def equations(self, code: Map) -> Tensor:
        """Known responses per pixel, (batch, channel): below one, `invert` has too few."""
        known = self._known(self._maps(code), None)[1][:, :, : len(self.kernels)]
        return known.to(code.values).sum(2).mean((2, 3))

    def denoise(self, image: Image, noise: float | None = None) -> Image:
        """The image without white noise, (batch, channel, height, width) in [0, 1].

        Small responses are noise: what is below 2.7 of its standard deviations becomes zero, and
        the image of least squares with the others is a first guess. Where the guess responds, the
        noisy image is then believed in proportion (Wiener's gain), and solved for again. Colours
        are first turned to axes that hardly depend on each other. It takes a bank in which images
        have few large responses: `bank=dct,size=8` does best, `random` is no use.

        G. Yu and G. Sapiro, "DCT image denoising: a simple and effective image denoising
        algorithm", IPOL 1, 2011. doi:10.5201/ipol.2011.ys-dct

        Args:
            image: Noisy; values need not stay within [0, 1].
            noise: Standard deviation of the noise, in units of the image; None measures it, by the
                quietest of the filters.

        Raises:
            NoInverse: If the bank is blind to a frequency of images of this size.
        """
        transformable(checks.image(image, self.name, linear=True), self.name)
        checks.between(noise or 0.0, 0, _MOST, self.name, "noise")
        height, width = image.shape[2:]
        self._check_size(height, width)
        spectra = self._spectra(height, width, image)
        self._check_power(frame_inverse.power(spectra), 0.0)
        sums, sizes = self.kernels.sum((1, 2)).abs(), self.kernels.abs().sum((1, 2))
        smooth = F.pad(sums > sizes / 2, (0, len(spectra) - len(sums)), value=True)
        return torch.cat([denoise(one, spectra, smooth, noise) for one in image.split(1)])

    def picture(self, code: Map, image: Image | None = None) -> Picture:
        """The filters on the left, roots of what they answer on the right, place for place."""
        maps = self._maps(code).detach().mean(1)
        tile = _PICTURE // math.ceil(math.sqrt(maps.shape[1]))
        maps = F.avg_pool2d(maps, math.ceil(max(code.size) / tile), ceil_mode=True)
        kernels = self.kernels.to(maps)
        if self._blind:
            kernels = torch.cat([kernels, torch.ones_like(kernels[:1])])
        kernels = torch.cat([kernels, -kernels]) if self.rectify == "crelu" else kernels
        factor = max(1, min(maps.shape[2] // kernels.shape[1], maps.shape[3] // kernels.shape[2]))
        shapes = kernels.repeat_interleave(factor, 1).repeat_interleave(factor, 2)[:, None, None]
        answers = (maps.sign() * maps.abs().sqrt()).unsqueeze(2)
        colour = diverging if self.rectify == "none" else sequential
        left = montage([diverging(one) for one in shapes]).expand(len(maps), -1, -1, -1)
        return enlarge(beside(left, montage([colour(one) for one in answers.unbind(1)])))

    def load_weights(self, folder: str | Path) -> "FilterBank":
        """Load kernels that came from a file, whatever their number and size."""
        path = Path(folder) / "weights.safetensors"
        with suppress(OSError, SafetensorError):  # which the base class words
            stored = load_file(path)
            if "kernels" in stored:
                self._hold(stored["kernels"], stored.get("thresholds"), made=False)
                self.bank = self._digest()
        super().load_weights(folder)
        return self

    def _hold(self, kernels: Tensor, thresholds: Tensor | None, made: bool) -> None:
        given = thresholds is not None
        bias = thresholds if thresholds is not None else torch.zeros(len(kernels))
        self.register_buffer("kernels", kernels.float(), persistent=not made)
        self.register_buffer("thresholds", bias.float(), persistent=given)
        # Power at frequency zero, and its mean over all frequencies (Parseval).
        zero, mean = kernels.double().sum((1, 2)).square().sum(), kernels.double().square().sum()
        self._blind = bool(zero * _SOLVABLE <= mean)

    def _written(self) -> dict[str, Any]:
        bank = self.bank if self.bank in filters.MADE else self._digest()
        return {**self.get_params(), "bank": bank}

    def _blank_spec(self) -> str:
        if self.bank in filters.MADE:
            return super()._blank_spec()
        return type(self)(**{**self.get_params(), "bank": "gabor"}).spec

    def _digest(self) -> str:
        numbers = hashlib.blake2b(digest_size=6)
        for held in (self.kernels, self.thresholds)[: 1 + bool(self.thresholds.any())]:
            numbers.update(held.detach().cpu().contiguous().numpy().tobytes())
        return numbers.hexdigest()

    def _spectra(self, height: int, width: int, like: Tensor, some: slice = slice(None)) -> Tensor:
        """Transforms of the filters and, where they are blind to it, of the channel's mean."""
        found = frame_inverse.spectra(self.kernels[some].to(like), height, width)
        if len(found) == len(range(*some.indices(len(self.kernels) + self._blind))):
            return found
        mean = found.new_zeros(1, *found.shape[1:])
        mean[:, 0, 0] = 1
        return torch.cat([found, mean])

    def _bias(self, like: Tensor) -> Tensor:
        """What is taken from each filter's responses, (filter, 1, 1); nothing from the mean."""
        bias = F.pad(self.thresholds + self.threshold, (0, int(self._blind)))
        return bias.to(like)[:, None, None]

    def _rectified(self, response: Tensor, bias: Tensor) -> Tensor:
        """(b, c, k, h, w) to (b, c, parts, k, h, w)."""
        if self.rectify == "crelu":
            return torch.stack([(response - bias).relu_(), (-response - bias).relu_()], dim=2)
        maps = response if self.rectify == "none" else response.sub_(bias).relu_()
        return maps.unsqueeze(2)

    def _known(self, maps: Tensor, noise: float | None) -> tuple[Tensor, Tensor]:
        """What the responses are where they are known, and where, both (b, c, k, h, w)."""
        if self.rectify == "none":
            return maps, torch.ones_like(maps, dtype=torch.bool)
        bias = self._bias(maps)
        least = _SURE * (_noise(maps) if noise is None else maps.new_tensor(noise))
        if self.rectify == "relu":
            return maps + bias, maps > least
        above, below = maps.unflatten(2, (2, -1)).unbind(2)
        least = least if least.ndim == 0 else least.unflatten(2, (2, -1)).amax(2)
        either = above - below
        return either + bias * either.sign(), (either.abs() > least) | (bias == 0)

    def _maps(self, code: Map) -> Tensor:
        """The code's maps by channel and filter, (b, c, parts * k, h, w)."""
        return code.values.unflatten(1, (-1, self._count))

    @property
    def _count(self) -> int:
        """Maps per channel of the image."""
        return _PARTS[self.rectify] * (len(self.kernels) + self._blind)

    def _check_power(self, power: Tensor, tikhonov: float) -> None:
        low, high = float(power.min()), float(power.max())
        if not high < _SOLVABLE * low and not (tikhonov and high):
            raise NoInverse(
                f"{self.name} needs a bank that passes every frequency, got power from "
                f"{low:.3g} to {high:.3g}. Add a filter for what is missing, or pass "
                "tikhonov=1e-3 to invert."
            )

    def _check_size(self, height: int, width: int) -> None:
        rows, columns = self.kernels.shape[1:]
        if height < rows or width < columns:
            least = min(height, width)
            smaller = self.bank in filters.MADE and least >= _LEAST
            raise BadImage(
                f"{self.name} needs images of at least {rows}×{columns}, its filters' size, "
                f"got {height}×{width}. "
                + (f"Use size={least} or enlarge them." if smaller else "Enlarge them first.")
            )


def _noise(maps: Tensor) -> Tensor:
    """Standard deviation of the noise in rectified maps, by their negative numbers, per map.

    Maps with too few of them for a guess take that of all maps of the channel.
    """
    squares = maps.clamp_max(0).square().sum((3, 4), keepdim=True)
    count = (maps < 0).sum((3, 4), keepdim=True)
    all_maps = squares.sum(2, keepdim=True) / count.sum(2, keepdim=True).clamp_min(1)
    return torch.where(count < _SAMPLE, all_maps, squares / count.clamp_min(1)).sqrt()
