"""The transformer decoder: over the words so far, and over the positions of the image.

A. Vaswani, N. Shazeer, N. Parmar, J. Uszkoreit, L. Jones, A. N. Gomez, L. Kaiser and I. Polosukhin,
"Attention is all you need", NeurIPS 2017. arXiv:1706.03762
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Pair = tuple[Tensor, Tensor]  # keys and values, (b, heads, n, width / heads)


@dataclass(frozen=True)
class Cache:
    """What the layers have computed: of the image once, of the words up to now.

    Args:
        memory: Keys and values of the image's positions, by layer.
        past: Those of the words, by layer; None before the first.
    """

    memory: tuple[Pair, ...]
    past: tuple[Pair, ...] | None = None

    @property
    def length(self) -> int:
        """Number of words."""
        return 0 if self.past is None else self.past[0][0].shape[2]

    def select(self, rows: Tensor) -> "Cache":
        """The same with the words of other rows (n,); an image's memory serves all its rows."""
        if self.past is None:
            return self
        return Cache(self.memory, tuple((k[rows], v[rows]) for k, v in self.past))

    def forgetting(self) -> "Cache":
        """The same without words."""
        return Cache(self.memory)


class Layer(nn.Module):
    """Self-attention, attention to the image, and a feed-forward network, each residual.

    Its parameters have the names of `torch.nn.TransformerDecoderLayer`.

    Args:
        width: Of a vector.
        heads: Of both attentions.
        feedforward: Width within the feed-forward network.
        dropout: Share that is dropped in training.
        norm_first: Whether layer norm comes before each of the three, not after its sum.
    """

    def __init__(
        self, width: int, heads: int, feedforward: int, dropout: float, norm_first: bool
    ) -> None:
        super().__init__()
        self.heads, self.rate, self.norm_first = heads, dropout, norm_first
        self.self_attn = nn.MultiheadAttention(width, heads, batch_first=True)
        self.multihead_attn = nn.MultiheadAttention(width, heads, batch_first=True)
        self.linear1 = nn.Linear(width, feedforward)
        self.linear2 = nn.Linear(feedforward, width)
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(width) for _ in range(3))
        self.dropout = nn.Dropout(dropout)

    def keys_and_values(self, memory: Tensor) -> Pair:
        """Of the image's positions (b, n, width)."""
        return self._pair(self.multihead_attn, memory)

    def forward(
        self, x: Tensor, memory: Pair, mask: Tensor | None, past: Pair | None
    ) -> tuple[Tensor, Pair, Tensor]:
        """The vectors (b, t, width), keys and values of all words, queries to the image.

        Args:
            x: (b, t, width).
            memory: Of b images, or of fewer, each of which serves as many consecutive rows.
            mask: True where a word may be attended to, (b, 1, t, t); None for everywhere.
            past: Keys and values of earlier words.
        """
        inner = self.norm1(x) if self.norm_first else x
        pair = self._pair(self.self_attn, inner)
        if past is not None:
            pair = (torch.cat([past[0], pair[0]], 2), torch.cat([past[1], pair[1]], 2))
        own = self._attend(self.self_attn, self._queries(self.self_attn, inner), pair, mask)
        x = self._added(x, own, self.norm1)
        inner = self.norm2(x) if self.norm_first else x
        queries = self._queries(self.multihead_attn, inner)
        queries = _grouped(queries, len(memory[0]))
        from_image = self._attend(self.multihead_attn, queries, memory, None)
        x = self._added(x, from_image.reshape(x.shape), self.norm2)
        inner = self.norm3(x) if self.norm_first else x
        inner = self.linear2(self.dropout(F.gelu(self.linear1(inner))))
        return self._added(x, inner, self.norm3), pair, queries

    def _added(self, x: Tensor, update: Tensor, norm: nn.LayerNorm) -> Tensor:
        total = x + self.dropout(update)
        return total if self.norm_first else norm(total)

    def _attend(
        self, attention: nn.MultiheadAttention, queries: Tensor, pair: Pair, mask: Tensor | None
    ) -> Tensor:
        rate = self.rate if self.training else 0.0
        x = F.scaled_dot_product_attention(queries, *pair, attn_mask=mask, dropout_p=rate)
        return attention.out_proj(x.transpose(1, 2).flatten(2))

    def _queries(self, attention: nn.MultiheadAttention, x: Tensor) -> Tensor:
        width = x.shape[2]
        return self._split(
            F.linear(x, attention.in_proj_weight[:width], attention.in_proj_bias[:width])
        )

    def _pair(self, attention: nn.MultiheadAttention, x: Tensor) -> Pair:
        width = x.shape[2]
        both = F.linear(x, attention.in_proj_weight[width:], attention.in_proj_bias[width:])
        keys, values = both.chunk(2, 2)
        return self._split(keys), self._split(values)

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(2, (self.heads, -1)).transpose(1, 2)


class TransformerDecoder(nn.Module):
    """Layers, and with pre-norm a last layer norm.

    Args:
        layers: Number of them.
        width: Of a vector.
        heads: Of the attentions.
        feedforward: Width within the feed-forward networks.
        dropout: Share that is dropped in training.
        norm_first: Whether layer norm comes first.
    """

    def __init__(  # L, H, A and F of the paper
        self,
        layers: int,
        width: int,
        heads: int,
        feedforward: int,
        dropout: float,
        norm_first: bool,
    ) -> None:
        super().__init__()
        sizes = (width, heads, feedforward, dropout, norm_first)
        self.layers = nn.ModuleList(Layer(*sizes) for _ in range(layers))
        self.norm = nn.LayerNorm(width) if norm_first else None

    def start(self, memory: Tensor) -> Cache:
        """What a caption of images begins with, of their positions (b, n, width)."""
        return Cache(tuple(layer.keys_and_values(memory) for layer in self._layers()))

    def forward(
        self, x: Tensor, cache: Cache, mask: Tensor | None = None
    ) -> tuple[Tensor, Cache, Tensor]:
        """The vectors (b, t, width), the cache with these words, what `alignment` needs of them.

        Args:
            x: Words as vectors (b, t, width).
            cache: Of their images and of earlier words.
            mask: True where a word may be attended to, (b, 1, t, t); None for everywhere.
        """
        pasts: list[Pair] = []
        queries = x
        for number, layer in enumerate(self._layers()):
            past = None if cache.past is None else cache.past[number]
            x, pair, queries = layer(x, cache.memory[number], mask, past)
            pasts.append(pair)
        x = x if self.norm is None else self.norm(x)
        return x, Cache(cache.memory, tuple(pasts)), queries

    def alignment(self, queries: Tensor, cache: Cache) -> Tensor:
        """The last layer's attention to the image, a mean over heads: (b, t, n), rows sum to 1."""
        keys = cache.memory[-1][0]
        return (queries @ keys.mT / queries.shape[-1] ** 0.5).softmax(-1).mean(1)

    def _layers(self) -> list[Layer]:
        return [layer for layer in self.layers if isinstance(layer, Layer)]


def causal_mask(lengths: Tensor, count: int, causal: bool) -> Tensor:
    """Where a word may be attended to, (b, 1, t, t): no padding, and no later word if causal."""
    positions = torch.arange(count, device=lengths.device)
    mask = (positions < lengths[:, None])[:, None, None, :].expand(-1, 1, count, -1)
    return mask & (positions <= positions[:, None]) if causal else mask


def _grouped(queries: Tensor, images: int) -> Tensor:
    """Rows of one image side by side: (b, heads, t, d) to (images, heads, b / images · t, d).

    Beams of an image share its keys without a copy of them.
    """
    if len(queries) == images:
        return queries
    return queries.unflatten(0, (images, -1)).transpose(1, 2).flatten(2, 3)
