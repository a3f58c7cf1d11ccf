"""Where in an image its similarity to words comes from.

Selvaraju et al., "Grad-CAM: visual explanations from deep networks via gradient-based
localization", ICCV 2017. doi:10.1109/ICCV.2017.74
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from imrep.represent.language.clip import towers

_EPSILON = 1e-12


def relevance(visual: Any, image: Tensor, words: Tensor) -> Tensor:
    """The activations of each patch times their gradient, summed where that is positive.

    Of a network with a class token these are the inputs of its last block, in which that token
    reads the patches; of another, what it pools. The largest of an image is one.

    Args:
        visual: The image tower.
        image: Normalised, (batch, 3, h, w).
        words: Vector of the words, of length one, (1, dim).

    Returns:
        (batch, 1, rows, columns).
    """
    inputs: list[Tensor] = []

    def watch(_module: Any, args: tuple[Tensor, ...]) -> None:
        inputs.append(args[0])

    with torch.inference_mode(False), torch.enable_grad():
        image = image.detach().clone().requires_grad_()
        handle = _watched(visual).register_forward_pre_hook(watch)
        try:
            vector, _, (rows, columns) = towers.image_features(visual, image)
        finally:
            handle.remove()
        similarity = (F.normalize(vector, dim=1) * words.detach().clone()).sum()
        tokens = inputs[-1]
        (gradient,) = torch.autograd.grad(similarity, tokens)
    product = (tokens * gradient).detach()
    patches = product.flatten(2).mT if product.ndim == 4 else product
    values = patches[:, patches.shape[1] - rows * columns :].sum(2).relu()
    largest = values.amax(1, keepdim=True).clamp(min=_EPSILON)
    return (values / largest).reshape(len(values), 1, rows, columns)


def _watched(visual: Any) -> Any:
    """The module whose input is looked at."""
    if hasattr(visual, "attnpool"):
        return visual.attnpool
    if not hasattr(visual, "trunk"):
        return visual.transformer.resblocks[-1]
    trunk = visual.trunk
    if getattr(trunk, "cls_token", None) is not None:
        return trunk.blocks[-1]
    names = ("attn_pool", "fc_norm", "global_pool", "head")
    return next(part for name in names if (part := getattr(trunk, name, None)) is not None)
