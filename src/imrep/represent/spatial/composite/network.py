"""A backbone with two heads: one field for each joint, one for each edge."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from imrep import networks
from imrep.errors import BadParameter
from imrep.networks import Built, Request
from imrep.represent.spatial.composite.heads import CompositeHead
from imrep.represent.spatial.composite.shufflenet import SHAPES, ShuffleNetV2K
from imrep.represent.spatial.composite.skeleton import Skeleton
from imrep.weights import seeded

MEAN: tuple[float, ...] = (0.485, 0.456, 0.406)  # of ImageNet's red, green and blue
STD: tuple[float, ...] = (0.229, 0.224, 0.225)

_PROBE_PX = 257  # side of the image that a backbone's stride is measured with
_PRIOR = 0.01  # confidence of random heads: most cells are background


@dataclass(frozen=True)
class Cells:
    """Where the cells of the fields lie in an image.

    Args:
        base_stride: Pixels per cell of the feature maps.
        upsample: Cells of the fields per cell of the feature maps, along either axis.
        margin: Pixels that the last of n cells of the feature maps needs after the
            (n - 1) × stride before it: 1, or the stride in networks of patches.
    """

    base_stride: int
    upsample: int
    margin: int = 1

    @property
    def stride(self) -> int:
        """Pixels per cell of the fields."""
        return self.base_stride // self.upsample

    def complete(self, length: int) -> tuple[int, int]:
        """Rows of the fields of an image, and the rows of pixels that give these.

        Cells lie `stride` pixels apart from pixel 0 to the last pixel or beyond; there are at least
        three of the feature maps, since some backbones read no smaller images.
        """
        cells = max(2, math.ceil((length - 1) / self.base_stride))
        return cells * self.upsample + 1, cells * self.base_stride + self.margin


class CompositeNetwork(nn.Module):
    """The modules under the names of OpenPifPaf's checkpoints.

    Args:
        base_net: From images to feature maps.
        channels: Of the feature maps.
        skeleton: Joints and edges.
        cells: Of the feature maps and the fields.
    """

    def __init__(
        self, base_net: nn.Module, channels: int, skeleton: Skeleton, cells: Cells
    ) -> None:
        super().__init__()
        self.base_net, self.cells = base_net, cells
        joints, edges = len(skeleton.joints), len(skeleton.edges)
        self.head_nets = nn.ModuleList(
            [
                CompositeHead(channels, joints, 1, cells.upsample),
                CompositeHead(channels, edges, 2, cells.upsample),
            ]
        )
        with torch.no_grad():
            for head in self.head_nets:
                assert isinstance(head, CompositeHead)
                bias = head.conv.bias
                assert bias is not None
                bias.view(head.fields, 2 + 3 * head.ends, -1)[:, 1] = math.log(_PRIOR)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Normalised images (b, 3, H, W) to the raw outputs of both heads."""
        features = self.base_net(x)
        intensity, association = self.head_nets
        return intensity(features), association(features)


class Truncated(nn.Module):
    """A backbone of timm or torchvision up to one of its stages."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x)[0]


def build(
    request: Request, skeleton: Skeleton, upsample: int
) -> tuple[CompositeNetwork, tuple[float, ...], tuple[float, ...]]:
    """The network, and mean and standard deviation of the images that it reads.

    Args:
        request: Of the backbone; its weights are "random" or "published".
        skeleton: Joints and edges.
        upsample: Cells of the fields per cell of the feature maps.

    Raises:
        BadParameter: If there is no such backbone, it gives no maps of images of any size, or its
            stride is no multiple of `upsample`.
        WeightsNeeded: If its published weights are not available.
    """
    base: ShuffleNetV2K | Truncated
    if request.arch in SHAPES:
        base = seeded(lambda: ShuffleNetV2K(request.arch))
        channels, stride, margin, mean, std = base.channels, base.stride, 1, MEAN, STD
    else:
        built = networks.build(request)
        channels, stride, margin = _measured(built, request)
        base, mean, std = Truncated(built.network), tuple(built.mean), tuple(built.std)
    _check_stride(request, stride, upsample)
    cells = Cells(stride, upsample, margin)
    return seeded(lambda: CompositeNetwork(base, channels, skeleton, cells)), mean, std


def _measured(built: Built, request: Request) -> tuple[int, int, int]:
    """Channels, stride and margin of a backbone."""
    if built.fixed or built.gray:
        reads = "images of one size" if built.fixed else "gray images"
        raise BadParameter(
            f"{request.caller} needs a backbone that reads colour images of any size, got "
            f"{request.arch}, which reads {reads}. Use another arch."
        )
    with torch.no_grad():
        maps = built.network.eval()(torch.zeros(1, 3, _PROBE_PX, _PROBE_PX))[0]
    stride = 2 ** round(math.log2(_PROBE_PX / maps.shape[2]))
    return maps.shape[1], stride, 1 if maps.shape[2] == (_PROBE_PX - 1) // stride + 1 else stride


def _check_stride(request: Request, stride: int, upsample: int) -> None:
    if stride % upsample:
        raise BadParameter(
            f"{request.caller} needs upsample to divide the stride of {request.arch}, {stride}, "
            f"got {upsample}. Try {'2' if stride > 1 else '1'}."
        )
