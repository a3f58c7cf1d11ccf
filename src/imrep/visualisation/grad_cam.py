"""Grad-CAM: the positions of a layer's maps that speak for a class.

References:
    R. R. Selvaraju, M. Cogswell, A. Das, R. Vedantam, D. Parikh and D. Batra, "Grad-CAM: visual
    explanations from deep networks via gradient-based localization", ICCV 2017.
    doi:10.1109/ICCV.2017.74
"""

import re
from dataclasses import dataclass

import torch
from torch import Tensor

from imrep import checks
from imrep.base import Representation
from imrep.drawing import heat
from imrep.errors import BadParameter
from imrep.types import Image, Picture


@dataclass(frozen=True)
class Evidence:
    """What a layer holds for one class, of each image of a batch.

    Args:
        values: (b, 1, h, w), at least 0, at the layer's resolution.
        classes: The number of the class, of each image.
        names: Its name; its number as text where the classes have no names.
        probabilities: Its softmax probability.
    """

    values: Tensor
    classes: tuple[int, ...]
    names: tuple[str, ...]
    probabilities: tuple[float, ...]


def class_activation(values: Tensor, score: Tensor) -> Tensor:
    """The positive part of the maps' sum, each weighted by the mean of its gradient, (b, 1, h, w).

    Args:
        values: Maps (b, c, h, w), in the graph of the scores.
        score: Of the class, before the softmax, (b,); the score of an image depends on its maps
            alone.
    """
    (gradient,) = torch.autograd.grad(score.sum(), values)
    weights = gradient.mean((2, 3), keepdim=True)
    return (weights * values).sum(1, keepdim=True).clamp_min(0).detach()


def evidence(rep: Representation, image: Image, label: str | int | None = None) -> Evidence:
    """What the representation's layer holds for a class.

    Args:
        rep: A representation with a classifier.
        image: (b, 1|3, height, width), values in [0, 1].
        label: The class by number or name; None for the most probable of each image.

    Raises:
        BadParameter: If there is no classifier, or no such class.
    """
    with torch.enable_grad():
        values, scores = rep.class_scores(image.detach().clone().requires_grad_())
        count = scores.shape[1]
        names = rep.class_names(count) or tuple(map(str, range(count)))
        chosen = scores.argmax(1)
        if label is not None:
            chosen = torch.full_like(chosen, _number(label, names, rep))
        activation = class_activation(values, scores.gather(1, chosen[:, None])[:, 0])
    probabilities = scores.detach().softmax(1).gather(1, chosen[:, None])[:, 0]
    classes = tuple(chosen.tolist())
    return Evidence(
        activation, classes, tuple(names[i] for i in classes), tuple(probabilities.tolist())
    )


def picture(
    rep: Representation, image: Image, channel: object = None, label: str | int | None = None
) -> Picture:
    """What speaks for a class as heat over the image."""
    return heat(evidence(rep, image, label).values, image)


def _number(label: str | int, names: tuple[str, ...], rep: Representation) -> int:
    """The number of a class, from its number, its name or a word that one name alone contains."""
    if isinstance(label, int) or label.isdigit():
        checks.integer(int(label), 0, len(names) - 1, rep.name, "label")
        return int(label)
    text = label.casefold()
    exact = [i for i, name in enumerate(names) if text in _parts(name)]
    word = re.compile(rf"\b{re.escape(text)}\b")
    matches = exact or [i for i, name in enumerate(names) if word.search(name.casefold())]
    if len(matches) == 1:
        return matches[0]
    several = ", ".join(f"{names[i]} ({i})" for i in matches[:5])
    fault = f"{label!r}, which is in the names of {several}" if matches else repr(label)
    raise BadParameter(
        f"{rep.name} needs label to be a class of {rep.spec}, from 0 to {len(names) - 1} or by its "
        f"name, got {fault}. Leave it out for the most probable."
    )


def _parts(name: str) -> list[str]:
    """The synonyms of a name: "tabby, tabby cat" is two."""
    return [part.strip().casefold() for part in name.split(",")]
