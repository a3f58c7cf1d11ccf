"""Denoising by a trained network: imrep's own, or one from a file."""

from functools import lru_cache

import torch
from torch import Tensor

from imrep.represent.learned.dae import DAE
from imrep.represent.learned.dae.autoencoder import MIDDLE

MAX_NOISE = 0.3  # standard deviation up to which imrep's network is better than shrinkage


def denoise_image(image: Tensor, level: float, weights: str) -> Tensor:
    """One image (c, h, w), values in [0, 1], without noise of standard deviation `level`.

    Raises:
        WeightsNeeded: If there are no such weights.
        BadParameter: If they are no denoiser's.
    """
    network = _network(weights) if weights == "published" else DAE(weights=weights)
    # Around middle gray the autoencoder is linear in contrast; so it is at any brightness.
    shift = image.mean() - MIDDLE if network.arch == "autoencoder" else image.new_zeros(())
    with torch.set_grad_enabled(torch.is_grad_enabled() and image.requires_grad):
        clean = network.to(image.device).denoise((image - shift)[None], level)
    return clean[0].to(image.dtype) + shift


@lru_cache(1)
def _network(weights: str) -> DAE:
    return DAE(weights=weights)
