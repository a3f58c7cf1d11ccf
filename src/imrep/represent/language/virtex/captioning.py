"""Captions of images, and what a decoder is aligned with as it writes each word."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from imrep import checks
from imrep.base import Evaluation
from imrep.errors import BadParameter
from imrep.represent.language.virtex.decoding import Captions, beam_search, nucleus_sampling
from imrep.represent.language.virtex.textual import TextualHead
from imrep.represent.language.virtex.tokens import PAD, START, Tokens

_MAX_BEAM = 256
_MAX_EXPONENT = 700.0  # of e, in double precision


@dataclass(frozen=True)
class Caption:
    """A caption of an image.

    Args:
        text: Its words.
        score: Its log-probability under the rules of the search.
    """

    text: str
    score: float


@dataclass(frozen=True)
class Search:
    """How captions are decoded.

    Args:
        beam: Captions followed side by side by beam search.
        nucleus: Probability, in sum, of the tokens that nucleus sampling draws from; 0 for beam
            search.
        official_quirk: Whether beam search leaves [SOS] out after the first token, as the authors'.
        seed: Of nucleus sampling.
    """

    beam: int = 5
    nucleus: float = 0.0
    official_quirk: bool = False
    seed: int = 0


def decode(head: TextualHead, maps: Tensor, search: Search, count: int, caller: str) -> Captions:
    """`count` captions of each image, the most probable first.

    Raises:
        BadParameter: A number is out of its range.
    """
    checks.integer(search.beam, 1, min(_MAX_BEAM, head.vocabulary), caller, "beam")
    checks.between(search.nucleus, 0, 1, caller, "nucleus")
    limit = _MAX_BEAM if search.nucleus else search.beam
    checks.integer(count, 1, limit, caller, "count")
    with torch.no_grad():
        if search.nucleus:
            generator = torch.Generator().manual_seed(search.seed)
            return nucleus_sampling(
                head,
                maps,
                mass=search.nucleus,
                count=count,
                length=head.length,
                generator=generator,
            )
        captions = beam_search(
            head,
            maps,
            beam=search.beam,
            length=head.length,
            official_quirk=search.official_quirk,
        )
    return Captions(captions.tokens[:, :count], captions.scores[:, :count])


def texts(captions: Captions, tokens: Tokens) -> list[list[Caption]]:
    """The captions of each image as text; of equal ones the most probable."""
    result = []
    for rows, scores in zip(captions.tokens.tolist(), captions.scores.tolist(), strict=True):
        by_text: dict[str, Caption] = {}
        for row, score in zip(rows, scores, strict=True):
            text = tokens.decode(row)
            by_text.setdefault(text, Caption(text, score))
        result.append([*by_text.values()])
    return result


def words(
    head: TextualHead, maps: Tensor, tokens: Tokens, search: Search, caller: str
) -> list[tuple[str, Tensor]]:
    """The best caption of one image, word by word, and the weights (h, w) of its positions.

    A word of several pieces has the mean of theirs.

    Args:
        head: With an alignment.
        maps: Of one image, (1, channels, h, w).
        tokens: Of the head.
        search: How the caption is decoded.
        caller: The name that messages start with.

    Raises:
        BadParameter: The decoder has no alignment.
    """
    if getattr(head.decoder, "context", "attention") != "attention":
        raise BadParameter(
            f"{caller} needs a decoder with attention to show what it is aligned with, got one "
            "context vector. Set context=attention and train it anew."
        )
    caption = decode(head, maps, search, 1, caller).tokens[0, 0]
    inputs = torch.cat([caption.new_tensor([START]), caption[:-1]])[None]
    with torch.no_grad():
        alignment = head.alignment(maps, inputs)[0].unflatten(1, maps.shape[2:])
    return [
        (word, alignment[positions].mean(0)) for word, positions in tokens.words(caption.tolist())
    ]


def evaluation(
    head: TextualHead,
    encode: Callable[[Tensor], Tensor],
    batches: Iterator[dict[str, Tensor]],
) -> Evaluation:
    """How well the next token is predicted from those before it.

    Args:
        head: The textual head.
        encode: Gives the maps of images.
        batches: With `image`, `caption_tokens` and `caption_length`.
    """
    loss, right, total = 0.0, 0, 0
    for batch in batches:
        tokens, lengths = batch["caption_tokens"], batch["caption_length"]
        logits = head(encode(batch["image"]), tokens, lengths)[:, :-1]
        targets = tokens[:, 1:]
        valid = targets != PAD
        logs = logits.log_softmax(2).gather(2, targets[..., None])[..., 0]
        loss -= float(logs[valid].sum())
        right += int(((logits.argmax(2) == targets) & valid).sum())
        total += int(valid.sum())
    count = max(1, total)
    perplexity = math.exp(min(loss / count, _MAX_EXPONENT))
    return Evaluation({"next token right": right / count, "perplexity": perplexity})
