"""The maps of a code, one a channel, and the position at which one of them is strongest."""

import torch
from torch import Tensor

from imrep import checks
from imrep.base import Representation
from imrep.codes import Code, Map, Tokens, Vector
from imrep.errors import BadParameter
from imrep.types import Image


def maps(rep: Representation, code: Code) -> Tensor:
    """The channels of a code as maps, (b, c, h, w); a vector is maps of one position.

    Raises:
        BadParameter: If the code is of another kind.
    """
    if isinstance(code, Map):
        return code.values
    if isinstance(code, Tokens):
        return code.patches.mT.unflatten(2, code.grid)
    if isinstance(code, Vector):
        return code.values[..., None, None]
    raise BadParameter(
        f"picture needs a code of maps, tokens or a vector, got {type(code).__name__} of "
        f"{rep.spec}. Use method=code without a channel."
    )


def differentiable_maps(rep: Representation, image: Image) -> tuple[Tensor, Tensor]:
    """The image as a leaf that takes a gradient, and its maps as a function of it.

    Raises:
        BadParameter: If no gradient reaches the image, or the code has no maps.
    """
    if not rep.differentiable:
        raise BadParameter(
            f"picture needs a representation whose gradient reaches the image, got {rep.spec}. "
            "Use method=code; `imrep list` marks the differentiable ones."
        )
    leaf = image.detach().clone().requires_grad_()
    with torch.enable_grad():
        return leaf, maps(rep, rep.encode(leaf))


def check_channel(channel: int, values: Tensor, rep: Representation) -> None:
    """Refuse a channel that the maps do not have.

    Raises:
        BadParameter: Naming the last channel.
    """
    checks.integer(channel, 0, values.shape[1] - 1, rep.name, "channel")


def strongest(values: Tensor) -> Tensor:
    """Ones at the maximum of each map and zeros elsewhere, (b, c, h, w)."""
    flat = values.detach().flatten(2)
    peak = torch.zeros_like(flat).scatter(2, flat.argmax(2, keepdim=True), 1.0)
    return peak.reshape(values.shape)
