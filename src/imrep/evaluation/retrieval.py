"""Retrieval between images and captions: how often the right one is among the first K.

An image with several captions is a hit where any of them is among the first; a caption where its
own image is.

References:
    A. Karpathy and L. Fei-Fei, "Deep visual-semantic alignments for generating image descriptions",
    CVPR 2015. doi:10.1109/CVPR.2015.7298932
"""

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray as Array

from imrep.evaluation import figures
from imrep.evaluation.figures import Figure
from imrep.language import caption_ranks

TOP = (1, 5, 10)


def recalls(
    images: Float[Array, "n d"], captions: Float[Array, "m d"], owner: Int[Array, " m"]
) -> list[Figure]:
    """R@1, R@5 and R@10 of text from images, then of images from text.

    Args:
        images: Vectors of length one.
        captions: Likewise.
        owner: Image of each caption, an index into `images`; every image has one or more.
    """
    by_image, by_caption = caption_ranks.ranks(images, captions, owner)
    count = np.bincount(owner, minlength=len(images))
    rows = []
    for k in TOP:
        if k < len(captions):
            chance = float(np.mean([caption_ranks.chance(int(c), len(captions), k) for c in count]))
            hits = by_image < k
            rows.append(figures.share(f"image → text R@{k}", hits, np.arange(len(hits)), chance))
    for k in TOP:
        if k < len(images):
            chance = k / len(images)
            rows.append(figures.share(f"text → image R@{k}", by_caption < k, owner, chance))
    return rows
