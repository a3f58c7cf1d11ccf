"""Ranks of the right captions of images and of the right images of captions."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray as Array
from scipy.special import gammaln

_BLOCK = 1 << 24  # similarities in memory


def ranks(
    images: Float[Array, "n d"], captions: Float[Array, "m d"], owner: Int[Array, " m"]
) -> tuple[Int[Array, " n"], Int[Array, " m"]]:
    """Number of others that score as much or more: of an image's best caption, of its image.

    Equal scores count against the right one, so that vectors that say nothing score nothing.
    """
    by_caption = np.empty(len(captions), int)
    best = np.full(len(images), -np.inf)
    step = max(1, _BLOCK // max(len(images), len(captions)))
    for start in range(0, len(captions), step):
        part = slice(start, start + step)
        table = captions[part] @ images.T
        own = table[np.arange(len(table)), owner[part]]
        by_caption[part] = (table >= own[:, None]).sum(1) - 1
    by_image = np.empty(len(images), int)
    for start in range(0, len(images), step):
        part = slice(start, start + step)
        table = images[part] @ captions.T
        is_own = owner[None] == np.arange(start, start + len(table))[:, None]
        best = np.where(is_own, table, -np.inf).max(1)
        by_image[part] = ((table >= best[:, None]) & ~is_own).sum(1)
    return by_image, by_caption


def chance(own: int, total: int, k: int) -> float:
    """Chance that any of `own` among `total` is among k that are drawn at random."""
    if own + k > total:
        return 1.0
    free = gammaln(total - own + 1) - gammaln(total - own - k + 1)
    return float(1 - np.exp(free - gammaln(total + 1) + gammaln(total - k + 1)))


def flattened(captions: Sequence[Sequence[str]]) -> tuple[list[str], Int[Array, " m"]]:
    """All captions one after the other, and the image of each."""
    owner = np.repeat(np.arange(len(captions)), [len(each) for each in captions])
    return [text for each in captions for text in each], owner
