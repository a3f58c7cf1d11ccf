"""Checks of the parameters."""

from typing import Any

from imrep import checks
from imrep.errors import BadParameter
from imrep.represent.language.virtex.pretraining import CLASSIFYING, TASKS
from imrep.represent.language.virtex.recurrent import CELLS, CONTEXTS
from imrep.represent.language.virtex.textual import Sizes
from imrep.represent.language.virtex.tokens import SPECIAL

NO_HEAD = "none"  # the task of a backbone alone
DECODERS = ("transformer", "recurrent")
SHOWS = ("map", "words")
# What the weights decide.
FIXED = ("arch", "task", "decoder", "layers", "hidden", "heads", "feedforward", "norm_first",
         "cell", "context", "vocabulary", "max_length", "classes")  # fmt: skip

_HEAD_WIDTH = 64
_MAX_LAYERS, _MAX_WIDTH, _MAX_WORDS, _MAX_LENGTH = 48, 8192, 200_000, 1024
_MIN_SIDE, _MAX_SIDE = 32, 1024


def check(rep: Any) -> None:
    """Refuse parameters out of their range, and those of another decoder.

    Raises:
        BadParameter: Naming the parameter.
    """
    name = rep.name
    checks.one_of(rep.task, (*TASKS, NO_HEAD), name, "task")
    checks.one_of(rep.decoder, DECODERS, name, "decoder")
    checks.one_of(rep.cell, CELLS, name, "cell")
    checks.one_of(rep.context, CONTEXTS, name, "context")
    checks.one_of(rep.show, SHOWS, name, "show")
    checks.integer(rep.side, _MIN_SIDE, _MAX_SIDE, name, "side")
    checks.integer(rep.layers, 1, _MAX_LAYERS, name, "layers")
    checks.integer(rep.hidden, 1, _MAX_WIDTH, name, "hidden")
    checks.integer(rep.heads, 0, _MAX_WIDTH, name, "heads")
    checks.integer(rep.feedforward, 0, 4 * _MAX_WIDTH, name, "feedforward")
    checks.integer(rep.vocabulary, SPECIAL + 1, _MAX_WORDS, name, "vocabulary")
    checks.integer(rep.max_length, 3, _MAX_LENGTH, name, "max_length")
    checks.integer(rep.classes, 1, _MAX_WORDS, name, "classes")
    checks.between(rep.dropout, 0, 0.9, name, "dropout")
    heads = head_count(rep)
    if rep.hidden % heads:
        raise BadParameter(
            f"{name} needs heads that divide hidden, got hidden={rep.hidden} and {heads} heads. "
            "Set heads=1."
        )
    if rep.decoder == "recurrent" and rep.task == "masked-lm":
        raise BadParameter(
            f"{name} needs decoder=transformer for task=masked-lm, which reads words on both "
            "sides, got recurrent. Use task=bicaptioning."
        )


def head_count(rep: Any) -> int:
    """Heads of the attentions."""
    return rep.heads or max(1, rep.hidden // _HEAD_WIDTH)


def sizes(rep: Any, channels: int) -> Sizes:
    """What determines the textual head's tensors."""
    return Sizes(
        channels=channels,
        vocabulary=rep.vocabulary,
        length=rep.max_length,
        width=rep.hidden,
        layers=rep.layers,
        heads=head_count(rep),
        feedforward=rep.feedforward or 4 * rep.hidden,
        norm_first=rep.norm_first,
        dropout=rep.dropout,
        cell=rep.cell if rep.decoder == "recurrent" else "",
        context=rep.context,
        bidirectional=rep.task == "bicaptioning",
    )


def outputs(rep: Any) -> int:
    """Outputs of a linear head: words, or classes after an unused first one."""
    return rep.vocabulary if rep.task == CLASSIFYING[0] else rep.classes + 1


def check_tokens(rep: Any, count: int) -> None:
    """Refuse a tokenizer of another vocabulary than the head's.

    Raises:
        BadParameter: With both numbers.
    """
    if count != rep.vocabulary:
        raise BadParameter(
            f"{rep.name} needs a tokenizer of {rep.vocabulary:,} tokens, got {count:,}. Pass that "
            f"of the weights, or set vocabulary={count}."
        )
