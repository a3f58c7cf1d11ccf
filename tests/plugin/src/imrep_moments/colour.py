"""Mean, deviation and skewness of each channel."""

import torch
from torch import Tensor

from imrep import checks
from imrep.base import Representation
from imrep.codes import Vector
from imrep.registry.cards import Card
from imrep.types import Image


class Moments(Representation[Vector]):
    """Mean, standard deviation and cube root of the third moment of each channel.

    Three numbers a channel say nearly as much about an image's colours as a histogram does.

    Args:
        skew: Whether the third moment is among them.

    References:
        M. Stricker and M. Orengo, "Similarity of color images", Storage and Retrieval for Image
        and Video Databases III, 1995. doi:10.1117/12.205308
    """

    card = Card(
        title="Colour moments",
        family="statistics",
        cite="Stricker & Orengo 1995, doi:10.1117/12.205308",
    )

    def __init__(self, *, skew: bool = True) -> None:
        super().__init__()
        self.skew = skew

    def encode(self, image: Image) -> Vector:
        """The moments, (batch, channel × 3), moment by moment."""
        checks.image(image, self.name)
        mean = image.mean((2, 3), keepdim=True)
        centred = image - mean
        moments = [mean.flatten(1), _root(centred.square().mean((2, 3)), 2)]
        if self.skew:
            moments.append(_root(centred.pow(3).mean((2, 3)), 3))
        return Vector(torch.cat(moments, dim=1))


def _root(x: Tensor, degree: int) -> Tensor:
    """A root that keeps the sign; its slope is finite at zero, where a flat image lies."""
    return x.sign() * ((x.abs() + 1e-12) ** (1 / degree) - 1e-12 ** (1 / degree))
