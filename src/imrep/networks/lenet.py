"""LeNet-5 as in figure 2 of LeCun et al. 1998, its third layer fully connected."""

from collections import OrderedDict

import torch
from torch import nn

from imrep.networks.built import Built, Request, Stages, check_stage
from imrep.weights import seeded, strict
from imrep.weights.names import unwrap

NAME = "lenet5"
_SIDE = 32
_HEAD = ("f6", "output")  # which wait unused


def build(request: Request) -> Built:
    """The network up to its fifth layer.

    Raises:
        BadParameter: If the stage or the pooling does not exist, the size is another, or the
            weights are another network's.
        WeightsNeeded: If the weights are not at hand.
    """
    if request.pooling != "mean":
        raise request.no_pooling("it ends in a map of one pixel")
    if request.side not in (None, _SIDE):
        raise request.no_side(f"it reads images of {_SIDE}×{_SIDE} alone", _SIDE)
    whole = seeded(_network)
    network = Stages(whole, ("c1", "s2", "c3", "s4", "c5"), request.layer)
    check_stage(network, torch.zeros(1, 1, _SIDE, _SIDE), request)
    if found := request.checkpoint():
        own = whole.state_dict()
        state = unwrap(found.state, own)
        whole.load_state_dict(strict.fit(state, own, NAME, request.who, head=_HEAD), strict=False)
    return Built(network, _SIDE, fixed=True, gray=True, mean=(0.5,), std=(0.5,))


def _network() -> nn.Sequential:
    """Squashed by tanh, averaged by 2."""
    return nn.Sequential(
        OrderedDict(
            c1=nn.Sequential(nn.Conv2d(1, 6, 5), nn.Tanh()),
            s2=nn.AvgPool2d(2),
            c3=nn.Sequential(nn.Conv2d(6, 16, 5), nn.Tanh()),
            s4=nn.AvgPool2d(2),
            c5=nn.Sequential(nn.Conv2d(16, 120, 5), nn.Tanh()),
            f6=nn.Linear(120, 84),
            output=nn.Linear(84, 10),
        )
    )
