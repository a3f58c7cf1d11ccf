"""Which tensors the C kernels may have: plain ones in the computer's memory, without onlookers."""

import ctypes
from collections.abc import Collection, Sequence

import torch
from torch import Tensor

from imrep import _native


def kernels_for(tensors: Sequence[Tensor], dtypes: Collection[torch.dtype]) -> ctypes.CDLL | None:
    """The library, if all tensors are for it: of these types, and nobody follows what is done."""
    if torch.compiler.is_compiling() or torch._C._get_tracing_state() is not None:
        return None
    for t in tensors:
        if type(t) is not Tensor or t.device.type != "cpu" or t.dtype not in dtypes or followed(t):
            return None
    return _native.library("kernels")


def followed(x: Tensor) -> bool:
    """Whether a derivative is wanted, or a transform of torch.func stands behind the tensor."""
    return (
        (x.requires_grad and torch.is_grad_enabled())
        or torch._C._functorch.is_functorch_wrapped_tensor(x)
        or torch.autograd.forward_ad.unpack_dual(x).tangent is not None
    )
