"""How tokens become one vector."""

from typing import Any

import torch
from torch import Tensor

from imrep.errors import BadCode
from imrep.represent.learned.vit.self_attentive import Head

LEARNED = "self-attentive"


def dim(network: Any, pooling: str, hops: int) -> int:
    """Numbers in the vector."""
    return int(network.embed_dim) * {"both": 2, LEARNED: hops}.get(pooling, 1)


def pooled(network: Any, tokens: Tensor, pooling: str, head: Head | None) -> Tensor:
    """The vector (batch, dim) of tokens (batch, prefix + patch, width), through the last norm."""
    if pooling == "head":
        return network.forward_head(tokens, pre_logits=True)
    if pooling == LEARNED:
        assert head is not None and head.pooling is not None  # of this pooling
        return head.pooling(normalised_patches(network, tokens))
    token = network.fc_norm(tokens[:, 0])
    mean = network.fc_norm(tokens[:, network.num_prefix_tokens :].mean(1))
    if pooling == "both":
        return torch.cat([token, mean], 1)
    return token if pooling == "token" else mean


def normalised_patches(network: Any, tokens: Tensor) -> Tensor:
    """The patches alone, normalised by networks too that do so behind their pooling."""
    return network.fc_norm(tokens[:, network.num_prefix_tokens :])


def check_shapes(
    actual: tuple[int, ...], needed: tuple[int, ...], grids: tuple[Any, Any], caller: str
) -> None:
    """Refuse the tokens of another network or side.

    Args:
        actual: Number of patches, their width and the length of the summary.
        needed: The same of the network.
        grids: Rows and columns, actual and needed.
        caller: The name that the message starts with.

    Raises:
        BadCode: With both.
    """
    if actual != needed or tuple(grids[0]) != tuple(grids[1]):
        actual_grid, needed_grid = ("×".join(map(str, grid)) for grid in grids)
        raise BadCode(
            f"{caller} needs {needed[0]} patches of {needed[1]} numbers in a grid of "
            f"{needed_grid} and a summary of {needed[2]}, got {actual[0]} of {actual[1]} "
            f"in {actual_grid} and {actual[2]}. Use the parameters that encoded."
        )
