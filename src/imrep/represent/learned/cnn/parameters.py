"""Checks of the parameters of `cnn`, and of codes of several layers."""

from collections.abc import Sequence
from typing import Any, cast

from imrep import checks, codecheck
from imrep.codes import Code, Map, Views
from imrep.errors import BadCode, BadParameter
from imrep.networks import layers, pooling
from imrep.networks.built import SUMMARIES

POOLINGS = (*pooling.METHODS, *SUMMARIES)
PRECISIONS = ("float32", "bfloat16")
_MAX_CLASSES = 100_000


def check(rep: Any) -> None:
    """Refuse parameters out of their ranges, and those that exclude each other.

    Raises:
        BadParameter: Naming the first.
    """
    checks.one_of(rep.pooling, POOLINGS, rep.name, "pooling")
    checks.one_of(rep.precision, PRECISIONS, rep.name, "precision")
    checks.integer(rep.cells, 1, checks.MAX_CELLS, rep.name, "cells")
    checks.integer(rep.classes, 0, _MAX_CLASSES, rep.name, "classes")
    checks.integer(rep.epochs, 0, checks.MAX_ITERATIONS, rep.name, "epochs")
    if rep.side is not None:
        checks.integer(rep.side, 1, checks.MAX_SIDE, rep.name, "side")
    layers.parse(rep.layer, rep.name)
    if rep.pooling not in SUMMARIES:
        return
    if rep.cells > 1:
        raise BadParameter(
            f"{rep.name} needs a pooling of maps for cells={rep.cells}, got {rep.pooling}, which "
            "the network itself computes. Use pooling=mean."
        )
    if rep.classes or rep.epochs:
        raise BadParameter(
            f"{rep.name} needs a pooling of maps to be trained, got {rep.pooling}. "
            f"Use layer={layers.PENULTIMATE}."
        )


def check_maps(code: Code, count: int, channels: Sequence[int], caller: str) -> None:
    """Refuse what is not the map of each of `count` layers for the same images.

    Args:
        code: Candidate.
        count: Number of layers.
        channels: Required of each map; empty for any.
        caller: The name that messages start with.

    Raises:
        BadCode: With what was given.
    """
    parts = code.codes if isinstance(code, Views) else (code,)
    for part in parts:
        codecheck.structure(part, Map, caller)
        if not cast(Map, part).values.numel():
            raise BadCode(f"{caller} needs maps of at least one cell, got {part}. Encode again.")
    if len(parts) != count or len({len(part) for part in parts}) > 1:
        raise BadCode(
            f"{caller} needs a code of each of {count} layers for the same images, got "
            f"{', '.join(map(repr, parts))}. Use the code that encode gave."
        )
    counts = [cast(Map, part).values.shape[1] for part in parts]
    if channels and counts != list(channels):
        raise BadCode(
            f"{caller} needs maps of {', '.join(map(str, channels))} channels, got "
            f"{', '.join(map(str, counts))}. Use the code that encode gave."
        )
