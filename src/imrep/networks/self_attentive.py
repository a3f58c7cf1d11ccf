"""Self-attentive pooling: several learned averages of tokens.

Lin, Feng, dos Santos, Yu, Xiang, Zhou and Bengio, "A structured self-attentive sentence embedding",
ICLR 2017. arXiv:1703.03130
"""

import torch
from torch import Tensor, nn


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

    def weights(self, tokens: Tensor, present: Tensor | None = None) -> Tensor:
        """Of every token in every average, (batch, hop, token); rows sum to one.

        Args:
            tokens: (batch, token, width).
            present: Which tokens count, (batch, token); None for all.
        """
        scores = self.outer(self.inner(tokens).tanh()).mT
        if present is not None:
            scores = scores.masked_fill(~present[:, None], float("-inf"))
        return scores.softmax(-1)

    def forward(self, tokens: Tensor, present: Tensor | None = None) -> Tensor:
        """The averages of (batch, token, width) one after the other, (batch, hop · width)."""
        return (self.weights(tokens, present) @ tokens).flatten(1)


def redundancy(weights: Tensor) -> Tensor:
    """The squared Frobenius norm of A Aᵀ - I, a mean over the images.

    It is small where each average concentrates on few tokens, and no two on the same.

    Args:
        weights: (batch, hop, token), rows that sum to one.
    """
    gram = weights @ weights.mT
    identity = torch.eye(gram.shape[-1], dtype=gram.dtype, device=gram.device)
    return (gram - identity).square().sum((1, 2)).mean()
