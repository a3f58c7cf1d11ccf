"""Band-pass filter: the details within one range of frequencies."""

from typing import ClassVar

import torch
from torch import Tensor

from imrep import checks, codecheck
from imrep.base import Representation
from imrep.codes import Map
from imrep.drawing import beside, diverging, enlarge, sequential
from imrep.ops.colour import to_ycbcr
from imrep.ops.fourier import passbands
from imrep.ops.fourier.radial_bands import radius, sectors, taper, transformable
from imrep.registry.cards import Card, Inverse
from imrep.types import Image, Picture, Vectors

_EXACT = 1 / 32  # least gain from which float32 recovers an image to 1e-5
_MIN_GAIN = 1e-3  # below it a frequency is not recovered
_GRAY = 0.5  # mean of images reconstructed from a code without one
_LOWEST = 0.03  # cycles per pixel at which the rings begin without a lower cutoff
_MARGIN = 1.5  # gains are soft, so the rings extend beyond the cutoffs by this factor
_MIN_SIZE = 128  # of the transform that the vector's rings are taken from
_QUANTILE = 0.99  # of the absolute values, to which a picture's colours are clipped
_EPSILON = 1e-8  # power of a ten-thousandth of full contrast: keeps the logarithm finite


class Bandpass(Representation[Map]):
    """The image's frequencies between two cutoffs.

    The Fourier transform of each channel is multiplied by a real, isotropic gain. Frequencies r are
    in cycles per pixel: 0 is the mean, 0.5 every second row, 0.707 a checkerboard. `low` is the
    cutoff of a high-pass, `high` that of a low-pass, and with both it is a band-pass:

        ideal        1 up to `high`, and from `low` on
        gaussian     exp(-r² / 2 high²) - exp(-r² / 2 low²)
        butterworth  1 / (1 + (r / high)^2n) · (1 - 1 / (1 + (r / low)^2n)), n the order

    A high-pass is one minus the low-pass. Adjacent Gaussian bands sum to their union. An ideal
    cutoff causes ringing (Gibbs); the others little or none. The image is treated as periodic, so
    that opposite borders influence each other.

    The code is the filtered image. `invert` recovers the frequencies that pass, on middle gray
    where the mean does not. It is exact where the gain is above 1/32 everywhere, as that of a wide
    low-pass.

    The vector is the log energy in rings of frequency, from slightly below the cutoffs to slightly
    beyond, each divided by orientation, of luma and chroma under Tukey's taper; and their means,
    where those pass.

    Args:
        method: "gaussian", "butterworth" or "ideal".
        low: Lower cutoff in cycles per pixel; None for none.
        high: Upper cutoff; None for none.
        order: Of the Butterworth filter, at least 1; the others have none.
        rings: Rings of frequency in the vector.
        orientations: Sectors of each ring within 180°.

    References:
        S. Butterworth, "On the theory of filter amplifiers", Experimental Wireless 7, 1930.

        D. Marr and E. Hildreth, "Theory of edge detection", Proc. R. Soc. Lond. B 207, 1980.
        doi:10.1098/rspb.1980.0020

    Example:
        >>> import torch, imrep
        >>> image = torch.rand(1, 3, 20, 31)
        >>> cuts = "bandpass:low=none,high=0.2", "bandpass:low=0.2,high=none"
        >>> parts = [imrep.get(cut).encode(image).values for cut in cuts]
        >>> bool((sum(parts) - image).abs().max() < 1e-5)
        True
    """

    card = Card(
        title="Band-pass filter",
        family="frequency",
        cite="Marr & Hildreth 1980, doi:10.1098/rspb.1980.0020",
        inverse="approximate",
    )
    periodic = "gains multiply the discrete Fourier transform, which is that of a periodic image"
    renamed: ClassVar[dict[str, str]] = {"kind": "method", "directions": "orientations"}

    def __init__(
        self,
        *,
        method: str = "gaussian",
        low: float | None = 0.03,
        high: float | None = 0.3,
        order: int = 2,
        rings: int = 8,
        orientations: int = 8,
    ) -> None:
        checks.one_of(method, passbands.METHODS, self.name, "method")
        passbands.check_cutoffs(low, high, order, self.name)
        for name, value in (("rings", rings), ("orientations", orientations)):
            checks.between(value, 1, 1024, self.name, name)
        super().__init__()
        self.method, self.low, self.high, self.order = method, low, high, order
        self.rings, self.orientations = rings, orientations

    @property
    def inverse(self) -> Inverse:
        """Exact where every gain can be inverted in float32."""
        ends = self._gain(torch.tensor([0.0, passbands.CORNER], dtype=torch.float64))
        return "exact" if float(ends.min()) >= _EXACT else "approximate"  # a band has one maximum

    def encode(self, image: Image) -> Map:
        """The filtered image, (batch, channel, height, width); signed without the mean."""
        transformable(checks.image(image, self.name, linear=True), self.name)
        size = image.shape[2], image.shape[3]
        return Map(self._filtered(image, self.mask(image)), size, signed=self.low is not None)

    def invert(self, code: Map) -> Image:
        """The image of the frequencies that pass."""
        mask = self.mask(code.values)
        if self.inverse == "exact":
            return self._filtered(code.values, 1 / mask)
        passed = mask > _MIN_GAIN
        image = self._filtered(code.values, passed / mask.clamp_min(_MIN_GAIN))
        return (image if passed[0, 0] else image + _GRAY).clamp(0, 1)

    def check_code(self, code: Map) -> None:
        """Refuse maps of another size, or other than one or three.

        Raises:
            BadCode: Naming what is needed and what came.
        """
        codecheck.maps(code.values, self.name, (1, 3), code.size)

    def pool(self, code: Map) -> Vectors:
        """Log energy by plane, ring and orientation; then the planes' means, where they pass."""
        planes = to_ycbcr(code.values)
        mean = planes.mean((2, 3), keepdim=True)
        height, width = code.size
        tapered = taper(height, planes)[:, None] * taper(width, planes) * (planes - mean)
        size = (
            max(height, _MIN_SIZE),
            max(width, _MIN_SIZE),
        )  # zero padding interpolates the spectrum
        power = torch.view_as_real(torch.fft.rfft2(tapered, s=size)).square().sum(-1)
        low = (self.low or _LOWEST) / _MARGIN
        high = max(min((self.high or passbands.CORNER) * _MARGIN, passbands.CORNER), 2 * low)
        sector, count = sectors(*size, low, high, self.rings, self.orientations, power.device)
        sums = power.new_zeros(*power.shape[:2], len(count) + 1)
        energy = sums.index_add(2, sector, power.flatten(2))[..., :-1] / count.clamp_min(1)
        vector = (energy / (height * width) + _EPSILON).log().flatten(1)
        return vector if self.low else torch.cat([vector, mean.flatten(1)], dim=1)

    def picture(self, code: Map, image: Image | None = None) -> Picture:
        """The filtered image, and its spectrum's log magnitude with zero in the middle."""
        values = code.values.detach()
        magnitude = torch.fft.fftshift(torch.fft.fft2(values).abs(), dim=(2, 3))
        spectrum = sequential(magnitude.mean(1, keepdim=True).log1p())
        if self.low is None:
            return enlarge(beside(values.clamp(0, 1).expand(-1, 3, -1, -1), spectrum))
        gray = values.mean(1, keepdim=True)
        magnitudes = gray.abs().flatten(1).sort(1).values
        limit = magnitudes[:, round(_QUANTILE * (magnitudes.shape[1] - 1)), None, None, None]
        return enlarge(beside(diverging(gray.clamp(-limit, limit)), spectrum))

    def mask(self, like: Tensor) -> Tensor:
        """The gain at each frequency of `torch.fft.rfft2`, (height, width // 2 + 1)."""
        height, width = like.shape[2:]
        return self._gain(radius(height, width, like.device)).to(like)

    def _filtered(self, image: Tensor, mask: Tensor) -> Tensor:
        """Each channel with its frequencies multiplied by `mask`."""
        return torch.fft.irfft2(torch.fft.rfft2(image) * mask, s=image.shape[2:])

    def _gain(self, r: Tensor) -> Tensor:
        """Gain at r cycles per pixel."""
        return passbands.gain(r, self.method, self.low, self.high, self.order)
