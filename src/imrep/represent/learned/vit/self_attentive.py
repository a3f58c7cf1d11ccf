"""Self-attentive pooling: several learned averages of tokens, and the classifier that trains it.

Lin, Feng, dos Santos, Yu, Xiang, Zhou and Bengio, "A structured self-attentive sentence embedding",
ICLR 2017. arXiv:1703.03130
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from imrep.weights import State, strict


class SelfAttentive(nn.Module):
    """A = softmax(W2 tanh(W1 Hᵀ)) over the tokens H, and M = A H.

    Args:
        width: Numbers in a token.
        units: Of the hidden layer, d_a in the paper.
        hops: Averages, r in the paper.
    """

    def __init__(self, width: int, units: int, hops: int) -> None:
        super().__init__()
        self.inner = nn.Linear(width, units, bias=False)
        self.outer = nn.Linear(units, hops, bias=False)

    def weights(self, tokens: Tensor) -> Tensor:
        """Of every token in every average, (batch, hop, token); rows sum to one."""
        return self.outer(self.inner(tokens).tanh()).mT.softmax(-1)

    def forward(self, tokens: Tensor) -> Tensor:
        """The averages of (batch, token, width) one after the other, (batch, hop · width)."""
        return (self.weights(tokens) @ tokens).flatten(1)


def redundancy(weights: Tensor) -> Tensor:
    """The squared Frobenius norm of A Aᵀ - I, a mean over the images.

    It is small where each average concentrates on few tokens, and no two on the same.

    Args:
        weights: (batch, hop, token), rows that sum to one.
    """
    gram = weights @ weights.mT
    identity = torch.eye(gram.shape[-1], dtype=gram.dtype, device=gram.device)
    return (gram - identity).square().sum((1, 2)).mean()


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
