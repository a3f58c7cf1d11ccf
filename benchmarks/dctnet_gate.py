"""Labels planted in one frequency: the gate must choose it, and no other.

Part of benchmarks/dctnet.py and of its test. The coefficients of images are independent noise of
natural deviations, but those of one frequency have a mean whose sign is the class. The images are
their pixels. A gate over all 192 frequencies is trained with the classifier by the same loss.
"""

from typing import Any

import torch

import imrep
from imrep.ops.colour import from_ycbcr
from imrep.ops.fourier import block_dct
from imrep.ops.fourier.block_dct import LEVELS, MIDDLE
from imrep.represent.learned.dctnet import statistics
from imrep.represent.learned.dctnet.frequencies import Frequencies

SPEC = "dctnet:arch=test_resnet,weights=random,classes=2,channels=192,gate=true,lam=0.01"
POSITIONS = ((0, 1, 2), (0, 4, 0), (0, 3, 5), (1, 0, 1), (2, 2, 1))  # plane, v, u
_IMAGES, _BATCH = 256, 16
_NOISE, _CONSTANT = 0.5, 0.1  # deviations of noise: of all, of means of blocks, over natural ones
_RATE = 2e-3  # of Adam


def planted(index: int, seed: int, blocks: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
    """Images (n, 3, 8 blocks, 8 blocks) and classes, 0 or 1."""
    dice = torch.Generator().manual_seed(seed)
    labels = torch.arange(_IMAGES) % 2
    noise = _NOISE * torch.randn(_IMAGES, 192, blocks, blocks, generator=dice)
    noise[:, ::64] *= _CONSTANT / _NOISE
    noise[:, index] += (2 * labels - 1)[:, None, None]
    _, deviations = statistics.of(Frequencies(192).rows)
    planes = [
        block_dct.backward(plane.unflatten(1, (8, 8)))
        for plane in (noise * deviations).split(64, dim=1)
    ]
    pixels = torch.cat([planes[0] + MIDDLE / LEVELS, *planes[1:]], dim=1)
    return from_ycbcr(pixels).clamp(0, 1), labels


def train(index: int, steps: int = 300, seed: int = 0) -> Any:
    """A network and its gate, trained on images with labels at frequency `index`."""
    images, labels = planted(index, seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        rep: Any = imrep.get(SPEC).train()
        optimiser = torch.optim.Adam(rep.parameters(), _RATE)
        for _ in range(steps):
            rows = torch.randperm(_IMAGES)[:_BATCH]
            optimiser.zero_grad()
            rep.loss({"image": images[rows], "label": labels[rows]}).backward()
            optimiser.step()
    return rep.eval()


def accuracy(rep: Any, index: int, seed: int = 1) -> float:
    """Share of new images that are classified rightly."""
    images, labels = planted(index, seed)
    with torch.no_grad():
        return float((rep.logits(images).argmax(1) == labels).float().mean())
