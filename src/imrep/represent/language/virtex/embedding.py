"""Words and their positions as vectors."""

import torch
from torch import Tensor, nn

from imrep.represent.language.virtex.tokens import PAD

_EPSILON = 1e-8  # of the layer norm
DEVIATION = 0.02  # of the first weights


class WordAndPositionEmbedding(nn.Module):
    """A word's vector plus its position's, normalised; zero where there is padding.

    Args:
        vocabulary: Number of words.
        width: Of a vector.
        length: Number of positions.
        dropout: Share of a vector's numbers that is dropped in training.
    """

    def __init__(self, vocabulary: int, width: int, length: int, dropout: float) -> None:
        super().__init__()
        self.words = nn.Embedding(vocabulary, width, padding_idx=PAD)
        self.positions = nn.Embedding(length, width)
        self.layer_norm = nn.LayerNorm(width, eps=_EPSILON)
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor, first: int = 0) -> Tensor:
        """(b, t, width) of tokens (b, t), whose positions count from `first`."""
        positions = torch.arange(first, first + tokens.shape[1], device=tokens.device)
        x = self.layer_norm(self.words(tokens) + self.positions(positions))
        return self.dropout(x) * (tokens != PAD)[..., None]


def initialise(module: nn.Module) -> None:
    """Draw the weights of all linear layers, embeddings and attentions; zero the padding's."""
    for part in module.modules():
        if isinstance(part, nn.Linear | nn.Embedding):
            nn.init.normal_(part.weight, std=DEVIATION)
        elif isinstance(part, nn.MultiheadAttention):
            nn.init.normal_(part.in_proj_weight, std=DEVIATION)
            nn.init.normal_(part.out_proj.weight, std=DEVIATION)
        if isinstance(part, nn.Embedding) and part.padding_idx is not None:
            with torch.no_grad():
                part.weight[part.padding_idx].zero_()
