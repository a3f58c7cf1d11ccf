"""The earlier decoder: a recurrent network that is aligned with the image's positions.

D. Bahdanau, K. Cho and Y. Bengio, "Neural machine translation by jointly learning to align and
translate", ICLR 2015. arXiv:1409.0473
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

CELLS = ("gru", "lstm")
CONTEXTS = ("attention", "last")


@dataclass(frozen=True)
class State:
    """The state of a caption between two words.

    Args:
        memory: The image's positions (b, n, width), which its rows share.
        keys: Them, as the alignment compares them; or the one context vector (b, 1, width).
        hidden: Of the network, (rows, width).
        cell: Of an LSTM, (rows, width); else empty.
        length: Number of words.
    """

    memory: Tensor
    keys: Tensor
    hidden: Tensor
    cell: Tensor
    length: int = 0

    def select(self, rows: Tensor) -> "State":
        """The same with the words of other rows (n,)."""
        return replace(self, hidden=self.hidden[rows], cell=self.cell[rows])

    def forgetting(self) -> "State":
        """The same without words, for as many rows as there are images."""
        images = len(self.memory)
        step = max(1, len(self.hidden) // images)
        first, cell = self.hidden[::step], self.cell[::step]
        return replace(self, hidden=torch.zeros_like(first), cell=torch.zeros_like(cell), length=0)


class RecurrentDecoder(nn.Module):
    """A GRU or an LSTM whose input is the last word and a context vector of the image.

    With "attention" the context is a mean of the positions, weighted anew for each word: the weight
    of position h is the softmax of v · tanh(W s + U h), for the state s before the word. With
    "last" it is one vector for all words: the last state of another such network, which reads the
    positions row by row (the encoder without alignment that the paper compares with).

    Args:
        cell: "gru" or "lstm".
        context: "attention" or "last".
        width: Of all vectors.
        dropout: Share of a word's vector that is dropped in training.
    """

    def __init__(self, cell: str, context: str, width: int, dropout: float) -> None:
        super().__init__()
        self.context, self.width = context, width
        self.cell = _cell(cell, 2 * width, width)
        self.readout = nn.Linear(3 * width, width)
        self.dropout = nn.Dropout(dropout)
        if context == "attention":
            self.query, self.key = nn.Linear(width, width), nn.Linear(width, width, bias=False)
            self.score = nn.Linear(width, 1, bias=False)
        else:
            self.reader = _cell(cell, width, width)

    def start(self, memory: Tensor) -> State:
        """What a caption of images begins with, of their positions (b, n, width)."""
        blank = memory.new_zeros(len(memory), self.width)
        if self.context == "attention":
            return State(memory, self.key(memory), blank, blank)
        hidden, cell = blank, blank
        for position in memory.unbind(1):
            hidden, cell = _advance(self.reader, position, hidden, cell)
        return State(memory, hidden[:, None], blank, blank)

    def forward(
        self, x: Tensor, state: State, mask: Tensor | None = None
    ) -> tuple[Tensor, State, Tensor]:
        """The vectors (b, t, width), the state after these words, and the alignment (b, t, n).

        Args:
            x: Words as vectors (b, t, width).
            state: Before them.
            mask: Not used: no word depends on a later one.
        """
        outputs, alignments = [], []
        hidden, cell = state.hidden, state.cell
        for word in x.unbind(1):
            alignment = self._aligned(state, hidden)
            context = self._mean(state, alignment)
            inputs = torch.cat([word, context], 1)
            hidden, cell = _advance(self.cell, inputs, hidden, cell)
            outputs.append(self.readout(torch.cat([hidden, context, word], 1)).tanh())
            alignments.append(alignment)
        after = replace(state, hidden=hidden, cell=cell, length=state.length + x.shape[1])
        return self.dropout(torch.stack(outputs, 1)), after, torch.stack(alignments, 1)

    def alignment(self, weights: Tensor, state: State) -> Tensor:
        """The weights of the image's positions, (b, t, n), rows sum to 1."""
        return weights

    def _aligned(self, state: State, hidden: Tensor) -> Tensor:
        """The weights of the positions for the next word, (rows, n)."""
        images, count = state.memory.shape[:2]
        if self.context == "last":
            return hidden.new_full((len(hidden), count), 1 / count)
        queries = self.query(hidden).unflatten(0, (images, -1))[:, :, None]
        scores = self.score((queries + state.keys[:, None]).tanh())
        return scores[..., 0].softmax(-1).flatten(0, 1)

    def _mean(self, state: State, alignment: Tensor) -> Tensor:
        """The context vector of each row, (rows, width)."""
        images = len(state.memory)
        weights = alignment.unflatten(0, (images, -1))
        if self.context == "last":
            return state.keys.expand(-1, weights.shape[1], -1).flatten(0, 1)
        return (weights @ state.memory).flatten(0, 1)


def _cell(name: str, inputs: int, width: int) -> nn.GRUCell | nn.LSTMCell:
    return (nn.GRUCell if name == "gru" else nn.LSTMCell)(inputs, width)


def _advance(network: nn.Module, x: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
    """Hidden state and cell after an input; a GRU has no cell."""
    if isinstance(network, nn.LSTMCell):
        after, cell = network(x, (hidden, cell))
        return after, cell
    return network(x, hidden), cell
