"""Random changes of images in `fit`: mirrored and shifted, but without noise.

White noise has as much power at high frequencies as at low ones, and so exceeds by far what
photographs have there, to which these channels are normalised.
"""

import torch
import torch.nn.functional as F

from imrep.types import Image

_SHIFT = 1 / 8  # of the side


def mirrored_and_shifted(image: Image) -> Image:
    """Half of the images mirrored, and all shifted by one random vector, borders mirrored.

    Args:
        image: (b, c, h, w); torch's global generator decides.
    """
    flips = torch.rand(len(image), 1, 1, 1) < 0.5
    image = torch.where(flips.to(image.device), image.flip(3), image)
    height, width = image.shape[2:]
    down, right = (min(int(_SHIFT * n), n - 1) for n in (height, width))
    top, left = (int(torch.randint(2 * n + 1, ())) for n in (down, right))
    large = F.pad(image, (right, right, down, down), mode="reflect")
    return large[:, :, top : top + height, left : left + width]
