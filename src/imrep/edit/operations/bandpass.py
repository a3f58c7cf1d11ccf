"""Band-pass filter."""

from collections.abc import Iterator

import scipy.fft
import torch
from torch import Tensor

from imrep import checks
from imrep.edit import measurements
from imrep.ops.fourier import passbands
from imrep.ops.fourier.radial_bands import transformable
from imrep.registry.signatures import renamed
from imrep.types import Image

_MID_GRAY = 0.5  # added where the mean does not pass
_ROWS = 64  # whose gains are computed together, in double precision


@renamed(kind="method")
def bandpass(
    image: Image,
    *,
    method: str = "gaussian",
    low: float | None = 0.03,
    high: float | None = 0.3,
    order: int = 2,
) -> Image:
    """The image restricted to a band of spatial frequencies.

    Each channel's spectrum is multiplied by a gain that depends on the radial frequency r alone, in
    cycles per pixel: 0.5 alternates every row, 0.01 has a period of a hundred pixels.

        ideal        1 up to `high`, and from `low` on
        gaussian     exp(-r² / 2 high²) - exp(-r² / 2 low²)
        butterworth  1 / (1 + (r / high)^2n) · (1 - 1 / (1 + (r / low)^2n)), n the order

    The spectrum is the cosine transform's: the image is mirrored at its borders with the edge
    repeated, and nothing wraps around. With `low` the mean does not pass, and middle gray is added
    for display. Values are clipped to [0, 1].

    Args:
        image: (b, 1|3, h, w), values in [0, 1], float32 or float64. Sides with a large prime factor
            take up to four times longer.
        method: gaussian, butterworth or ideal, whose sharp cutoff rings.
        low: Lower cutoff, up to 0.707; None passes all low frequencies.
        high: Upper cutoff; None passes all high frequencies.
        order: Order of the Butterworth gain, at least 1; the others have none.

    Raises:
        BadImage: The input is not a batch of images, or of another floating type.
        BadParameter: The method is none of these, a cutoff is out of its range, both are None, or
            low is not below high.

    References:
        N. Ahmed, T. Natarajan and K. R. Rao, "Discrete cosine transform", IEEE Trans. Computers
        C-23(1), 1974. doi:10.1109/T-C.1974.223784

        S. Butterworth, "On the theory of filter amplifiers", Experimental Wireless 7, 1930.
    """
    transformable(checks.image(image, "bandpass"), "bandpass")
    checks.one_of(method, passbands.METHODS, "bandpass", "method")
    passbands.check_cutoffs(low, high, order, "bandpass")
    gains = torch.cat(
        [
            passbands.gain(r, method, low, high, order).to(image.dtype)
            for r in _radii(image.shape[2], image.shape[3])
        ]
    )
    filtered = torch.empty(image.shape, dtype=image.dtype)
    for plane, target in zip(image.detach().flatten(0, 1), filtered.flatten(0, 1), strict=True):
        target.copy_(_filter(plane, gains))
    for before, after in zip(image.detach(), filtered, strict=True):
        contrast = max(float(before.std(correction=0)), torch.finfo(before.dtype).tiny)
        measurements.record("bandpass", contrast_passed=float(after.std(correction=0)) / contrast)
    return filtered.add_(0.0 if low is None else _MID_GRAY).clamp_(0, 1).to(image.device)


def _radii(height: int, width: int) -> Iterator[Tensor]:
    """Radial frequencies of the cosine transform, a strip of rows at a time.

    The k-th basis function has k half periods in n samples, so its frequency is k / 2n.
    """
    y, x = (torch.arange(n, dtype=torch.float64) / (2 * n) for n in (height, width))
    return (torch.hypot(rows[:, None], x) for rows in y.split(_ROWS))


def _filter(plane: Tensor, gains: Tensor) -> Tensor:
    """A channel whose spectrum is multiplied by `gains`."""
    workers = torch.get_num_threads()
    spectrum = scipy.fft.dctn(plane.cpu().numpy(), norm="ortho", workers=workers)
    spectrum *= gains.numpy()
    plane = scipy.fft.idctn(spectrum, norm="ortho", overwrite_x=True, workers=workers)
    return torch.from_numpy(plane)
