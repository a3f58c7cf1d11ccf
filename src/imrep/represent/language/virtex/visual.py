"""The visual backbone: a network, usually a residual one, up to its last map.

K. He, X. Zhang, S. Ren and J. Sun, "Deep residual learning for image recognition", CVPR 2016.
doi:10.1109/CVPR.2016.90
"""

from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from imrep import networks
from imrep.networks import inputs

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet
OF_TORCHVISION = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "resnext50_32x4d",
          "resnext101_32x8d", "wide_resnet50_2", "wide_resnet101_2")  # fmt: skip
_SMALL = {f"resnet{6 * n + 2}": n for n in (1, 2, 3, 5, 9)}  # blocks a stage
_PROBE_SIDE = 64  # pixels, of an image that shows how many channels there are
_WIDTHS = (16, 32, 64)  # channels of the small networks' stages


class VisualBackbone(nn.Module):
    """Feature maps of a network by its name.

    Args:
        arch: One of torchvision's residual networks; one of He et al.'s for small images
            (their section 4.2), of 6n + 2 layers and stride 4: resnet8, 14, 20, 32, 56; or another
            network of timm or torchvision.
        caller: The name that messages start with.

    Raises:
        BadParameter: There is no such network, or it gives no maps.
    """

    def __init__(self, arch: str, caller: str = "virtex") -> None:
        super().__init__()
        self._serial = False
        self.is_residual = arch in OF_TORCHVISION
        if arch in _SMALL:
            self.cnn = _of_small_images(_SMALL[arch])
        elif self.is_residual:
            self.cnn = _of_torchvision(arch)
        else:
            request = networks.Request(arch, "random", -1, None, "mean", caller)
            built = networks.build(request)
            self.cnn, self._serial = built.network, built.serial
            block: Any
            for block in self.cnn.modules():  # residual branches begin at zero, to be trained
                if hasattr(block, "zero_init_last"):
                    block.zero_init_last()

    @cached_property
    def channels(self) -> int:
        """Channels of the map."""
        return self._shape(_PROBE_SIDE)[0]

    def grid(self, side: int) -> int:
        """Height and width of the map of a square image."""
        return self._shape(side)[1]

    def _shape(self, side: int) -> tuple[int, int]:
        parameter = next(self.parameters())
        mode = self.training
        self.eval()  # nothing is learned of this image
        try:
            with torch.no_grad():
                maps = self(torch.zeros(1, 3, side, side).to(parameter))
        finally:
            self.train(mode)
        return maps.shape[1], maps.shape[2]

    def forward(self, image: Tensor) -> Tensor:
        """(b, channels, h, w) of standardised images (b, 3, height, width)."""
        if not self.is_residual:
            with inputs.exclusive(self._serial):
                maps = self.cnn(image)
            return maps[-1] if isinstance(maps, list) else maps
        network: Any = self.cnn
        x = network.maxpool(network.relu(network.bn1(network.conv1(image))))
        for stage in (network.layer1, network.layer2, network.layer3, network.layer4):
            x = stage(x)
        return x


def detectron2(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of torchvision's residual network under the names of Detectron2's."""
    return {_of_detectron2(name): tensor for name, tensor in state.items()}


def _of_small_images(blocks: int) -> nn.Module:
    from torchvision.models.resnet import BasicBlock

    width = _WIDTHS[0]
    layers: list[nn.Module] = [
        nn.Conv2d(3, width, 3, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
    ]
    for channels in _WIDTHS:
        for _ in range(blocks):
            shortcut = None
            if channels != width:
                projection = nn.Conv2d(width, channels, 1, 2, bias=False)
                shortcut = nn.Sequential(projection, nn.BatchNorm2d(channels))
            # torchvision's blocks take any width, its networks only theirs.
            layers.append(BasicBlock(width, channels, 1 if shortcut is None else 2, shortcut))
            width = channels
    network = nn.Sequential(*layers)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return network


def _of_torchvision(arch: str) -> nn.Module:
    from torchvision import models

    network: Any = models.get_model(arch, weights=None, zero_init_residual=True)
    network.avgpool = network.fc = nn.Identity()
    return network


def _of_detectron2(name: str) -> str:
    stage, _, inner = name.partition(".")
    if stage.startswith("layer"):
        stage = f"res{int(stage.removeprefix('layer')) + 1}"
    else:
        stage, inner = "stem", name
    inner = inner.replace("downsample.0", "shortcut").replace("downsample.1", "shortcut.norm")
    for number in "123":
        inner = inner.replace(f"bn{number}", f"conv{number}.norm")
    return f"{stage}.{inner}"
