"""Unsharp masking."""

from torch import Tensor

from imrep import checks
from imrep.ops.filter.gaussian import gaussian, smooth
from imrep.ops.filter.strips import by_rows
from imrep.types import Image

_WIDTH = 4  # standard deviations at which the Gaussian ends
_WIDEST = 100


def unsharp(image: Image, *, alpha: float = 0.7, sigma: float = 1.5) -> Image:
    """The image with what a Gaussian blur takes from it, its fine detail, added once more.

    x + alpha (x - G x), clipped to [0, 1]: darkroom workers printed through a blurred negative.
    Each channel for itself; borders mirror the image without repeating its edge.

    Args:
        image: (b, 1|3, h, w), values in [0, 1].
        alpha: How much of the detail is added, 0 to 10; from about 2 on edges get halos.
        sigma: Standard deviation of the Gaussian in pixels, 0.2 to 100. About 1 sharpens, 20 and
            more with a small alpha raise local contrast.

    Raises:
        BadImage: If it is no batch of images.
        BadParameter: If alpha or sigma is out of its range.

    References:
        W. F. Schreiber, "Wirephoto quality improvement by unsharp masking", Pattern Recognition
        2(2), 1970. doi:10.1016/0031-3203(70)90007-5
    """
    checks.image(image, "unsharp")
    checks.between(alpha, 0, 10, "unsharp", "alpha")
    checks.between(sigma, 0.2, _WIDEST, "unsharp", "sigma")
    weights = gaussian(sigma, round(_WIDTH * sigma))
    reach = len(weights) // 2

    def work(rows: Tensor) -> Tensor:
        here = rows[reach:-reach]
        return here.add(here - smooth(rows, weights), alpha=alpha).clamp(0, 1)

    return by_rows(image, reach, work)
