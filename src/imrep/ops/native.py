"""Tensors that may go to C: CPU, given dtypes, no gradient, no torch.func transform, no tracing."""

import ctypes
from collections.abc import Collection, Sequence

import torch
from torch import Tensor

from imrep import _native


def kernels_for(tensors: Sequence[Tensor], dtypes: Collection[torch.dtype]) -> ctypes.CDLL | None:
    """The C library, if it may take all tensors, else None."""
    if torch.compiler.is_compiling() or torch._C._get_tracing_state() is not None:
        return None
    for t in tensors:
        if type(t) is not Tensor or t.device.type != "cpu" or t.dtype not in dtypes or followed(t):
            return None
    return _native.library("kernels")


def followed(x: Tensor) -> bool:
    """Whether autograd or a transform of torch.func records operations on x."""
    return (
        (x.requires_grad and torch.is_grad_enabled())
        or torch._C._functorch.is_functorch_wrapped_tensor(x)
        or torch.autograd.forward_ad.unpack_dual(x).tangent is not None
    )
