"""Zero-shot classification: how many images get their class by its name alone."""

from collections.abc import Sequence

import numpy as np

from imrep.datasets import Item
from imrep.embedding.image_vectors import ImageVectors
from imrep.evaluation import figures
from imrep.evaluation.figures import Figure
from imrep.language import prompts
from imrep.language.zeroshot import ZeroShot

_TOP = (1, 5)


def matched(items: Sequence[Item], labels: Sequence[str]) -> np.ndarray:
    """The label of each image's class, an index into `labels`; -1 where none is the class.

    Labels and classes are the same without articles, case, and the joints between words.
    """
    numbers = {prompts.same(label): i for i, label in enumerate(labels)}
    return np.array(
        [-1 if item.label is None else numbers.get(prompts.same(item.label), -1) for item in items]
    )


def accuracies(classifier: ZeroShot, embedded: ImageVectors, labels: np.ndarray) -> list[Figure]:
    """Balanced top-1 accuracy, and top-5 where there are more than five labels.

    Args:
        classifier: Of the labels.
        embedded: The images.
        labels: Label of each image, -1 for none; such images are left out.
    """
    rows = np.flatnonzero(labels >= 0)
    if not len(rows):
        return []
    similarity = classifier.similarities(embedded.vectors[rows])
    truth, count = labels[rows], len(classifier.labels)
    # equal scores count against the image
    own = similarity[np.arange(len(rows)), truth][:, None]
    rank = (similarity >= own).sum(1)
    numbers = np.unique(truth, return_inverse=True)[1]
    groups = figures.group_numbers([embedded.items[i] for i in rows])
    return [
        figures.balanced(f"top-{k}", rank <= k, numbers, groups, chance=k / count)
        for k in _TOP
        if k == 1 or k < count
    ]
