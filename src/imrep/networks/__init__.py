"""Networks by the names that timm and torchvision know them by, with their weights or refused.

`build` gives a module whose output is a list: the map of one stage, (batch, channel, height,
width), and, where the network itself pools, the vector (batch, dim) it made.
"""

import difflib

from imrep.errors import BadParameter
from imrep.networks import lenet, timm_networks, torchvision_networks
from imrep.networks.built import Built, Request

__all__ = ["Built", "Request", "build"]


def build(request: Request) -> Built:
    """The network, in evaluation mode, every number of it seeded or from its file.

    Raises:
        BadParameter: If nothing has that name, the stage or the pooling does not exist, or the
            weights are another network's.
        WeightsNeeded: If the weights are not at hand.
    """
    if request.arch == lenet.NAME:
        return lenet.build(request)
    import timm

    if timm.is_model(request.arch):
        return timm_networks.build(request)
    others = torchvision_networks.names()
    if request.arch in others:
        return torchvision_networks.build(request)
    near = difflib.get_close_matches(request.arch, [*timm.list_models(), *others, lenet.NAME], n=1)
    hint = f" Did you mean {near[0]!r}?" if near else " timm.list_models() shows its own."
    raise BadParameter(
        f"{request.who} needs arch to be a network of timm or torchvision, "
        f"got {request.arch!r}.{hint}"
    )
