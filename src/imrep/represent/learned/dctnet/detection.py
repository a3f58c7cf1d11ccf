"""A network that reads frequencies as the backbone of torchvision's detectors.

Xu et al. 2020, section 4.3: Faster R-CNN and Mask R-CNN whose feature pyramid stands on the stages
of the network. The detector resizes images, and the coefficients are those of the resized ones.

References:
    T.-Y. Lin, P. Dollár, R. Girshick, K. He, B. Hariharan and S. Belongie, "Feature pyramid
    networks for object detection", CVPR 2017. doi:10.1109/CVPR.2017.106
"""

from collections import OrderedDict
from typing import TYPE_CHECKING

from torch import Tensor, nn

from imrep import checks
from imrep.types import Image

if TYPE_CHECKING:
    from torchvision.models.detection import FasterRCNN

    from imrep.represent.learned.dctnet import DCTNet

_CALLER = "dctnet's detector"
_SMALLEST_ANCHOR = 32  # pixels; each level of the pyramid has anchors of twice the size
_RATIOS = (0.5, 1.0, 2.0)
_MAX_CLASSES = 100_000


class FrequencyPyramid(nn.Module):
    """A feature pyramid on the stages of a `dctnet`, as torchvision's detectors take a backbone.

    Args:
        rep: The network, whose weights it shares. Its gate, if it has one, stays as it learned to
            be.
        channels: Of every level.
        batch_statistics: Whether batch normalisation reads the batch in training; else it uses what
            is stored, as is usual where a batch is a few images and the weights are trained.
    """

    def __init__(
        self, rep: "DCTNet", *, channels: int = 256, batch_statistics: bool = False
    ) -> None:
        from torchvision.ops import FeaturePyramidNetwork
        from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

        super().__init__()
        self.rep, self.out_channels, self.batch_statistics = rep, channels, batch_statistics
        self.fpn = FeaturePyramidNetwork(list(rep.widths), channels, LastLevelMaxPool())
        self.train(self.training)

    @property
    def levels(self) -> int:
        """Number of maps."""
        return len(self.rep.widths) + 1

    def forward(self, image: Image) -> "OrderedDict[str, Tensor]":
        """The levels, (b, channels, h, w) each, of images (b, 3, H, W) in [0, 1]."""
        coefficients = self.rep.normalised(self.rep.frequencies.of_pixels(image))
        maps = self.rep.stages(coefficients)
        return self.fpn(OrderedDict((str(i), values) for i, values in enumerate(maps)))

    def train(self, mode: bool = True) -> "FrequencyPyramid":
        """In training mode the weights have gradients."""
        super().train(mode)
        self.rep.network.train(mode and self.batch_statistics)
        return self


def faster_rcnn(
    rep: "DCTNet",
    classes: int,
    *,
    side: int = 800,
    max_side: int = 1333,
    channels: int = 256,
    batch_statistics: bool = False,
) -> "FasterRCNN":
    """Faster R-CNN, untrained but for the network that it stands on.

    Args:
        rep: The network.
        classes: Number of classes, with the background, which is class 0.
        side: Short side that images are resized to, in pixels.
        max_side: Largest long side, in pixels.
        channels: Of the pyramid's levels.
        batch_statistics: As in `FrequencyPyramid`.

    Raises:
        BadParameter: A number is out of its range.

    Example:
        >>> import torch, imrep
        >>> from imrep.represent.learned.dctnet.detection import faster_rcnn
        >>> net = imrep.get("dctnet:arch=test_resnet,weights=random")
        >>> detector = faster_rcnn(net, classes=3, side=64, channels=16).eval()
        >>> sorted(detector([torch.rand(3, 64, 80)])[0])
        ['boxes', 'labels', 'scores']
    """
    from torchvision.models.detection import FasterRCNN
    from torchvision.models.detection.anchor_utils import AnchorGenerator

    checks.integer(classes, 2, _MAX_CLASSES, _CALLER, "classes")
    checks.integer(side, 8, checks.MAX_SIDE, _CALLER, "side")
    checks.integer(max_side, side, checks.MAX_SIDE, _CALLER, "max_side")
    checks.integer(channels, 1, 4096, _CALLER, "channels")
    pyramid = FrequencyPyramid(rep, channels=channels, batch_statistics=batch_statistics)
    sizes = tuple((_SMALLEST_ANCHOR << level,) for level in range(pyramid.levels))
    return FasterRCNN(
        pyramid,
        classes,
        min_size=side,
        max_size=max_side,
        image_mean=[0.0, 0.0, 0.0],  # the coefficients are normalised, not the pixels
        image_std=[1.0, 1.0, 1.0],
        rpn_anchor_generator=AnchorGenerator(sizes, (_RATIOS,) * len(sizes)),
    )
