"""The losses that pull an image and its text together, over the batches of all processes.

Radford et al., "Learning transferable visual models from natural language supervision", ICML 2021,
section 2.3; Zhai et al., "Sigmoid loss for language image pre-training", ICCV 2023.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, distributed
from torch.utils.checkpoint import checkpoint

MAX_LOG_SCALE = math.log(100)  # of the similarities, after every step
FIRST_SCALE = {"contrastive": 1 / 0.07, "sigmoid": 10.0}
FIRST_BIAS = -10.0  # of the sigmoid loss


def contrastive(images: Tensor, texts: Tensor, scale: Tensor) -> Tensor:
    """Cross-entropy of each image among all texts and of each text among all images, halved.

    With several processes it is that of this one's images and texts among those of all, so that the
    mean over the processes, and its gradient, is that of one large batch.

    Args:
        images: Vectors of length one, (batch, dim).
        texts: Those of their texts, (batch, dim).
        scale: Factor of the similarities.
    """
    all_images, all_texts, first = _gathered(images), _gathered(texts), _first(len(images))
    own = first + torch.arange(len(images), device=images.device)
    by_image = F.cross_entropy(scale * images @ all_texts.mT, own)
    by_text = F.cross_entropy(scale * texts @ all_images.mT, own)
    return (by_image + by_text) / 2


def sigmoid(images: Tensor, texts: Tensor, scale: Tensor, bias: Tensor) -> Tensor:
    """Whether an image and a text belong together, asked of every pair; a mean over the images.

    With several processes as of `contrastive`.

    Args:
        images: Vectors of length one, (batch, dim).
        texts: Those of their texts, (batch, dim).
        scale: Factor of the similarities.
        bias: Added to them.
    """
    logits = scale * images @ _gathered(texts).mT + bias
    signs = torch.full_like(logits, -1)
    signs.diagonal(_first(len(images))).fill_(1)
    return -F.logsigmoid(signs * logits).sum() / len(images)


def in_parts(encode: Callable[[Tensor], Tensor], x: Tensor, size: int) -> Tensor:
    """`encode` part by part, whose inner values are computed anew for the gradient.

    The gradient is that of the complete batch, in the memory of one part: gradient caching (Gao et
    al., "Scaling deep contrastive learning batch size under memory limited setup", 2021).

    Args:
        encode: Gives the vectors of a part.
        x: The batch.
        size: Of a part; 0 for the batch at once.
    """
    if not size or len(x) <= size or not torch.is_grad_enabled():
        return encode(x)
    parts = [checkpoint(encode, part, use_reentrant=False) for part in x.split(size)]
    return torch.cat(parts)


class _AllGather(torch.autograd.Function):
    """The rows of all processes, one after the other; gradients come back from all of them."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        parts = [torch.empty_like(rows) for _ in range(distributed.get_world_size())]
        distributed.all_gather(parts, rows.contiguous())
        ctx.count = len(rows)
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].contiguous()
        distributed.all_reduce(total)
        first = distributed.get_rank() * ctx.count
        return total[first : first + ctx.count]


def _gathered(rows: Tensor) -> Tensor:
    if not _shared():
        return rows
    gathered: Tensor = _AllGather.apply(rows)
    return gathered


def _first(count: int) -> int:
    """The row of this process's first image among those of all."""
    return distributed.get_rank() * count if _shared() else 0


def _shared() -> bool:
    """Whether other processes compute the other parts of this step; not so in an evaluation."""
    return (
        torch.is_grad_enabled()
        and distributed.is_available()
        and distributed.is_initialized()
        and distributed.get_world_size() > 1
    )
