"""Networks of timm and torchvision by name, with their weights.

`build` gives a module whose output is a list: the feature maps of its layers, (batch, channel,
height, width), and, where the network itself pools, its vector (batch, dim). `complete` gives the
network with its classifier, for those who look inside it; `layers.gather` its layers' outputs.
"""

import difflib
from typing import Any

from imrep.errors import BadParameter
from imrep.networks import layers, lenet, timm_networks, torchvision_networks
from imrep.networks.built import Built, Request

__all__ = ["Built", "Request", "build", "complete", "layers"]


def build(request: Request) -> Built:
    """The network, in evaluation mode, with seeded random weights or those of a file.

    Raises:
        BadParameter: If nothing has that name, the stage or the pooling does not exist, or the
            weights are another network's.
        WeightsNeeded: If the weights are not available.
    """
    return _source(request).build(request)


def complete(request: Request) -> Built:
    """The network with its classifier, of one number per class: its output is the logits (b, n).

    In evaluation mode and with gradients. `layer` and `pooling` of the request are not read.

    Raises:
        BadParameter: If nothing has that name, or the weights are another network's.
        WeightsNeeded: If the weights are not available.
    """
    return _source(request).complete(request)


def _source(request: Request) -> Any:
    """The module that builds networks of that name."""
    if request.arch == lenet.NAME:
        return lenet
    import timm

    if timm.is_model(request.arch):
        return timm_networks
    torchvision_names = torchvision_networks.names()
    if request.arch in torchvision_names:
        return torchvision_networks
    names = [*timm.list_models(), *torchvision_names, lenet.NAME]
    similar = difflib.get_close_matches(request.arch, names, n=1)
    hint = f" Did you mean {similar[0]!r}?" if similar else " timm.list_models() shows its own."
    raise BadParameter(
        f"{request.caller} needs arch to be a network of timm or torchvision, "
        f"got {request.arch!r}.{hint}"
    )
