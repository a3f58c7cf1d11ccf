"""Band-pass filter."""

from collections.abc import Iterator

import scipy.fft
import torch
from torch import Tensor

from imrep import checks
from imrep.edit import measurements
from imrep.ops.fourier import passbands
from imrep.ops.fourier.radial_bands import transformable
from imrep.types import Image

_GRAY = 0.5  # brightness of what comes out where the mean does not pass
_ROWS = 64  # whose gains are found together, in double precision


def bandpass(
    image: Image,
    *,
    kind: str = "gaussian",
    low: float | None = 0.03,
    high: float | None = 0.3,
    order: int = 2,
) -> Image:
    """The image without what is coarser, finer, or both, than a range of sizes.

    Each channel's frequencies are multiplied by a gain that depends on their length alone, in
    cycles per pixel: 0.5 is every second row, 0.01 a wave of a hundred pixels.

        ideal        1 up to `high`, and from `low` on
        gaussian     exp(-r² / 2 high²) - exp(-r² / 2 low²)
        butterworth  1 / (1 + (r / high)^2n) · (1 - 1 / (1 + (r / low)^2n)), n the order

    The frequencies are those of the cosine transform, so beyond its borders the image is mirrored,
    the edge pixel repeated, and nothing wraps around. With `low` the mean does not pass: then
    middle gray is added, so that one can look at what is left. Values are clipped to [0, 1].

    Args:
        image: (b, 1|3, h, w), values in [0, 1], float32 or float64. Sides with a large prime factor
            take up to four times longer.
        kind: gaussian, butterworth or ideal, whose sharp cutoff rings.
        low: Frequencies below it are taken out, up to 0.707; None lets them pass.
        high: Frequencies above it are taken out; None lets them pass.
        order: Steepness of the Butterworth gain, at least 1; the others have none.

    Raises:
        BadImage: If it is no batch of images, or of another floating type.
        BadParameter: If the kind is none of these, a cutoff out of its range, none is given, or low
            is not below high.

    References:
        N. Ahmed, T. Natarajan and K. R. Rao, "Discrete cosine transform", IEEE Trans. Computers
        C-23(1), 1974. doi:10.1109/T-C.1974.223784

        S. Butterworth, "On the theory of filter amplifiers", Experimental Wireless 7, 1930.
    """
    transformable(checks.image(image, "bandpass"), "bandpass")
    checks.one_of(kind, passbands.METHODS, "bandpass", "kind")
    passbands.check_cutoffs(low, high, order, "bandpass")
    gains = torch.cat(
        [
            passbands.gain(r, kind, low, high, order).to(image.dtype)
            for r in _radii(image.shape[2], image.shape[3])
        ]
    )
    made = torch.empty(image.shape, dtype=image.dtype)
    for plane, into in zip(image.detach().flatten(0, 1), made.flatten(0, 1), strict=True):
        into.copy_(_through(plane, gains))
    for before, after in zip(image.detach(), made, strict=True):
        contrast = max(float(before.std(correction=0)), torch.finfo(before.dtype).tiny)
        measurements.record("bandpass", contrast_passed=float(after.std(correction=0)) / contrast)
    return made.add_(0.0 if low is None else _GRAY).clamp_(0, 1).to(image.device)


def _radii(height: int, width: int) -> Iterator[Tensor]:
    """Lengths of the cosine transform's frequencies, the k-th half of k waves, some rows a time."""
    y, x = (torch.arange(n, dtype=torch.float64) / (2 * n) for n in (height, width))
    return (torch.hypot(some[:, None], x) for some in y.split(_ROWS))


def _through(plane: Tensor, gains: Tensor) -> Tensor:
    """A channel whose frequencies are multiplied by `gains`."""
    workers = torch.get_num_threads()
    waves = scipy.fft.dctn(plane.cpu().numpy(), norm="ortho", workers=workers)
    waves *= gains.numpy()
    back = scipy.fft.idctn(waves, norm="ortho", overwrite_x=True, workers=workers)
    return torch.from_numpy(back)
