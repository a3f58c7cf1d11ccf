"""Unsharp masking."""

from torch import Tensor

from imrep import checks
from imrep.ops.filter.gaussian import gaussian, smooth
from imrep.ops.filter.strips import by_rows
from imrep.types import Image

_TRUNCATE = 4  # standard deviations at which the kernel ends
_MAX_SIGMA = 100


def unsharp(image: Image, *, alpha: float = 0.7, sigma: float = 1.5) -> Image:
    """Unsharp masking: the image plus the detail that a Gaussian blur removes.

    x + alpha (x - G x), clipped to [0, 1]. The name is from the darkroom, where a blurred negative
    was the mask. Channels are independent; borders mirror the image without repeating its edge.

    Args:
        image: (b, 1|3, h, w), values in [0, 1].
        alpha: Factor of the added detail, 0 to 10; above about 2 edges have halos.
        sigma: Standard deviation of the Gaussian in pixels, 0.2 to 100. About 1 sharpens; 20 and
            more with a small alpha raise local contrast.

    Raises:
        BadImage: The input is not a batch of images.
        BadParameter: Alpha or sigma is out of its range.

    References:
        W. F. Schreiber, "Wirephoto quality improvement by unsharp masking", Pattern Recognition
        2(2), 1970. doi:10.1016/0031-3203(70)90007-5
    """
    checks.image(image, "unsharp")
    checks.between(alpha, 0, 10, "unsharp", "alpha")
    checks.between(sigma, 0.2, _MAX_SIGMA, "unsharp", "sigma")
    weights = gaussian(sigma, round(_TRUNCATE * sigma))
    radius = len(weights) // 2

    def sharpen_rows(rows: Tensor) -> Tensor:
        inner = rows[radius:-radius]
        return inner.add(inner - smooth(rows, weights), alpha=alpha).clamp(0, 1)

    return by_rows(image, radius, sharpen_rows)
