"""The denoising autoencoder: convolutions that halve the image twice, and their mirror image.

Every level doubles the channels. The way down halves a map by a 2 × 2 convolution of stride 2, the
way up doubles it by the transposed one, so that no pixel is covered more often than another. Each
level holds one residual block on either side. No layer has a bias: the estimate of the noise scales
with the image's contrast, and a network trained in one range of noise levels works beyond it.

References:
    P. Vincent, H. Larochelle, Y. Bengio and P.-A. Manzagol, "Extracting and composing robust
    features with denoising autoencoders", ICML 2008. doi:10.1145/1390156.1390294
    S. Mohan, Z. Kadkhodaie, E. P. Simoncelli and C. Fernandez-Granda, "Robust and interpretable
    blind image denoising via bias-free convolutional neural networks", ICLR 2020. arXiv:1906.05478
"""

import itertools
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LEVELS = 2  # halvings
STRIDE = 2**LEVELS  # pixels of the image between neighbours of the bottleneck
MIDDLE = 0.5  # the gray that the network sees as zero
_RESIDUAL = 0.1  # gain of a block's last convolution before training: blocks begin near identity


class Block(nn.Module):
    """Two 3 × 3 convolutions whose result is added to their input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first, self.second = conv(channels, channels), conv(channels, channels)
        self.second.weight.data.mul_(_RESIDUAL)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(self.first(x).relu())


class Autoencoder(nn.Module):
    """The way down to the bottleneck, and up to an image or to the noise in it.

    Args:
        channels: Of the image; the noise level is one more input.
        width: Channels at full size.
        bottleneck: Channels of the bottleneck; 0 for four times `width`.
        skip: Whether the maps of the way down are added on the way up.
        residual: Whether the output is the noise, which starts at zero.
    """

    stride = STRIDE
    conditional = True  # takes the noise level as an input
    reach = 22  # pixels up to which an output depends on the input, beyond those of its own cell

    def __init__(
        self, channels: int, width: int, bottleneck: int, skip: bool, residual: bool
    ) -> None:
        super().__init__()
        self.skip, self.residual = skip, residual
        widths = [width * 2**i for i in range(LEVELS + 1)]
        pairs = list(itertools.pairwise(widths))
        last = bottleneck or widths[-1]
        self.channels = (*widths[:-1], last) if skip else (last,)  # of the maps of `analyse`
        self.head = conv(channels + 1, width)
        self.encoders = nn.ModuleList(Block(narrow) for narrow, _ in pairs)
        self.halvings = nn.ModuleList(nn.Conv2d(a, b, 2, 2, bias=False) for a, b in pairs)
        self.middle = Block(widths[-1])
        self.squeeze = conv(widths[-1], bottleneck, 1) if bottleneck else nn.Identity()
        self.expand = conv(bottleneck, widths[-1], 1) if bottleneck else nn.Identity()
        self.doublings = nn.ModuleList(nn.ConvTranspose2d(b, a, 2, 2, bias=False) for a, b in pairs)
        self.decoders = nn.ModuleList(Block(narrow) for narrow, _ in pairs)
        self.tail = conv(width, channels)
        for layer in (*self.halvings, *self.doublings):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        # The filters begin without a response to a constant, which says nothing of noise.
        self.head.weight.data -= self.head.weight.data.mean((1, 2, 3), keepdim=True)
        if residual:
            nn.init.zeros_(self.tail.weight)

    def sizes(self, height: int, width: int) -> list[tuple[int, int]]:
        """Height and width of every level, from fine to coarse; odd ones are rounded up."""
        return [(-(-height // 2**i), -(-width // 2**i)) for i in range(LEVELS + 1)]

    def analyse(self, x: Tensor, level: Tensor) -> list[Tensor]:
        """Maps from fine to coarse, the bottleneck last; without `skip`, the bottleneck alone.

        Args:
            x: (b, c, h, w), values in [0, 1].
            level: (b, 1, 1, 1), standard deviation of the noise; 0 where it is not known.
        """
        plane = level.expand(-1, 1, *x.shape[2:])
        x = self.head(torch.cat([x - MIDDLE, plane], 1))
        maps = []
        for encoder, halving in zip(self.encoders, self.halvings, strict=True):
            x = encoder(x)
            maps.append(x)
            x = halving(_even(x))
        bottleneck = self.squeeze(self.middle(x))
        return [*maps, bottleneck] if self.skip else [bottleneck]

    def synthesise(self, maps: Sequence[Tensor], size: tuple[int, int]) -> Tensor:
        """What the maps of an image of this height and width say: the image less its middle gray.

        With `residual` it is the noise instead.
        """
        *fine, bottleneck = maps
        x = self.expand(bottleneck)
        for i in reversed(range(LEVELS)):
            height, width = self.sizes(*size)[i]
            x = self.doublings[i](x)[..., :height, :width]
            x = self.decoders[i](x + fine[i] if self.skip else x)
        return self.tail(x)


def conv(inputs: int, outputs: int, side: int = 3) -> nn.Conv2d:
    """A convolution of stride 1 without bias, with He's initial values."""
    layer = nn.Conv2d(inputs, outputs, side, padding=side // 2, bias=False)
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    return layer


def _even(x: Tensor) -> Tensor:
    """The map with its last row and column repeated where their number is odd."""
    height, width = x.shape[2:]
    if height % 2 == 0 and width % 2 == 0:
        return x
    return F.pad(x, (0, width % 2, 0, height % 2), mode="replicate")
