"""The textual head: what makes captions of the positions of an image."""

import copy
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from imrep.represent.language.virtex.embedding import WordAndPositionEmbedding, initialise
from imrep.represent.language.virtex.recurrent import RecurrentDecoder, State
from imrep.represent.language.virtex.transformer import Cache, TransformerDecoder, causal_mask

Progress = Cache | State  # of captions that are being decoded


@dataclass(frozen=True)
class Sizes:
    """What determines the tensors of a textual head.

    Args:
        channels: Of the image's map.
        vocabulary: Number of words.
        length: Number of positions.
        width: Of all vectors (H).
        layers: Of a transformer (L).
        heads: Of its attentions (A).
        feedforward: Width within its feed-forward networks (F).
        norm_first: Whether its layer norms come first.
        dropout: Share that is dropped in training.
        cell: Of a recurrent decoder: "gru" or "lstm"; "" for a transformer.
        context: Of a recurrent decoder: "attention" or "last".
        bidirectional: Whether a second decoder reads captions backwards.
    """

    channels: int
    vocabulary: int
    length: int
    width: int
    layers: int
    heads: int
    feedforward: int
    norm_first: bool
    dropout: float
    cell: str = ""
    context: str = "attention"
    bidirectional: bool = True


class TextualHead(nn.Module):
    """One or two decoders that share the image's projection, the words and the output.

    The output's weight is that of the words (tied); its bias is its own.

    Args:
        sizes: Of its tensors.
    """

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.visual_projection = nn.Linear(sizes.channels, sizes.width)
        self.embedding = WordAndPositionEmbedding(
            sizes.vocabulary, sizes.width, sizes.length, sizes.dropout
        )
        self.decoder = _decoder(sizes)
        self.bias = nn.Parameter(torch.zeros(sizes.vocabulary))
        initialise(self)
        self.backward_decoder = copy.deepcopy(self.decoder) if sizes.bidirectional else None

    @property
    def vocabulary(self) -> int:
        """Number of words."""
        return len(self.bias)

    @property
    def length(self) -> int:
        """Largest number of tokens."""
        return self.embedding.positions.num_embeddings

    def forward(
        self,
        maps: Tensor,
        tokens: Tensor,
        lengths: Tensor,
        *,
        backward: bool = False,
        causal: bool = True,
    ) -> Tensor:
        """The logits of the next word, or without `causal` of the word itself, (b, t, words).

        Args:
            maps: Of the images, (b, channels, h, w).
            tokens: (b, t), padded with 0 on the right.
            lengths: Number of tokens without padding, (b,).
            backward: Whether by the decoder that reads captions backwards.
            causal: Whether a word is predicted from those before it only.
        """
        decoder = self._chosen(backward)
        x, _, _ = decoder(
            self.embedding(tokens),
            decoder.start(self.memory(maps)),
            causal_mask(lengths, tokens.shape[1], causal),
        )
        return self._logits(x)

    def memory(self, maps: Tensor) -> Tensor:
        """The image's positions, row by row, (b, h · w, width)."""
        return self.visual_projection(maps.flatten(2).mT)

    def start(self, maps: Tensor) -> Progress:
        """What captions of images begin with."""
        return self._chosen(False).start(self.memory(maps))

    def step(self, tokens: Tensor, progress: Progress) -> tuple[Tensor, Progress]:
        """The logits (rows, words) after one more token (rows,) of each caption."""
        x = self.embedding(tokens[:, None], progress.length)
        x, progress, _ = self._chosen(False)(x, progress)
        return self._logits(x[:, 0]), progress

    def alignment(self, maps: Tensor, tokens: Tensor, first: int = 0) -> Tensor:
        """The weights of the image's positions as each next word is predicted, (b, t, h · w).

        Args:
            maps: Of the images, (b, channels, h, w).
            tokens: (b, t), without padding.
            first: The position of the first.
        """
        decoder, count = self._chosen(False), tokens.shape[1]
        start = decoder.start(self.memory(maps))
        lengths = torch.full((len(tokens),), count, device=tokens.device)
        x = self.embedding(tokens, first)
        _, after, weights = decoder(x, start, causal_mask(lengths, count, True))
        return decoder.alignment(weights, after)

    def _chosen(self, backward: bool) -> TransformerDecoder | RecurrentDecoder:
        decoder = self.backward_decoder if backward else self.decoder
        assert isinstance(decoder, TransformerDecoder | RecurrentDecoder)
        return decoder

    def _logits(self, x: Tensor) -> Tensor:
        return F.linear(x, self.embedding.words.weight, self.bias)


class LinearHead(nn.Module):
    """A linear layer over the mean of the map, for the tasks of classification.

    Args:
        channels: Of the image's map.
        classes: Number of outputs.
    """

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.output = nn.Linear(channels, classes)
        initialise(self)

    def forward(self, maps: Tensor) -> Tensor:
        """(b, classes)."""
        return self.output(maps.mean((2, 3)))


def _decoder(sizes: Sizes) -> TransformerDecoder | RecurrentDecoder:
    if sizes.cell:
        return RecurrentDecoder(sizes.cell, sizes.context, sizes.width, sizes.dropout)
    return TransformerDecoder(
        sizes.layers,
        sizes.width,
        sizes.heads,
        sizes.feedforward,
        sizes.dropout,
        sizes.norm_first,
    )
