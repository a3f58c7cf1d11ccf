"""LeNet-5 as in figure 2 of LeCun et al. 1998, its third layer fully connected."""

from collections import OrderedDict

import torch
from torch import nn

from imrep.networks.built import Built, Request, Stages, check_stage
from imrep.weights import seeded, strict
from imrep.weights.names import unwrap

NAME = "lenet5"
_INPUT = 32  # pixels
_HEAD = ("f6", "output")  # unused layers of the paper


def build(request: Request) -> Built:
    """The network up to its fifth layer.

    Raises:
        BadParameter: If the stage or the pooling does not exist, the size is another, or the
            weights are another network's.
        WeightsNeeded: If the weights are not available.
    """
    if request.pooling != "mean":
        raise request.no_pooling("it ends in a map of one pixel")
    if request.side not in (None, _INPUT):
        raise request.no_side(f"it reads images of {_INPUT}×{_INPUT} alone", _INPUT)
    lenet = seeded(_lenet)
    network = Stages(lenet, ("c1", "s2", "c3", "s4", "c5"), request.layer)
    check_stage(network, torch.zeros(1, 1, _INPUT, _INPUT), request)
    if weights := request.checkpoint():
        own = lenet.state_dict()
        state = unwrap(weights.state, own)
        state = strict.fit(state, own, NAME, request.caller, head=_HEAD)
        lenet.load_state_dict(state, strict=False)
    return Built(network, _INPUT, fixed=True, gray=True, mean=(0.5,), std=(0.5,))


def _lenet() -> nn.Sequential:
    """Convolutions with tanh, average pooling by 2."""
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
