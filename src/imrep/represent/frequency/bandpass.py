"""Band-pass filter: the details of one range of sizes."""

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

_EXACT = 1 / 32  # least gain through which float32 gives an image back to 1e-5
_HEARD = 1e-3  # gain below which a frequency counts as lost
_GRAY = 0.5  # brightness of what comes back from a code without any
_COARSE = 0.03  # cycles per pixel at which the rings begin where nothing is cut off
_BEYOND = 1.5  # gains are soft: the rings go on beyond the cutoffs by this factor
_FINE = 128  # frequencies per axis that the vector's rings are cut from, at least
_SHOWN = 0.99  # share of the pixels whose size a picture tells apart
_FLOOR = 1e-8  # power of a ten-thousandth of full contrast: keeps the logarithm finite


class Bandpass(Representation[Map]):
    """The image without what is coarser, finer, or both, than a range of sizes.

    The transform of each channel is multiplied by a real gain that depends on the frequency's
    length alone, in cycles per pixel: 0 is the mean, 0.5 every second row, 0.707 a checkerboard.
    `low` is where a high-pass begins, `high` where a low-pass ends, and with both it is a band:

        ideal        1 up to `high`, and from `low` on
        gaussian     exp(-r² / 2 high²) - exp(-r² / 2 low²)
        butterworth  1 / (1 + (r / high)^2n) · (1 - 1 / (1 + (r / low)^2n)), n the order

    High-pass is one minus low-pass. Gaussian bands that meet add up to the band of both. An ideal
    edge rings (Gibbs); the others do not, or little. The transform takes the image as periodic, so
    near a border the code holds something of the opposite one.

    The code is the filtered image. What a gain near zero has taken is gone: then `invert` gives
    back the frequencies that passed, on middle gray where the mean did not. Its inverse is exact
    where the gain stays above 1/32 everywhere, as a wide low-pass's does.

    The vector is the log energy in rings of frequency from a little below the cutoffs to a little
    beyond, each cut into directions, of luma and chroma, borders faded out (Tukey); and their
    means, where those pass.

    Args:
        method: "gaussian", "butterworth" or "ideal".
        low: Frequencies below it are taken out, in cycles per pixel; None lets them pass.
        high: Frequencies above it are taken out; None lets them pass.
        order: Steepness of the Butterworth gain, at least 1; the others have none.
        rings: Rings between the cutoffs that the vector takes the energy of.
        orientations: Sectors of half a turn that each ring is cut into; 1 leaves it whole.

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
        for what, value in (("rings", rings), ("orientations", orientations)):
            checks.between(value, 1, 1024, self.name, what)
        super().__init__()
        self.method, self.low, self.high, self.order = method, low, high, order
        self.rings, self.orientations = rings, orientations

    @property
    def inverse(self) -> Inverse:
        """Exact where every frequency keeps a gain that float32 can undo."""
        ends = self._gain(torch.tensor([0.0, passbands.CORNER], dtype=torch.float64))
        return "exact" if float(ends.min()) >= _EXACT else "approximate"  # a band has one hump

    def encode(self, image: Image) -> Map:
        """The filtered image, (batch, channel, height, width); about zero without its mean."""
        transformable(checks.image(image, self.name, linear=True), self.name)
        size = image.shape[2], image.shape[3]
        return Map(self._through(image, self.mask(image)), size, signed=self.low is not None)

    def invert(self, code: Map) -> Image:
        """The image of what passed: nearly all, or what lies between the cutoffs."""
        mask = self.mask(code.values)
        if self.inverse == "exact":
            return self._through(code.values, 1 / mask)
        heard = mask > _HEARD
        image = self._through(code.values, heard / mask.clamp_min(_HEARD))
        return (image if heard[0, 0] else image + _GRAY).clamp(0, 1)

    def check_code(self, code: Map) -> None:
        """One or three maps of the image's size.

        Raises:
            BadCode: If they are not.
        """
        codecheck.maps(code.values, self.name, (1, 3), code.size)

    def pool(self, code: Map) -> Vectors:
        """Log energy by plane, ring and direction; then the planes' means, where they pass."""
        planes = to_ycbcr(code.values)
        mean = planes.mean((2, 3), keepdim=True)
        height, width = code.size
        faded = taper(height, planes)[:, None] * taper(width, planes) * (planes - mean)
        fine = max(height, _FINE), max(width, _FINE)  # zeros around it interpolate its spectrum
        power = torch.view_as_real(torch.fft.rfft2(faded, s=fine)).square().sum(-1)
        low = (self.low or _COARSE) / _BEYOND
        high = max(min((self.high or passbands.CORNER) * _BEYOND, passbands.CORNER), 2 * low)
        part, count = sectors(*fine, low, high, self.rings, self.orientations, power.device)
        sums = power.new_zeros(*power.shape[:2], len(count) + 1)
        energy = sums.index_add(2, part, power.flatten(2))[..., :-1] / count.clamp_min(1)
        vector = (energy / (height * width) + _FLOOR).log().flatten(1)
        return vector if self.low else torch.cat([vector, mean.flatten(1)], dim=1)

    def picture(self, code: Map, image: Image | None = None) -> Picture:
        """The filtered image, and its spectrum's log magnitude with zero in the middle."""
        values = code.values.detach()
        magnitude = torch.fft.fftshift(torch.fft.fft2(values).abs(), dim=(2, 3))
        spectrum = sequential(magnitude.mean(1, keepdim=True).log1p())
        if self.low is None:
            return enlarge(beside(values.clamp(0, 1).expand(-1, 3, -1, -1), spectrum))
        gray = values.mean(1, keepdim=True)
        sizes = gray.abs().flatten(1).sort(1).values
        most = sizes[:, round(_SHOWN * (sizes.shape[1] - 1)), None, None, None]
        return enlarge(beside(diverging(gray.clamp(-most, most)), spectrum))

    def mask(self, like: Tensor) -> Tensor:
        """The gain at each frequency of images of this height and width, zero first, (h, w')."""
        height, width = like.shape[2:]
        return self._gain(radius(height, width, like.device)).to(like)

    def _through(self, image: Tensor, mask: Tensor) -> Tensor:
        """Each channel with its frequencies multiplied by `mask`; odd widths stay odd."""
        return torch.fft.irfft2(torch.fft.rfft2(image) * mask, s=image.shape[2:])

    def _gain(self, r: Tensor) -> Tensor:
        """Gain at r cycles per pixel."""
        return passbands.gain(r, self.method, self.low, self.high, self.order)
