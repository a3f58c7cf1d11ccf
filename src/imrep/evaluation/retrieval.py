"""Retrieval between images and captions: how often the right one is among the first K.

An image with several captions is a hit where any of them is among the first; a caption where its
own image is.

References:
    A. Karpathy and L. Fei-Fei, "Deep visual-semantic alignments for generating image descriptions",
    CVPR 2015. doi:10.1109/CVPR.2015.7298932
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray as Array
from scipy.special import gammaln

from imrep.evaluation import figures
from imrep.evaluation.figures import Figure

TOP = (1, 5, 10)
_BLOCK = 1 << 24  # similarities in memory


def recalls(
    images: Float[Array, "n d"], captions: Float[Array, "m d"], owner: Int[Array, " m"]
) -> list[Figure]:
    """R@1, R@5 and R@10 of text from images, then of images from text.

    Args:
        images: Vectors of length one.
        captions: Likewise.
        owner: Image of each caption, an index into `images`; every image has one or more.
    """
    by_image, by_caption = _ranks(images, captions, owner)
    count = np.bincount(owner, minlength=len(images))
    rows = []
    for k in TOP:
        if k < len(captions):
            chance = float(np.mean([_any_of(int(c), len(captions), k) for c in count]))
            hits = by_image < k
            rows.append(figures.share(f"image → text R@{k}", hits, np.arange(len(hits)), chance))
    for k in TOP:
        if k < len(images):
            chance = k / len(images)
            rows.append(figures.share(f"text → image R@{k}", by_caption < k, owner, chance))
    return rows


def _ranks(
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


def _any_of(own: int, total: int, k: int) -> float:
    """Chance that any of `own` among `total` is among k that are drawn at random."""
    if own + k > total:
        return 1.0
    free = gammaln(total - own + 1) - gammaln(total - own - k + 1)
    return float(1 - np.exp(free - gammaln(total + 1) + gammaln(total - k + 1)))


def flattened(captions: Sequence[Sequence[str]]) -> tuple[list[str], Int[Array, " m"]]:
    """All captions one after the other, and the image of each."""
    owner = np.repeat(np.arange(len(captions)), [len(each) for each in captions])
    return [text for each in captions for text in each], owner
