"""Captions from the logits of a decoder: beam search and nucleus sampling.

A. Holtzman, J. Buys, L. Du, M. Forbes and Y. Choi, "The curious case of neural text degeneration",
ICLR 2020. arXiv:1904.09751
"""

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from imrep.represent.language.virtex.tokens import END, START

_REPEATED = -10_000.0  # log-probability of the token before


@runtime_checkable
class Decoded(Protocol):
    """What a search needs of a textual head."""

    def start(self, maps: Tensor) -> Any:
        """The state before the first token, of maps (b, channels, h, w)."""

    def step(self, tokens: Tensor, progress: Any) -> tuple[Tensor, Any]:
        """Logits (rows, words) after one more token (rows,), and the state."""


@dataclass(frozen=True)
class Captions:
    """The captions of images, the most probable first.

    Args:
        tokens: (b, n, t), without [SOS]; [EOS] after the end.
        scores: Log-probability of each under the rules of the search, (b, n).
    """

    tokens: Tensor
    scores: Tensor


def beam_search(
    head: Decoded,
    maps: Tensor,
    *,
    beam: int = 5,
    per_node: int = 2,
    length: int = 30,
    official_quirk: bool = False,
) -> Captions:
    """The `beam` captions of each image with the highest probability that the search meets.

    A token is not repeated at once. Probabilities are not divided by the length.

    Args:
        head: The textual head.
        maps: Of the images, (b, channels, h, w).
        beam: Captions that are followed side by side.
        per_node: Continuations of each that are considered.
        length: Largest number of tokens of a caption.
        official_quirk: Whether [SOS] is left out after the first token, as the authors' search
            does; the position of each token is then lower by one than in training.
    """
    images = len(maps)
    first = torch.full((images,), START, device=maps.device)
    logits, progress = head.step(first, head.start(maps))
    scores, tokens = logits.log_softmax(1).topk(beam, 1)  # (b, beam)
    captions = tokens[..., None]
    rows = torch.arange(images, device=maps.device).repeat_interleave(beam)
    progress = (progress.forgetting() if official_quirk else progress).select(rows)
    while captions.shape[2] < length and not (captions[..., -1] == END).all():
        last = captions[..., -1].flatten()
        logits, progress = head.step(last, progress)
        logs = _constrained(logits.log_softmax(1), last)
        best, choices = logs.topk(min(per_node, logs.shape[1]), 1)  # (b · beam, per_node)
        totals = (scores.flatten()[:, None] + best).view(images, -1)
        scores, indices = totals.topk(beam, 1)
        parents = indices // best.shape[1]
        tokens = choices.view(images, -1).gather(1, indices)
        earlier = captions.gather(1, parents[..., None].expand(-1, -1, captions.shape[2]))
        captions = torch.cat([earlier, tokens[..., None]], 2)
        offsets = beam * torch.arange(images, device=maps.device)[:, None]
        progress = progress.select((offsets + parents).flatten())
    return Captions(captions, scores)


def nucleus_sampling(
    head: Decoded,
    maps: Tensor,
    *,
    mass: float = 0.9,
    count: int = 1,
    length: int = 30,
    generator: torch.Generator | None = None,
) -> Captions:
    """`count` captions of each image, each token drawn from the most probable ones.

    Args:
        head: The textual head.
        maps: Of the images, (b, channels, h, w).
        mass: Probability, in sum, of the tokens that are drawn from.
        count: Captions of an image.
        length: Largest number of tokens of a caption.
        generator: Of the draws, of the CPU; None for torch's own.
    """
    images = len(maps)
    rows = torch.arange(images, device=maps.device).repeat_interleave(count)
    last = torch.full((images,), START, device=maps.device)
    logits, progress = head.step(last, head.start(maps))
    logits, progress, last = logits[rows], progress.select(rows), last[rows]
    scores = torch.zeros(len(rows), device=maps.device)
    captions: list[Tensor] = []
    while True:
        logs = _constrained(logits.log_softmax(1), last)
        last = _draw(logs, mass, generator)
        scores = scores + logs.gather(1, last[:, None])[:, 0]
        captions.append(last)
        if len(captions) >= length or bool((last == END).all()):
            break
        logits, progress = head.step(last, progress)
    tokens, scores = torch.stack(captions, 1).unflatten(0, (images, -1)), scores.view(images, -1)
    scores, order = scores.sort(dim=1, descending=True, stable=True)
    return Captions(tokens.gather(1, order[..., None].expand_as(tokens)), scores)


def _constrained(logs: Tensor, last: Tensor) -> Tensor:
    """Log-probabilities without the token before; of an ended caption, [EOS] alone."""
    logs = logs.scatter(1, last[:, None], _REPEATED)
    only = torch.full_like(logs, -torch.inf)
    only[:, END] = 0
    return torch.where((last == END)[:, None], only, logs)


def _draw(logs: Tensor, mass: float, generator: torch.Generator | None) -> Tensor:
    """One token of each row, (rows,), from the fewest whose probability reaches `mass`."""
    ordered, indices = logs.softmax(1).sort(1, descending=True)
    before = ordered.cumsum(1) - ordered
    weights = ordered.where(before < mass, 0).cpu()
    position = torch.multinomial(weights, 1, generator=generator).to(indices.device)
    return indices.gather(1, position)[:, 0]
