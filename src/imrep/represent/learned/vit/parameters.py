"""Checks of the parameters of `vit`."""

import difflib
import re
from collections.abc import Collection, Mapping
from typing import Any

from imrep import checks
from imrep.errors import BadParameter
from imrep.networks import inputs, transformers
from imrep.registry import specs

POOLINGS = ("head", "token", "mean", "both", "self-attentive")
PICTURES = ("rollout", "heads", "hops", "components")
TRAINED = ("pooling", "network")
OF_THE_NETWORK = ("arch", "layer", "pooling", "hops", "units")  # parameters that its weights decide

_MAX_SIDE = 2048  # pixels
_MAX_HOPS = 64
_MAX_UNITS = 4096
_MAX_CLASSES = 100_000
_MAX_PENALTY = 1e6
_ONE_HEAD = re.compile(r"head(\d{1,3})")


def check(rep: Any) -> None:
    """Refuse parameters out of their ranges, before a network is built.

    Raises:
        BadParameter: Naming the first.
    """
    checks.one_of(rep.pooling, POOLINGS, rep.name, "pooling")
    checks.one_of(rep.trains, TRAINED, rep.name, "trains")
    checks.one_of(rep.precision, inputs.PRECISIONS, rep.name, "precision")
    checks.integer(rep.hops, 1, _MAX_HOPS, rep.name, "hops")
    checks.integer(rep.units, 1, _MAX_UNITS, rep.name, "units")
    checks.integer(rep.classes, 1, _MAX_CLASSES, rep.name, "classes")
    checks.integer(rep.epochs, 1, checks.MAX_ITERATIONS, rep.name, "epochs")
    checks.between(rep.penalty, 0, _MAX_PENALTY, rep.name, "penalty")
    if rep.side is not None:
        checks.integer(rep.side, 1, _MAX_SIDE, rep.name, "side")
    if one_head(rep.show) is None:
        checks.one_of(rep.show, PICTURES, rep.name, "show")
    if rep.show == "hops" and rep.pooling != "self-attentive":
        raise BadParameter(
            f"{rep.name} needs pooling=self-attentive to show its hops, got {rep.pooling}. "
            "Use show=rollout."
        )


def resolved(arch: str, side: int | None, aliases: Mapping[str, str]) -> tuple[str, int | None]:
    """The architecture's name in timm, and the side, by a short name where it is one."""
    if arch not in aliases:
        return arch, side
    (_, texts), *_ = specs.parse(f"vit:{aliases[arch]}")
    return texts["arch"], side or int(texts.get("side", 0)) or None


def check_arch(arch: str, aliases: Collection[str], caller: str) -> None:
    """Refuse what is no transformer of timm.

    Raises:
        BadParameter: With the nearest name.
    """
    import timm

    if timm.is_model(arch):
        return
    names = [*aliases, *transformers.names()]
    nearest = difflib.get_close_matches(arch, names, n=1)
    hint = f"Did you mean {nearest[0]!r}?" if nearest else "timm.list_models('vit*') shows some."
    raise BadParameter(
        f"{caller} needs arch to be a vision transformer of timm or one of the short names that "
        f"`imrep list` shows, got {arch!r}. {hint}"
    )


def one_head(show: str) -> int | None:
    """The number of the head that a picture shows alone, if it does."""
    match = _ONE_HEAD.fullmatch(show)
    return int(match[1]) if match else None


def check_head(show: str, count: int, caller: str) -> None:
    """Refuse a head that the network does not have.

    Raises:
        BadParameter: With their number.
    """
    head = one_head(show)
    if head is not None and head >= count:
        raise BadParameter(
            f"{caller} needs show to name one of {count} heads, from head0 to head{count - 1}, got "
            f"{show}. Use show=heads for all of them."
        )
