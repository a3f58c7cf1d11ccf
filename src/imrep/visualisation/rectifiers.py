"""Passes in which rectifiers send a gradient down by another rule than their derivative.

A deconvnet inverts each layer in turn: it puts a maximum back where the pooling took it (the
switch), rectifies, and convolves with the transposed filters. The first and the last are what the
gradient does; so a deconvnet is a gradient whose rectifiers rectify what comes from above and
forget what they passed on the way up. Guided backpropagation does both.

The functions are intercepted as torch calls them, and not the modules, since half of the networks
of torchvision call `F.relu`; a network is not changed, and other threads do not notice.

References:
    M. D. Zeiler and R. Fergus, "Visualizing and understanding convolutional networks", ECCV 2014.
    doi:10.1007/978-3-319-10590-1_53

    J. T. Springenberg, A. Dosovitskiy, T. Brox and M. Riedmiller, "Striving for simplicity: the all
    convolutional net", ICLR workshop 2015. arXiv:1412.6806
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

Rule = Literal["gradient", "deconvnet", "guided-backpropagation"]

_RECTIFIERS = {
    F.relu, F.relu_, torch.relu, torch.relu_, Tensor.relu, Tensor.relu_, F.relu6, F.silu, F.gelu,
    F.hardswish, F.mish, F.softplus, F.elu, F.celu, F.selu, F.leaky_relu, F.prelu,
}  # fmt: skip
_CLIPS = {F.hardtanh, F.hardtanh_}  # of which ReLU6 is one, and tanh's stand-in is not


class RectifierRule(TorchFunctionMode):
    """Within this context, rectifiers follow the rule in the backward pass.

    A smooth rectifier (SiLU, GELU) counts as one; the sigmoid and tanh do not.
    """

    def __init__(self, rule: Rule) -> None:
        super().__init__()
        self.rule = rule

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """The function's value; of a rectifier, with the rule's gradient."""
        kwargs = kwargs or {}
        if self.rule == "gradient" or not is_rectifier(func, args, kwargs):
            return func(*args, **kwargs)
        x, *options = args
        # A clone, since the rectifier may work in place.
        if self.rule == "deconvnet":
            return _PositiveGradient.apply(x, func(x.detach().clone(), *options, **kwargs))
        y = func(x.clone(), *options, **kwargs)
        return _PositiveGradient.apply(y, y)


class _PositiveGradient(torch.autograd.Function):
    """The value of `y`, and the positive part of the gradient for `x`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor) -> Tensor:
        return y.detach().clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0].clamp_min(0), None


def is_rectifier(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether a call is of a rectifier; its input is the first argument."""
    if not args or not isinstance(args[0], Tensor):
        return False
    if func in _CLIPS:
        return (args[1] if len(args) > 1 else kwargs.get("min_val", -1.0)) >= 0
    return func in _RECTIFIERS
