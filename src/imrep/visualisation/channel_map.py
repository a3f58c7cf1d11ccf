"""The picture of a code, or one of its maps over the image."""

import torch

from imrep.base import Representation
from imrep.drawing import heat
from imrep.types import Image, Picture
from imrep.visualisation.maps import check_channel, maps


def picture(
    rep: Representation, image: Image, channel: int | None, label: object = None
) -> Picture:
    """The representation's own picture; of a channel, its map as heat over the image."""
    with torch.no_grad():
        code = rep.encode(image)
        if channel is None:
            return rep.picture(code, image)
        values = maps(rep, code)
        check_channel(channel, values, rep)
        return heat(values[:, channel : channel + 1], image)
