"""Auxiliary classifiers of GoogLeNet and Inception v3, which only their training uses.

They read maps in the middle of the network, so that its first layers have a shorter way to a loss.

References:
    C. Szegedy et al., "Going deeper with convolutions", CVPR 2015. doi:10.1109/CVPR.2015.7298594

    C. Szegedy, V. Vanhoucke, S. Ioffe, J. Shlens and Z. Wojna, "Rethinking the Inception
    architecture for computer vision", CVPR 2016. doi:10.1109/CVPR.2016.308
"""

from collections.abc import Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from imrep.weights import seeded

WEIGHT = 0.3  # of each auxiliary loss in the total, by the first paper
_TAPS = {"googlenet": ("inception4a", "inception4d"), "inception_v3": ("Mixed_6e",)}
_CHANNELS = {"googlenet": (512, 528), "inception_v3": (768,)}
_INCEPTION_MAP = 17  # rows and columns that Inception's classifier reads, of images of 299 pixels


class _AtLeast(nn.Module):
    """Maps (b, c, h, w) of no fewer rows and columns than `side`: smaller ones are enlarged."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side

    def forward(self, x: Tensor) -> Tensor:
        """The map itself where it is large enough."""
        height, width = (max(self.side, size) for size in x.shape[2:])
        return F.adaptive_avg_pool2d(x, (height, width)) if (height, width) != x.shape[2:] else x


def taps(arch: str) -> tuple[str, ...]:
    """The modules whose maps the auxiliary classifiers of a network read."""
    return _TAPS.get(_family(arch), ())


def classifiers(arch: str, classes: int) -> list[nn.Module]:
    """One for each of `taps`, with seeded random weights; its output is the logits (b, classes).

    That of Inception v3 is made for images of 299 pixels; the maps of smaller ones are enlarged.
    """
    family = _family(arch)
    if family == "googlenet":
        from torchvision.models.googlenet import InceptionAux
    else:
        from timm.models.inception_v3 import InceptionAux
    heads: list[nn.Module] = [
        seeded(partial(InceptionAux, channels, classes)) for channels in _CHANNELS.get(family, ())
    ]
    if family == "googlenet":
        return heads
    return [nn.Sequential(_AtLeast(_INCEPTION_MAP), head) for head in heads]


def reached(network: nn.Module, image: Tensor, layers: Sequence[str], arch: str) -> list[str]:
    """Those of `taps` that run before the last of some layers does.

    Args:
        network: In evaluation mode.
        image: (1, c, h, w), that it can read.
        layers: Names of its modules; others count as the end.
        arch: Its name.
    """
    order: list[str] = []

    def record(name: str, *_: object) -> None:
        order.append(name)

    modules = dict(network.named_modules())
    names = [name for name in (*taps(arch), *layers) if name in modules]
    handles = [modules[name].register_forward_hook(partial(record, name)) for name in names]
    try:
        with torch.no_grad():
            network(image)
    finally:
        for handle in handles:
            handle.remove()
    if any(name not in modules for name in layers):
        return list(taps(arch))
    last = max(len(order) - order[::-1].index(name) for name in layers)
    return [tap for tap in taps(arch) if tap in order[:last]]


def _family(arch: str) -> str:
    return arch.rpartition("/")[2].partition(".")[0]
