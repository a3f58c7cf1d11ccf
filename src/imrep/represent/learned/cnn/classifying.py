"""What a network is trained with: a classifier of its vector, auxiliary ones, attention."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from imrep.base import supervised
from imrep.errors import BadData
from imrep.networks import auxiliary, layers
from imrep.networks.pooling import Attention
from imrep.weights import read, seeded, strict

DECIDING = ("layer", "pooling", "cells", "classes")  # parameters of a trained classifier


class Classifier(nn.Module):
    """A linear classifier of the vector, one for each auxiliary map, and each layer's attention.

    Args:
        channels: Of each layer's map.
        dim: Numbers in the vector.
        classes: Number of classes.
        attends: Whether the maps are pooled by attention, which is then learned.
        auxiliary_heads: Classifiers of the auxiliary maps.
    """

    epochs: Tensor

    def __init__(
        self,
        channels: list[int],
        dim: int,
        classes: int,
        attends: bool,
        auxiliary_heads: list[nn.Module],
    ) -> None:
        super().__init__()
        self.channels = tuple(channels)
        self.linear = seeded(lambda: nn.Linear(dim, classes))
        self.attentions = nn.ModuleList(Attention(c) for c in channels if attends)
        self.auxiliary = nn.ModuleList(auxiliary_heads)
        self.register_buffer("epochs", torch.zeros((), dtype=torch.long))  # begun

    def take(self, folder: str, arch: str, caller: str) -> None:
        """Load what was trained beside a network.

        Args:
            folder: That `save` wrote.
            arch: The network's name in messages.
            caller: The name that messages start with.

        Raises:
            BadParameter: If it is of other sizes.
        """
        state, start = read(folder, caller), "classifier."
        own = {k.removeprefix(start): v for k, v in state.items() if k.startswith(start)}
        self.load_state_dict(strict.fit(own, self.state_dict(), arch, caller))

    def direction(self, layer: int) -> Tensor | None:
        """The learned part of a layer's attention."""
        if not len(self.attentions):
            return None
        attention = self.attentions[layer]
        assert isinstance(attention, Attention)
        return attention.direction

    def loss(self, vector: Tensor, maps: list[Tensor], labels: Tensor) -> Tensor:
        """Cross-entropy of the classes, and in training 0.3 times that of each auxiliary head.

        Args:
            vector: (b, dim).
            maps: What the auxiliary heads read.
            labels: (b,); images of class -1 do not count.
        """
        labelled = labels >= 0
        if not labelled.any():
            return vector.sum() * 0
        total = F.cross_entropy(self.linear(vector)[labelled], labels[labelled])
        if not self.training:
            return total
        for head, features in zip(self.auxiliary, maps, strict=True):
            logits = head(features)[labelled]
            total = total + auxiliary.WEIGHT * F.cross_entropy(logits, labels[labelled])
        return total


def take_configured(rep: Any) -> bool:
    """Set parameters of a `cnn` by its weights' config.json; whether their classifier is of these.

    Another layer or pooling has another classifier: it is then neither taken nor trained unasked.

    Raises:
        WeightsNeeded: If there are no such weights.
        BadParameter: If they are those of another representation.
    """
    stored, taken = supervised.take_configured(rep)
    continues = all(getattr(rep, key) == stored.get(key) for key in DECIDING)
    if not continues:
        for key in taken & {"classes", "epochs"}:
            setattr(rep, key, 0)
    return continues and bool(rep.classes)


def build(rep: Any, image: Tensor) -> Classifier:
    """A classifier for the vector of a `cnn`, whose network reads images such as `image`."""
    count = len(layers.parse(rep.layer, rep.name))
    with torch.no_grad():
        outputs = rep.network(image)
    channels = [values.shape[1] for values in outputs[:count]]
    heads = auxiliary.classifiers(rep.arch, rep.classes)[: len(outputs) - count]
    attends = rep.pooling == "attention"
    return Classifier(channels, sum(channels) * rep.cells**2, rep.classes, attends, heads)


def labels_of(batch: dict[str, Tensor], classes: int, caller: str) -> Tensor:
    """The class of each image.

    Raises:
        BadData: If there is none, or one is not below `classes`.
    """
    labels = batch.get("label")
    if labels is None or labels.shape != batch["image"].shape[:1]:
        raise BadData(
            f"{caller} needs a class of each image to be trained, got none. Put the images of each "
            "class into a folder of its own."
        )
    if int(labels.max()) >= classes or int(labels.min()) < -1:
        raise BadData(
            f"{caller} needs classes from 0 to {classes - 1}, got {int(labels.min())} to "
            f"{int(labels.max())}. Set classes={int(labels.max()) + 1}."
        )
    return labels
