"""White noise taken out."""

import torch

from imrep import check
from imrep.ops.blocks import SIDE, calmed, deviations, shrunk
from imrep.ops.dct import basis
from imrep.ops.rings import transformable
from imrep.types import Image


def denoise(image: Image, *, noise: float | None = None, stride: int = 4) -> Image:
    """The image without white noise: what a bank of cosine filters hardly answers to is left out.

    Blocks of 8×8 pixels are transformed; small coefficients become zero, which gives a first guess;
    then each is multiplied by the share of it that the guess says is no noise. The image is that of
    least squares with all blocks. Colours are turned to gray and two differences before, which
    leaves the noise as it is; the differences are shrunk at half and quarter size as well, where
    noise coarser than a block, which shows as blotches of colour, can be told.

    Cameras blur and compress their noise, so that little is measured in a JPEG: say `noise` there.

    Args:
        image: (b, 1|3, h, w), values in [0, 1], float32 or float64, at least 8×8 pixels.
        noise: Standard deviation of the noise, 0 to 1 (0.1 is strong, 25 of 255); measured in each
            image where None.
        stride: One of so many blocks is looked at, 1 to 8; of the colour differences one of twice
            as many, up to 8. 1 takes three times as long as 4 and is 0.05 dB better.

    Raises:
        BadImage: If it is no batch of images, smaller than a block, or of another floating type.
        BadParameter: If noise or stride is out of its range.

    References:
        G. Yu and G. Sapiro, "DCT image denoising: a simple and effective image denoising
        algorithm", Image Processing On Line 1, 2011. doi:10.5201/ipol.2011.ys-dct
    """
    transformable(check.image(image, "denoise", at_least=SIDE), "denoise")
    check.between(0 if noise is None else noise, 0, 1, "denoise", "noise")
    check.between(stride, 1, SIDE, "denoise", "stride")
    axes = basis(image.shape[1], image)
    strides = (stride, *[min(2 * stride, SIDE)] * 2)  # colours are smooth: 0.02 dB
    made = torch.zeros_like(image, memory_format=torch.contiguous_format)
    for i, one in enumerate(image):
        level = float(deviations(one, axes).min()) if noise is None else noise
        for k, axis in enumerate(axes):  # one at a time, since planes may be large
            plane = torch.tensordot(axis, one, 1)
            if k:
                plane = calmed(plane, level, strides[k])
            clean = shrunk(plane, level, strides[k])
            for channel, weight in enumerate(axis.tolist()):
                made[i, channel].add_(clean, alpha=weight)
    return made.clamp_(0, 1)
