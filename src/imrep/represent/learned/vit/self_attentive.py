"""What is trained behind a transformer: a pooling of its patches, and a classifier."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from imrep.networks.self_attentive import SelfAttentive, redundancy
from imrep.weights import State, strict


class Head(nn.Module):
    """What is trained behind a transformer: a pooling, if it has one of its own, and a classifier.

    Args:
        pooling: Of the patches; None for another that has nothing to learn.
        dim: Numbers in the vector that the classifier reads.
        classes: Number of classes.
    """

    begun: Tensor

    def __init__(self, pooling: SelfAttentive | None, dim: int, classes: int) -> None:
        super().__init__()
        self.pooling = pooling
        self.classifier = nn.Linear(dim, classes)
        self.register_buffer("begun", torch.zeros((), dtype=torch.int64))  # epochs of training

    def loss(self, vectors: Tensor, patches: Tensor, labels: Tensor, penalty: float) -> Tensor:
        """Cross-entropy, plus `penalty` times the redundancy; images of class -1 have none.

        Args:
            vectors: (batch, dim).
            patches: (batch, token, width), that the pooling reads.
            labels: (batch,).
            penalty: Factor of the redundancy.
        """
        labelled = labels >= 0
        if not labelled.any():
            return vectors.sum() * 0 + self.classifier.bias.sum() * 0
        loss = F.cross_entropy(self.classifier(vectors[labelled]), labels[labelled])
        if self.pooling is None or not penalty:
            return loss
        return loss + penalty * redundancy(self.pooling.weights(patches[labelled]))

    def take(self, state: State, arch: str, caller: str) -> None:
        """Load what was trained beside a network, where the file of that holds it.

        Args:
            state: Of `ViT.save`.
            arch: The network's name in messages.
            caller: The name that messages start with.

        Raises:
            BadParameter: If it is of other sizes.
        """
        own = {k.removeprefix("head."): v for k, v in state.items() if k.startswith("head.")}
        if "begun" in own:
            self.load_state_dict(strict.fit(own, self.state_dict(), arch, caller))
