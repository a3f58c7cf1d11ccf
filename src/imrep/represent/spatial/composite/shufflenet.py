"""ShuffleNetV2K16 and K30: ShuffleNet V2 with 5 × 5 convolutions and without max-pooling."""

import torch
from torch import Tensor, nn

_KERNEL = 5
_EPSILON, _MOMENTUM = 1e-3, 0.01  # of batch normalisation
_STRIDE = 16

SHAPES = {  # blocks of each stage, channels of the first convolution, of the stages and the last
    "shufflenetv2k16": ((4, 8, 4), (24, 348, 696, 1392, 1392)),
    "shufflenetv2k30": ((8, 16, 6), (32, 512, 1024, 2048, 2048)),
}


class ShuffleNetV2K(nn.Module):
    """The network up to its last features, at a sixteenth of the image's size.

    Args:
        arch: One of `SHAPES`.
    """

    def __init__(self, arch: str) -> None:
        super().__init__()
        repeats, channels = SHAPES[arch]
        self.channels, self.stride = channels[-1], _STRIDE
        first = nn.Conv2d(3, channels[0], 3, 2, 1, bias=False)
        self.input_block = nn.Sequential(nn.Sequential(first, *_normalised(channels[0])))
        stages = []
        for i, count in enumerate(repeats):
            own = channels[i + 1]
            blocks = [Block(channels[i], own, 2), *(Block(own, own, 1) for _ in range(count - 1))]
            stages.append(nn.Sequential(*blocks))
        self.stage2, self.stage3, self.stage4 = stages
        last = nn.Conv2d(channels[-2], channels[-1], 1, bias=False)
        self.conv5 = nn.Sequential(last, *_normalised(channels[-1]))

    def forward(self, x: Tensor) -> Tensor:
        """Images (b, 3, H, W) to maps (b, channel, (H - 1) // 16 + 1, (W - 1) // 16 + 1)."""
        for part in (self.input_block, self.stage2, self.stage3, self.stage4, self.conv5):
            x = part(x)
        return x


class Block(nn.Module):
    """Two branches side by side, whose channels are shuffled.

    Where the size stays, the first branch passes half of the channels on as they are.
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        half = outputs // 2
        self.halves = stride == 1
        self.branch1 = nn.Sequential()
        if not self.halves:
            self.branch1 = nn.Sequential(*_depthwise(inputs, stride), *_pointwise(inputs, half))
        second = half if self.halves else inputs
        self.branch2 = nn.Sequential(
            *_pointwise(second, half), *_depthwise(half, stride), *_pointwise(half, half)
        )

    def forward(self, x: Tensor) -> Tensor:
        first, second = x.chunk(2, 1) if self.halves else (x, x)
        both = torch.cat([self.branch1(first), self.branch2(second)], 1)
        return both.unflatten(1, (2, -1)).transpose(1, 2).flatten(1, 2)


def _normalised(channels: int) -> tuple[nn.Module, nn.Module]:
    return nn.BatchNorm2d(channels, _EPSILON, _MOMENTUM), nn.ReLU(inplace=True)


def _pointwise(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
    return nn.Conv2d(inputs, outputs, 1, bias=False), *_normalised(outputs)


def _depthwise(channels: int, stride: int) -> tuple[nn.Module, nn.Module]:
    convolution = nn.Conv2d(
        channels, channels, _KERNEL, stride, _KERNEL // 2, bias=False, groups=channels
    )
    return convolution, nn.BatchNorm2d(channels, _EPSILON, _MOMENTUM)
