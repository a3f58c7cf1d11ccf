"""A tiny learned representation, for tests of training and as the package of somebody else."""

import torch
from torch import nn

from imrep.base import Learned, Recipe
from imrep.codes import Map
from imrep.registry.cards import Card


class Tiny(Learned[Map]):
    """A denoiser of two convolutions, for tests of training.

    Args:
        width: Channels.
        weights: Where they come from.
        plain: Whether it leaves out noise and normalisation, which depend on the batch.
        poison: Brightness above which an image makes the loss infinite; 0 for none.

    References:
        P. Vincent et al., "Extracting and composing robust features with denoising autoencoders",
        ICML 2008. doi:10.1145/1390156.1390294
    """

    card = Card(
        title="Tiny denoiser",
        family="learned",
        cite="Vincent et al. 2008, doi:10.1145/1390156.1390294",
        inverse="approximate",
    )
    recipe = Recipe(batch=8, steps=40, size=16, augment="flip+jitter", learning_rate=0.01)
    name = "tiny"

    def __init__(
        self,
        *,
        width: int = 4,
        weights: str = "published",
        plain: bool = False,
        poison: float = 0.0,
    ) -> None:
        super().__init__()
        self.width, self.weights, self.plain, self.poison = width, weights, plain, poison
        self.down = nn.Conv2d(3, width, 3, padding=1)
        self.norm = nn.Identity() if plain else nn.BatchNorm2d(width)
        self.up = nn.Conv2d(width, 3, 3, padding=1)

    def encode(self, image):
        return Map(self.norm(self.down(image.expand(-1, 3, -1, -1))).relu(), image.shape[2:])

    def invert(self, code):
        return self.up(code.values)

    def loss(self, batch):
        strength = 0.0 if self.plain else 0.1
        noisy = batch["image"] + strength * torch.randn_like(batch["image"])
        error = self.invert(self.encode(noisy)) - batch["image"]
        if self.poison and batch["image"].max() > self.poison:
            error = error / 0.0
        return error.square().mean()
