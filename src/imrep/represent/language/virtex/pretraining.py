"""The losses of the pretraining tasks.

Masked language modelling: J. Devlin, M.-W. Chang, K. Lee and K. Toutanova, "BERT", NAACL 2019.
doi:10.18653/v1/N19-1423
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from imrep.represent.language.virtex.tokens import MASK, PAD, SPECIAL

TASKS = (
    "bicaptioning",
    "captioning",
    "token-classification",
    "multilabel-classification",
    "masked-lm",
)
CLASSIFYING = TASKS[2:4]  # whose head is a linear layer
_SELECTED = 0.15  # share of the words that are predicted
_MASKED, _RANDOM = 0.85, 0.10  # of these, the shares that become [MASK] or another word


def loss(task: str, head: nn.Module, maps: Tensor, batch: dict[str, Tensor]) -> Tensor:
    """The loss of a task.

    Args:
        task: One of `TASKS`.
        head: Of that task.
        maps: Of the images, (b, channels, h, w).
        batch: `caption_tokens` (b, t) and `caption_length` (b,); or `labels` (b, n), padded by -1.
    """
    if task == "multilabel-classification":
        return set_classification(head, maps, batch["labels"], 1)
    lengths = batch["caption_length"]
    tokens = batch["caption_tokens"][:, : max(2, int(lengths.max()))]
    if task == "token-classification":
        return token_classification(head, maps, tokens)
    if task == "masked-lm":
        return masked_language_modelling(head, maps, tokens, lengths)
    return captioning(head, maps, tokens, lengths, bidirectional=task == "bicaptioning")


def captioning(
    head: nn.Module, maps: Tensor, tokens: Tensor, lengths: Tensor, *, bidirectional: bool
) -> Tensor:
    """Mean cross-entropy of each next token, plus that of the reversed caption.

    Args:
        head: With two decoders if `bidirectional`.
        maps: Of the images, (b, channels, h, w).
        tokens: (b, t), padded with 0 on the right.
        lengths: Number of tokens without padding, (b,).
        bidirectional: Whether captions are read backwards as well.
    """
    loss = _next_token(head(maps, tokens, lengths), tokens)
    if bidirectional:
        backwards = reversed_tokens(tokens, lengths)
        loss = loss + _next_token(head(maps, backwards, lengths, backward=True), backwards)
    return loss


def reversed_tokens(tokens: Tensor, lengths: Tensor) -> Tensor:
    """Each caption from its last token to its first, still padded on the right."""
    positions = torch.arange(tokens.shape[1], device=tokens.device)
    reverse = lengths[:, None] - 1 - positions
    return tokens.gather(1, reverse.clamp(min=0)).where(reverse >= 0, PAD)


def masked_language_modelling(head: Any, maps: Tensor, tokens: Tensor, lengths: Tensor) -> Tensor:
    """Mean cross-entropy of words that were masked, from all others and the image.

    Of each caption 15 % of the words, at least one, by torch's generator of the CPU.
    """
    masked, targets = mask_words(tokens, lengths, int(head.vocabulary))
    return _cross_entropy(head(maps, masked, lengths, causal=False), targets)


def mask_words(tokens: Tensor, lengths: Tensor, vocabulary: int) -> tuple[Tensor, Tensor]:
    """The tokens with some words masked or exchanged, and these words, 0 elsewhere; (b, t)."""
    positions = torch.arange(tokens.shape[1])
    words = (tokens.cpu() >= SPECIAL) & (positions < lengths.cpu()[:, None])
    order = torch.rand(tokens.shape).where(words, 2.0).argsort(1).argsort(1)
    counts = (_SELECTED * words.sum(1)).round().clamp(min=1)
    selected = ((order < counts[:, None]) & words).to(tokens.device)
    change = torch.rand(tokens.shape).to(tokens.device)
    others = torch.randint(SPECIAL, max(vocabulary, SPECIAL + 1), tokens.shape).to(tokens.device)
    masked = tokens.where(~selected | (change >= _MASKED), MASK)
    exchanged = selected & (change >= _MASKED) & (change < _MASKED + _RANDOM)
    return others.where(exchanged, masked), tokens.where(selected, PAD)


def token_classification(head: nn.Module, maps: Tensor, tokens: Tensor) -> Tensor:
    """Mean negative log-probability of the words of each caption, each word once.

    Captions without a word do not count.
    """
    return set_classification(head, maps, tokens, SPECIAL)


def set_classification(head: nn.Module, maps: Tensor, members: Tensor, first: int = 0) -> Tensor:
    """Mean negative log-probability of the members of a set, each once; images are averaged.

    Args:
        head: With an output for each class.
        maps: Of the images, (b, channels, h, w).
        members: Classes of each image, (b, n), below `first` where there is no more.
        first: The first class that counts.
    """
    logs = head(maps).log_softmax(1)
    target = torch.zeros_like(logs).scatter(1, members.clamp(min=0), 1.0)
    absent = (members < 0).any(1) & ~(members == 0).any(1)
    target[:, 0] = target[:, 0].where(~absent, 0)
    target[:, :first] = 0
    sizes = target.sum(1)
    means = -(logs * target).sum(1) / sizes.clamp(min=1)
    return means.sum() / (sizes > 0).sum().clamp(min=1)


def _next_token(logits: Tensor, tokens: Tensor) -> Tensor:
    return _cross_entropy(logits[:, :-1], tokens[:, 1:])


def _cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean over the targets that are no padding; 0 where there is none."""
    total = F.cross_entropy(
        logits.flatten(0, 1), targets.flatten(), ignore_index=PAD, reduction="sum"
    )
    return total / (targets != PAD).sum().clamp(min=1)
