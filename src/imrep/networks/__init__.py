"""Networks of timm and torchvision by name, with their weights.

`build` gives a module whose output is a list: the feature maps of its layers, (batch, channel,
height, width), and, where the network itself pools, its vector (batch, dim). `complete` gives the
network with its classifier, for those who look inside it; `layers.gather` its layers' outputs.
"""

import difflib
from dataclasses import replace
from typing import Any

from imrep.errors import BadParameter
from imrep.networks import layers, lenet, timm_networks, torchvision_networks
from imrep.networks.built import TORCHVISION, Built, Request

__all__ = ["Built", "Request", "build", "complete", "layers"]


def build(request: Request) -> Built:
    """The network, in evaluation mode, with seeded random weights or those of a file.

    Raises:
        BadParameter: If nothing has that name, the stage or the pooling does not exist, or the
            weights are another network's.
        WeightsNeeded: If the weights are not available.
    """
    source, request = _source(request)
    return source.build(request)


def complete(request: Request) -> Built:
    """The network with its classifier, of one number per class: its output is the logits (b, n).

    In evaluation mode and with gradients. `layer` and `pooling` of the request are not read.

    Raises:
        BadParameter: If nothing has that name, or the weights are another network's.
        WeightsNeeded: If the weights are not available.
    """
    source, request = _source(request)
    return source.complete(request)


def _source(request: Request) -> tuple[Any, Request]:
    """The module that builds networks of that name, and the request under the name it has there."""
    if request.arch == lenet.NAME:
        return lenet, request
    import timm

    own = replace(request, arch=request.arch.removeprefix(TORCHVISION))
    if timm.is_model(request.arch):
        return timm_networks, request
    torchvision_names = torchvision_networks.names()
    if own.arch in torchvision_names:
        return torchvision_networks, own
    names = [*timm.list_models(), *torchvision_names, lenet.NAME]
    similar = difflib.get_close_matches(request.arch, names, n=1)
    hint = f" Did you mean {similar[0]!r}?" if similar else " timm.list_models() shows its own."
    raise BadParameter(
        f"{request.caller} needs arch to be a network of timm or torchvision, "
        f"got {request.arch!r}.{hint}"
    )
