"""Fourier transform: the image as waves."""

import torch
from torch import Tensor

from imrep import checks
from imrep.base import Representation
from imrep.codes import Spectrum
from imrep.drawing import enlarge, sequential
from imrep.errors import BadCode
from imrep.ops.colour import luminance
from imrep.ops.fourier.radial_bands import taper, transformable
from imrep.ops.resize import square
from imrep.registry.cards import Card
from imrep.types import Image, Picture, Vectors

_SHOWN = (0.002, 0.998)  # quantiles of the log magnitude that a picture tells apart
_FLOOR = 1e-8  # keeps the slope of the root finite where there is no power


class Fourier(Representation[Spectrum]):
    """Amplitude and phase of the waves that an image is the sum of.

    The code is the discrete Fourier transform of each channel at the image's own size, zero
    frequency first, without normalisation: the first number is the sum of the pixels. Nothing is
    lost, and moving the image round its borders turns phases only.

    The vector forgets the phases: luminance without its mean, brought to `side`, half the plane of
    frequencies (the other half mirrors it). Three habits of spectral estimation make it a better
    one than the bare log magnitude: the image fades out towards its borders (Tukey's taper), which
    takes away the cross that their jump draws; power is averaged over 3 × 3 frequencies (Daniell),
    since a single one is as uncertain as it is large; and the square root of the amplitude takes
    the logarithm's place.

    Args:
        side: Side in pixels of the square whose spectrum is the vector, at least 4.

    References:
        J. W. Cooley and J. W. Tukey, "An algorithm for the machine calculation of complex Fourier
        series", Math. Computation 19, 1965. doi:10.1090/S0025-5718-1965-0178586-1

        P. D. Welch, "The use of fast Fourier transform for the estimation of power spectra", IEEE
        Trans. Audio and Electroacoustics 15(2), 1967. doi:10.1109/TAU.1967.1161901

    Example:
        >>> import torch, imrep
        >>> code = imrep.get("fourier").encode(torch.full((1, 1, 4, 6), 0.5))
        >>> code.values[0, 0, 0, :2]
        tensor([12.+0.j,  0.+0.j])
    """

    card = Card(
        title="Fourier transform",
        family="frequency",
        cite="Cooley & Tukey 1965, doi:10.1090/S0025-5718-1965-0178586-1",
        inverse="exact",
    )
    periodic = "the discrete Fourier transform is that of a periodic image"

    def __init__(self, *, side: int = 64) -> None:
        checks.between(side, 4, checks.MAX_SIDE, self.name, "side")
        super().__init__()
        self.side = side

    def encode(self, image: Image) -> Spectrum:
        """Complex (batch, channel, height, width), zero frequency first."""
        transformable(checks.image(image, self.name, linear=True), self.name)
        return Spectrum(torch.fft.fft2(image), (image.shape[2], image.shape[3]))

    def invert(self, code: Spectrum) -> Image:
        """The image, to rounding error; of a code that was changed, the nearest real one."""
        return torch.fft.ifft2(_plane(code)).real

    def check_code(self, code: Spectrum) -> None:
        """One complex tensor, the transform of an image of the code's size.

        Raises:
            BadCode: If it is not.
        """
        values, sizes = code.values, [(n, *code.size) for n in (1, 3)]
        if isinstance(values, Tensor) and values.is_complex() and tuple(values.shape[1:]) in sizes:
            return
        got = f"{values.dtype} {tuple(values.shape)}" if isinstance(values, Tensor) else "blocks"
        raise BadCode(
            f"{self.name} needs one complex (batch, 1 or 3, {code.size[0]}, {code.size[1]}), got "
            f"{got}. Use the code that encode gave."
        )

    def pool(self, code: Spectrum) -> Vectors:
        """Square root of the smoothed amplitude, (batch, side * (side // 2 + 1))."""
        luma = luminance(_plane(code))[..., : code.size[1] // 2 + 1]
        image = square(torch.fft.irfft2(luma, s=code.size), self.side)
        fade = taper(self.side, image)
        tapered = fade[:, None] * fade * (image - image.mean((2, 3), keepdim=True))
        power = torch.view_as_real(torch.fft.rfft2(tapered, norm="ortho")).square().sum(-1)
        return (self._smooth(power) + _FLOOR).pow(0.25).flatten(1)

    def picture(self, code: Spectrum, image: Image | None = None) -> Picture:
        """Log magnitude, zero frequency in the middle; the few strongest share one colour."""
        magnitude = torch.fft.fftshift(_plane(code).detach().abs(), dim=(2, 3))
        height = magnitude.mean(1, keepdim=True).log1p()
        sorted_ = height.flatten(1).sort(1).values
        low, high = (
            sorted_[:, round(q * (sorted_.shape[1] - 1)), None, None, None] for q in _SHOWN
        )
        return enlarge(sequential(height.clamp(low, high)))

    def _smooth(self, power: Tensor) -> Tensor:
        """Means over 3 × 3 frequencies of (b, 1, side, side // 2 + 1)."""
        other = power.flip(-2).roll(1, -2)  # the half left out: -f has the power of f
        last = (self.side - 1) // 2
        wide = torch.cat([other[..., 1:2], power, other[..., last : last + 1]], dim=-1)
        rows = wide + wide.roll(1, -2) + wide.roll(-1, -2)
        return (rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:]) / 9


def _plane(code: Spectrum) -> Tensor:
    """The complex values of a code that was checked."""
    assert isinstance(code.values, Tensor)
    return code.values
