"""Networks of timm and torchvision by name, with their weights.

`build` gives a module whose output is a list: the feature map of a stage, (batch, channel, height,
width), and, where the network itself pools, its vector (batch, dim).
"""

import difflib

from imrep.errors import BadParameter
from imrep.networks import lenet, timm_networks, torchvision_networks
from imrep.networks.built import Built, Request

__all__ = ["Built", "Request", "build"]


def build(request: Request) -> Built:
    """The network, in evaluation mode, with seeded random weights or those of a file.

    Raises:
        BadParameter: If nothing has that name, the stage or the pooling does not exist, or the
            weights are another network's.
        WeightsNeeded: If the weights are not available.
    """
    if request.arch == lenet.NAME:
        return lenet.build(request)
    import timm

    if timm.is_model(request.arch):
        return timm_networks.build(request)
    torchvision_names = torchvision_networks.names()
    if request.arch in torchvision_names:
        return torchvision_networks.build(request)
    names = [*timm.list_models(), *torchvision_names, lenet.NAME]
    similar = difflib.get_close_matches(request.arch, names, n=1)
    hint = f" Did you mean {similar[0]!r}?" if similar else " timm.list_models() shows its own."
    raise BadParameter(
        f"{request.caller} needs arch to be a network of timm or torchvision, "
        f"got {request.arch!r}.{hint}"
    )
