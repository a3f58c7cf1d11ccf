"""Checks of the parameters of `cnn`, and of codes of several layers."""

from typing import Any

from imrep import checks, codecheck
from imrep.codes import Map, Views
from imrep.errors import BadCode, BadParameter
from imrep.networks import layers, pooling
from imrep.networks.built import WHOLE

POOLINGS = (*pooling.METHODS, *WHOLE)
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
        checks.at_least(rep.side, 1, rep.name, "side")
    layers.parse(rep.layer, rep.name)
    if rep.pooling not in WHOLE:
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


def check_views(code: Views, count: int, caller: str) -> None:
    """Refuse what is not the map of each of `count` layers for the same images.

    Raises:
        BadCode: With what was given.
    """
    if len(code.codes) != count or len({len(part) for part in code.codes}) > 1:
        raise BadCode(
            f"{caller} needs a code of each of {count} layers for the same images, got "
            f"{', '.join(map(repr, code.codes))}. Use the code that encode gave."
        )
    for part in code.codes:
        codecheck.structure(part, Map, caller)
