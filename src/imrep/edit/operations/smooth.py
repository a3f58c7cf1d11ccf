"""Edge-preserving smoothing."""

from imrep import checks
from imrep.ops.bilateral.filter import bilateral_filter
from imrep.types import Image


def smooth(image: Image, *, sigma_space: float = 8.0, sigma_range: float = 0.1) -> Image:
    """Edge-preserving smoothing by the bilateral filter.

    Each pixel becomes the mean of its neighbours, weighted by distance and by difference of luma;
    all channels share these weights, so that no colour crosses an edge of brightness. The filter is
    approximated on a bilateral grid, which is faster the wider the Gaussians are. The approximation
    is poorest next to edges at a large `sigma_range`, and at specks of few pixels.

    Args:
        image: (b, 1|3, h, w), values in [0, 1].
        sigma_space: Standard deviation of distance, in pixels.
        sigma_range: Standard deviation of differences in luma: larger differences are edges. Far
            above 1 the filter is a Gaussian blur.

    Raises:
        BadImage: The input is not a batch of images, or too large for the deviations' grid.
        BadParameter: A deviation is not positive and finite.

    References:
        C. Tomasi and R. Manduchi, "Bilateral filtering for gray and color images", ICCV 1998.
        doi:10.1109/ICCV.1998.710815
        S. Paris and F. Durand, "A fast approximation of the bilateral filter using a signal
        processing approach", Int. J. Computer Vision 81(1), 2009. doi:10.1007/s11263-007-0110-8
    """
    checks.image(image, "smooth")
    out = bilateral_filter(image, sigma_space=sigma_space, sigma_range=sigma_range, caller="smooth")
    return out.clamp_(0, 1)
