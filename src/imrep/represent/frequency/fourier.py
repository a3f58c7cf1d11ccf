"""Discrete Fourier transform: amplitude and phase of each frequency."""

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

_QUANTILES = (0.002, 0.998)  # of the log magnitude, to which a picture's colours are clipped
_EPSILON = 1e-8  # keeps the gradient of the root finite where there is no power


class Fourier(Representation[Spectrum]):
    """Amplitude and phase of the sinusoids whose sum is the image.

    The code is the discrete Fourier transform of each channel at the image's own size, zero
    frequency first, unnormalised: the first number is the sum of the pixels. It is invertible, and
    a cyclic shift of the image changes phases only.

    The vector discards phase: luminance without its mean, resized to `side`, half the plane of
    frequencies (the other half mirrors it). Three steps of spectral estimation: Tukey's taper,
    which removes the cross that the jump at the borders causes; averages of the power over 3 × 3
    frequencies (Daniell), since the standard error of a periodogram is as large as its value; and
    the square root of the amplitude in place of the logarithm.

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
        """The image, to rounding error; of a modified code, the nearest real image."""
        return torch.fft.ifft2(_plane(code)).real

    def check_code(self, code: Spectrum) -> None:
        """Refuse what is not the complex transform of an image of the code's size.

        Raises:
            BadCode: Naming what is needed and what came.
        """
        values, sizes = code.values, [(n, *code.size) for n in (1, 3)]
        if isinstance(values, Tensor) and values.is_complex() and tuple(values.shape[1:]) in sizes:
            return
        description = (
            f"{values.dtype} {tuple(values.shape)}" if isinstance(values, Tensor) else "blocks"
        )
        raise BadCode(
            f"{self.name} needs one complex (batch, 1 or 3, {code.size[0]}, {code.size[1]}), got "
            f"{description}. Use the code that encode gave."
        )

    def pool(self, code: Spectrum) -> Vectors:
        """Square root of the smoothed amplitude, (batch, side * (side // 2 + 1))."""
        luma = luminance(_plane(code))[..., : code.size[1] // 2 + 1]
        image = square(torch.fft.irfft2(luma, s=code.size), self.side)
        window = taper(self.side, image)
        tapered = window[:, None] * window * (image - image.mean((2, 3), keepdim=True))
        power = torch.view_as_real(torch.fft.rfft2(tapered, norm="ortho")).square().sum(-1)
        return (self._smooth(power) + _EPSILON).pow(0.25).flatten(1)

    def picture(self, code: Spectrum, image: Image | None = None) -> Picture:
        """Log magnitude, zero frequency in the middle, clipped to its quantiles."""
        magnitude = torch.fft.fftshift(_plane(code).detach().abs(), dim=(2, 3))
        height = magnitude.mean(1, keepdim=True).log1p()
        sorted_ = height.flatten(1).sort(1).values
        low, high = (
            sorted_[:, round(q * (sorted_.shape[1] - 1)), None, None, None] for q in _QUANTILES
        )
        return enlarge(sequential(height.clamp(low, high)))

    def _smooth(self, power: Tensor) -> Tensor:
        """Means over 3 × 3 frequencies of (b, 1, side, side // 2 + 1)."""
        mirrored = power.flip(-2).roll(1, -2)  # the other half plane: -f has the power of f
        last = (self.side - 1) // 2
        padded = torch.cat([mirrored[..., 1:2], power, mirrored[..., last : last + 1]], dim=-1)
        rows = padded + padded.roll(1, -2) + padded.roll(-1, -2)
        return (rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:]) / 9


def _plane(code: Spectrum) -> Tensor:
    """The complex values of a code that was checked."""
    assert isinstance(code.values, Tensor)
    return code.values
