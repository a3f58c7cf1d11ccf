"""LeNet-5 as in figure 2 of LeCun et al. 1998, its third layer fully connected."""

from collections import OrderedDict

import torch
from torch import nn

from imrep.networks.built import Built, Request, Stages, check_stage
from imrep.networks.layers import PENULTIMATE
from imrep.weights import seeded, strict
from imrep.weights.names import unwrap

NAME = "lenet5"
_INPUT = 32  # pixels
_STAGES = ("c1", "s2", "c3", "s4", "c5")
_HEAD = ("f6", "output")  # layers of the paper behind its maps


def build(request: Request) -> Built:
    """The network up to the requested layer.

    Raises:
        BadParameter: If the stage or the pooling does not exist, the size is another, or the
            weights are another network's.
        WeightsNeeded: If the weights are not available.
    """
    if request.pooling != "mean":
        raise request.no_pooling("it ends in a map of one pixel")
    if request.side not in (None, _INPUT):
        raise request.no_side(f"it reads images of {_INPUT}×{_INPUT} alone", _INPUT)
    lenet, image = seeded(_lenet), torch.zeros(1, 1, _INPUT, _INPUT)
    network: nn.Module
    if request.named_layers:
        network = request.layers_of(lenet.eval(), _STAGES, _HEAD[-1], image)
    else:
        network = Stages(lenet, _STAGES, request.stage)
        check_stage(network, image, request)
    _load(lenet, request, () if set(request.named_layers) & {_HEAD[0], PENULTIMATE} else _HEAD)
    return _built(network)


def complete(request: Request) -> Built:
    """All seven layers.

    Raises:
        BadParameter: If the weights are another network's.
        WeightsNeeded: If the weights are not available.
    """
    lenet = seeded(_lenet).eval()
    _load(lenet, request, ())
    return _built(lenet)


def _load(lenet: nn.Module, request: Request, head: tuple[str, ...]) -> None:
    if weights := request.checkpoint():
        own = lenet.state_dict()
        state = unwrap(weights.state, own)
        state = strict.fit(state, own, NAME, request.caller, head=head)
        lenet.load_state_dict(state, strict=False)


def _built(network: nn.Module) -> Built:
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
            flatten=nn.Flatten(),
            f6=nn.Linear(120, 84),
            squash=nn.Tanh(),
            output=nn.Linear(84, 10),
        )
    )
