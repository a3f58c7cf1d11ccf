"""DnCNN and FFDNet: stacks of 3 × 3 convolutions, as KAIR stores them.

Both files hold `model.{0,2,4,…}.{weight,bias}`; what lies between are rectifiers. DnCNN reads the
image and gives the noise. FFDNet reads the image's four phases at half size and the noise level,
and gives the clean image's phases.

References:
    K. Zhang, W. Zuo, Y. Chen, D. Meng and L. Zhang, "Beyond a Gaussian denoiser: residual learning
    of deep CNN for image denoising", IEEE Trans. Image Processing 26(7), 2017.
    doi:10.1109/TIP.2017.2662206
    K. Zhang, W. Zuo and L. Zhang, "FFDNet: toward a fast and flexible solution for CNN-based image
    denoising", IEEE Trans. Image Processing 27(9), 2018. doi:10.1109/TIP.2018.2839891
"""

import itertools
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_PHASES = 2  # FFDNet's, per side


class Stack(nn.Module):
    """Convolutions with rectifiers between them; the maps before the last one are the code.

    Args:
        inputs: Channels of the first convolution.
        width: Channels of the others.
        outputs: Channels of the last.
        depth: Number of convolutions, at least 2.
    """

    skip = False

    def __init__(self, inputs: int, width: int, outputs: int, depth: int) -> None:
        super().__init__()
        widths = [inputs, *[width] * (depth - 1), outputs]
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise(widths):
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU()]
        self.model = nn.Sequential(*layers[:-1])
        self.channels = (width,)


class DnCNN(Stack):
    """The image less the noise that a stack of convolutions estimates in it.

    Args:
        channels: Of the image.
        width: Of the maps.
        depth: Number of convolutions.
    """

    stride, conditional, residual = 1, False, True

    def __init__(self, channels: int = 1, width: int = 64, depth: int = 17) -> None:
        super().__init__(channels, width, channels, depth)
        self.reach = depth

    def sizes(self, height: int, width: int) -> list[tuple[int, int]]:
        """Of the maps."""
        return [(height, width)]

    def analyse(self, x: Tensor, level: Tensor) -> list[Tensor]:
        """The last maps; the noise level is not used."""
        return [self.model[:-1](x)]

    def synthesise(self, maps: Sequence[Tensor], size: tuple[int, int]) -> Tensor:
        """The noise."""
        return self.model[-1](maps[0])


class FFDNet(Stack):
    """The clean image by a stack of convolutions at half size, for a given noise level.

    Args:
        channels: Of the image.
        width: Of the maps.
        depth: Number of convolutions.
    """

    stride, conditional, residual = _PHASES, True, False

    def __init__(self, channels: int = 3, width: int = 96, depth: int = 12) -> None:
        phases = channels * _PHASES**2
        super().__init__(phases + 1, width, phases, depth)
        self.reach = _PHASES * depth

    def sizes(self, height: int, width: int) -> list[tuple[int, int]]:
        """Of the maps."""
        return [(-(-height // _PHASES), -(-width // _PHASES))]

    def analyse(self, x: Tensor, level: Tensor) -> list[Tensor]:
        """The last maps; an odd side's last row or column is repeated."""
        height, width = x.shape[2:]
        x = F.pixel_unshuffle(F.pad(x, (0, width % 2, 0, height % 2), mode="replicate"), _PHASES)
        return [self.model[:-1](torch.cat([x, level.expand(-1, 1, *x.shape[2:])], 1))]

    def synthesise(self, maps: Sequence[Tensor], size: tuple[int, int]) -> Tensor:
        """The image less the middle gray, as every network here that is not residual."""
        image = F.pixel_shuffle(self.model[-1](maps[0]), _PHASES)
        return image[..., : size[0], : size[1]] - 0.5
