"""Tensors that may go to C: CPU, given dtypes, no gradient, no torch.func transform, no tracing."""

import ctypes
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor

from imrep import _native

_torch_only: ContextVar[bool] = ContextVar("_torch_only", default=False)


@contextmanager
def torch_only() -> Iterator[None]:
    """Within it no kernel takes a tensor: every operation is torch's own, as a tracer needs it."""
    token = _torch_only.set(True)
    try:
        yield
    finally:
        _torch_only.reset(token)


def kernels_for(tensors: Sequence[Tensor], dtypes: Collection[torch.dtype]) -> ctypes.CDLL | None:
    """The C library, if it may take all tensors, else None."""
    if not plain(*tensors) or any(t.device.type != "cpu" or t.dtype not in dtypes for t in tensors):
        return None
    return _native.library("kernels")


def plain(*tensors: Tensor) -> bool:
    """Whether these are tensors with numbers, on which nothing is recorded."""
    if (
        _torch_only.get()
        or torch.compiler.is_compiling()
        or torch._C._get_tracing_state() is not None
    ):
        return False
    return not any(type(t) is not Tensor or t.is_meta or followed(t) for t in tensors)


def followed(x: Tensor) -> bool:
    """Whether autograd or a transform of torch.func records operations on x."""
    return (
        (x.requires_grad and torch.is_grad_enabled())
        or torch._C._functorch.is_functorch_wrapped_tensor(x)
        or torch.autograd.forward_ad.unpack_dual(x).tangent is not None
    )
