"""Attention matrices of transformers, and their rollout.

Fused kernels never form the matrix, so that hooks on modules collect nothing. `Recorder` reads the
queries and keys of such a call instead, and the softmax of one that is not fused.
"""

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

_SOFTMAX = (F.softmax, torch.softmax, Tensor.softmax)


class Recorder(TorchFunctionMode):
    """Collects the attention matrices of every call within it and in its thread.

    The network itself is unchanged: no hook, no copy, and its outputs are those of its own kernel.
    """

    def __init__(self) -> None:
        super().__init__()
        self.matrices: list[Tensor] = []  # (batch, head, query, key), rows that sum to one

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        output = func(*args, **(kwargs or {}))
        if func is F.scaled_dot_product_attention:
            self.matrices.append(attention_weights(*args, **(kwargs or {})))
        elif func in _SOFTMAX and output.ndim == 4:
            self.matrices.append(output)
        return output


def attention_weights(  # noqa: PLR0913  # the arguments of torch's own function
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """The matrix by which `scaled_dot_product_attention` of these arguments averages the values.

    Returns:
        (batch, head, query, key); every row sums to one. Dropout is left out.
    """
    if enable_gqa:  # several heads of queries share the keys of one
        key = key.repeat_interleave(query.shape[-3] // key.shape[-3], dim=-3)
    scores = query @ key.mT * (query.shape[-1] ** -0.5 if scale is None else scale)
    if is_causal:
        attn_mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        scores = scores.masked_fill(~attn_mask, -torch.inf)
    elif attn_mask is not None:
        scores = scores + attn_mask
    return scores.softmax(-1)


def rollout(matrices: Sequence[Tensor]) -> Tensor:
    """How much of each input token reaches each output token through consecutive blocks.

    Abnar and Zuidema, "Quantifying attention flow in transformers", ACL 2020.
    doi:10.18653/v1/2020.acl-main.385

    Each block's matrix is the mean of its heads, averaged with the identity of the residual branch;
    the result is their product.

    Args:
        matrices: Of each block, from the first: (batch, head, token, token).

    Returns:
        (batch, token, token); every row sums to one.
    """
    return functools.reduce(lambda earlier, later: later @ earlier, map(_with_residual, matrices))


def _with_residual(matrix: Tensor) -> Tensor:
    mean = matrix.mean(1)
    mixed = 0.5 * mean + 0.5 * torch.eye(mean.shape[-1], dtype=mean.dtype, device=mean.device)
    return mixed / mixed.sum(-1, keepdim=True)
