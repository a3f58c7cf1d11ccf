"""IkshanaNet: glances at a scene, scale by scale, each of everything seen before it.

A glance is three 3 × 3 convolutions of 32 channels with batch normalisation and rectifiers. It
reads the image and the maps of all glances before it, and its dilation differs from theirs. What
the glances of a scale have gathered is the gist of the scene at that scale; 1 × 1 convolutions
turn it into class scores, which are fused over the scales.

References:
    V. S. S. A. Daliparthi, "The Ikshana hypothesis of human scene understanding", 2021.
    arXiv:2101.10837
"""

import itertools
import re
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CHANNELS = 32  # of a glance
MAIN = "main"
IMAGE = 3  # channels, which lead every concatenation
_DILATIONS = (1, 2, 3)  # in turn, counted through all glances
_NAME = re.compile(r"(?:([1-9])S-)?([1-9]\d?)G")
_SCALES = 3  # of the main network, and of a variant that names none


class Layout(NamedTuple):
    """What a variant's name says.

    Args:
        scales: Each half as high and wide as the one before.
        glances: At every scale.
        main: Whether it has projections, and sees the image again at every scale.
    """

    scales: int
    glances: int
    main: bool = False


def layout(variant: str) -> Layout | None:
    """Scales and glances of "main", "kS-nG" or "nG"; None for any other name."""
    if variant == MAIN:
        return Layout(_SCALES, 3, main=True)
    match = _NAME.fullmatch(variant)
    return Layout(int(match[1] or _SCALES), int(match[2])) if match else None


class Glance(nn.Module):
    """A glance as the variants name its tensors."""

    def __init__(self, inputs: int, dilation: int) -> None:
        super().__init__()
        self.conv_main = convolutions(inputs, CHANNELS, dilation)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv_main(x)


class Main(nn.Module):
    """The main network: at every scale three glances, a projection and a side output.

    Args:
        classes: Channels of the output.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.layout = Layout(_SCALES, 3, main=True)
        dilations, gathered = itertools.cycle(_DILATIONS), 0
        for s in range(1, _SCALES + 1):
            for n in (1, 2, 3):
                inputs = IMAGE + gathered + (n - 1) * CHANNELS
                self.add_module(f"conv{s}{n}", convolutions(inputs, CHANNELS, next(dilations)))
            gathered += 3 * CHANNELS
            self.add_module(f"conv{s}4", convolutions(gathered, gathered, 1))
            self.add_module(f"side{s}1", _side_output(gathered, classes))
        self.out = nn.Sequential(nn.Conv2d(_SCALES * classes, classes, 1, bias=False))

    def gists(self, image: Tensor) -> list[list[Tensor]]:
        """Maps (b, 32, h, w) of each glance, scale by scale, of a normalised image."""
        return self._run(image, scored=False)[0]

    def forward(self, image: Tensor) -> Tensor:
        """Class scores (b, classes, h, w) of a normalised image (b, 3, h, w)."""
        first, second, third = self._run(image, scored=True)[1]
        fused = torch.cat([_resized(third, second), second], 1)
        return self.out(torch.cat([_resized(fused, first), first], 1))

    def _run(self, image: Tensor, scored: bool) -> tuple[list[list[Tensor]], list[Tensor]]:
        """The glances' maps and, if `scored`, the side outputs."""
        x, gists, sides = image, list[list[Tensor]](), list[Tensor]()
        for s in range(1, _SCALES + 1):
            maps, x = _look(x, [self.get_submodule(f"conv{s}{n}") for n in (1, 2, 3)])
            gists.append(maps)
            if s < _SCALES or scored:
                x = self.get_submodule(f"conv{s}4")(x[:, IMAGE:])
            if scored:
                sides.append(self.get_submodule(f"side{s}1")(x))
            if s < _SCALES:
                x = F.avg_pool2d(x, 2)
                x = torch.cat([_resized(image, x), x], 1)
        return gists, sides


class MultiScale(nn.Module):
    """A variant of k scales with n glances each, which sees the image at full size alone.

    Args:
        scales: Number of scales; a single one has no side output.
        glances: Glances at every scale.
        classes: Channels of the output.
    """

    def __init__(self, scales: int, glances: int, classes: int) -> None:
        super().__init__()
        self.layout = Layout(scales, glances)
        dilations, channels = itertools.cycle(_DILATIONS), IMAGE
        for s in range(1, scales + 1):
            for n in range(1, glances + 1):
                self.add_module(f"glance{s}{n}", Glance(channels, next(dilations)))
                channels += CHANNELS
            if scales > 1:
                self.add_module(f"s{s}", _side_output(channels - IMAGE, classes))
        inputs = scales * classes if scales > 1 else channels - IMAGE
        self.out = nn.Sequential(nn.Conv2d(inputs, classes, 1, bias=False))

    def gists(self, image: Tensor) -> list[list[Tensor]]:
        """Maps (b, 32, h, w) of each glance, scale by scale, of a normalised image."""
        return self._run(image)[0]

    def forward(self, image: Tensor) -> Tensor:
        """Class scores (b, classes, h, w) of a normalised image (b, 3, h, w)."""
        gathered = self._run(image)[1]
        if len(gathered) == 1:
            return self.out(gathered[0])
        sides = [self.get_submodule(f"s{s}")(x) for s, x in enumerate(gathered, 1)]
        return self.out(torch.cat([_resized(side, image) for side in sides], 1))

    def _run(self, image: Tensor) -> tuple[list[list[Tensor]], list[Tensor]]:
        """The glances' maps, and all maps up to each scale, side by side."""
        scales, glances = self.layout[:2]
        x, gists, gathered = image, list[list[Tensor]](), list[Tensor]()
        for s in range(1, scales + 1):
            modules = [self.get_submodule(f"glance{s}{n}") for n in range(1, glances + 1)]
            maps, x = _look(x, modules)
            gists.append(maps)
            gathered.append(x[:, IMAGE:])
            x = F.avg_pool2d(x, 2) if s < scales else x
        return gists, gathered


Network = Main | MultiScale


def build(variant: Layout, classes: int) -> Network:
    """The network with random weights."""
    if variant.main:
        return Main(classes)
    return MultiScale(variant.scales, variant.glances, classes)


def convolutions(inputs: int, outputs: int, dilation: int) -> nn.Sequential:
    """Three times a 3 × 3 convolution without bias, batch normalisation and a rectifier."""
    layers: list[nn.Module] = []
    for channels in (inputs, outputs, outputs):
        conv = nn.Conv2d(channels, outputs, 3, padding=dilation, dilation=dilation, bias=False)
        layers += [conv, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


def _side_output(channels: int, classes: int) -> nn.Sequential:
    conv = nn.Conv2d(channels, classes, 1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(classes), nn.ReLU(inplace=True))


def _look(x: Tensor, glances: list[nn.Module]) -> tuple[list[Tensor], Tensor]:
    """The maps of glances one after the other, and all that there is then, `x` first."""
    maps: list[Tensor] = []
    for glance in glances:
        maps.append(glance(x))
        x = torch.cat([x, maps[-1]], 1)
    return maps, x


def _resized(x: Tensor, like: Tensor) -> Tensor:
    """To the height and width of another, corners on corners."""
    if x.shape[2:] == like.shape[2:]:
        return x
    return F.interpolate(x, like.shape[2:], mode="bilinear", align_corners=True)
