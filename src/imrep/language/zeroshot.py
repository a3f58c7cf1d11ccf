"""Classes by their names alone: no image of theirs is needed.

References:
    A. Radford et al., "Learning transferable visual models from natural language supervision",
    ICML 2021. https://arxiv.org/abs/2103.00020 (section 3.1)
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray as Array
from scipy.special import softmax

from imrep.base.learned import Bilingual
from imrep.embedding.image_vectors import unit
from imrep.language import prompts, text_vectors
from imrep.types import Progress


@dataclass(frozen=True)
class ZeroShot:
    """A classifier made of the vectors of labels.

    Args:
        labels: Their names.
        weights: (L, d), of length one: the mean of a label's vectors in every template.
        scale: Factor of the cosines before the softmax.
    """

    labels: tuple[str, ...]
    weights: Float[Array, "l d"]
    scale: float

    def similarities(self, vectors: Float[Array, "n d"]) -> Float[Array, "n l"]:
        """Cosine of each image and each label."""
        similarity: np.ndarray = unit(vectors) @ self.weights.T
        return similarity

    def probabilities(self, vectors: Float[Array, "n d"]) -> Float[Array, "n l"]:
        """Shares among these labels only: they add up to one whatever the image shows."""
        logits = self.scale * self.similarities(vectors).astype(np.float64)
        shares: np.ndarray = softmax(logits, axis=1)
        return shares


def classifier(
    rep: Bilingual,
    labels: Sequence[str],
    templates: Sequence[str] = prompts.TEMPLATES,
    progress: Progress | None = None,
) -> ZeroShot:
    """The classifier of these labels.

    Args:
        rep: What embeds text and images.
        labels: As they stand in a sentence.
        templates: Sentences with {} where the label goes.
        progress: Called with a phrase, the number done and the total.
    """
    texts = [prompts.fill(template, label) for label in labels for template in templates]
    vectors = text_vectors.embed(rep, texts, progress)
    means = vectors.reshape(len(labels), len(templates), -1).mean(1)
    return ZeroShot(tuple(labels), unit(means), float(rep.similarity_scale))
