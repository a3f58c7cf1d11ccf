"""The vector of a text: of its end, or an average over its tokens."""

from typing import Any

import torch
from torch import Tensor, nn

from imrep.networks.self_attentive import SelfAttentive
from imrep.represent.language.clip import towers

METHODS = ("end", "mean", "max", "self-attentive")


class SelfAttentiveText(nn.Module):
    """Averages that are learned (Lin et al. 2017), joined into the width of one token."""

    def __init__(self, width: int, units: int, hops: int) -> None:
        super().__init__()
        self.averages = SelfAttentive(width, units, hops)
        self.join = nn.Linear(hops * width, width)

    def forward(self, tokens: Tensor, present: Tensor) -> Tensor:
        """(batch, width) of tokens (batch, position, width), of which those `present` count."""
        pooled: Tensor = self.join(self.averages(tokens, present))
        return pooled


def ends(network: Any, ids: Tensor) -> Tensor:
    """The position of the last token that is no padding, (batch,), of ids (batch, position)."""
    method = towers.pool_type(network)
    if method == "argmax":  # the end has the largest number
        return ids.argmax(1)
    if method == "eos":
        eos = getattr(network, "text_eos_id", None) or network.text.eos_id
        return (ids == eos).int().argmax(1)
    return torch.full_like(ids[:, 0], 0 if method == "first" else ids.shape[1] - 1)


def trimmed(network: Any, ids: Tensor) -> Tensor:
    """The ids without positions that are padding in every text, where these have no effect."""
    if not towers.is_causal(network) or towers.pool_type(network) not in ("argmax", "eos"):
        return ids
    return ids[:, : int(ends(network, ids).max()) + 1]


def pooled(
    network: Any, ids: Tensor, method: str, learned: SelfAttentiveText | None = None
) -> Tensor:
    """Vectors (batch, dim) of ids (batch, position), in the space of the images.

    Args:
        network: The model.
        ids: Of a length that `trimmed` gives.
        method: One of `METHODS`.
        learned: The pooling, where it is learned.
    """
    tokens, last = towers.text_tokens(network, ids), ends(network, ids)
    if method == "end":
        rows = torch.arange(len(ids), device=ids.device)
        return towers.projected(network, tokens[rows, last])
    present = torch.arange(ids.shape[1], device=ids.device) <= last[:, None]
    if learned is not None:
        return towers.projected(network, learned(tokens, present))
    absent = ~present[..., None]
    if method == "max":
        return towers.projected(network, tokens.masked_fill(absent, float("-inf")).amax(1))
    total = tokens.masked_fill(absent, 0).sum(1)
    return towers.projected(network, total / present.sum(1, keepdim=True))
