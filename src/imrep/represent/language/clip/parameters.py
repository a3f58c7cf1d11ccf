"""Checks of the parameters of `clip`, and of codes."""

from typing import Any

from imrep import checks
from imrep.codes import Tokens
from imrep.errors import BadCode
from imrep.networks import inputs
from imrep.represent.language.clip.text_pooling import METHODS

OBJECTIVES = ("contrastive", "sigmoid")
NAMED = ("published", "random")  # weights that are no tag and no file
OF_THE_WEIGHTS = ("pooling", "hops", "units")  # parameters that saved weights decide
_MAX_HEADS = 256
_MAX_HOPS = 64
_MAX_UNITS = 4096
_MAX_PART = 2**20


def check(rep: Any) -> None:
    """Refuse parameters out of their ranges, before a network is built.

    Raises:
        BadParameter: Naming the first.
    """
    checks.one_of(rep.pooling, METHODS, rep.name, "pooling")
    if rep.objective is not None:
        checks.one_of(rep.objective, OBJECTIVES, rep.name, "objective")
    checks.one_of(rep.precision, inputs.PRECISIONS, rep.name, "precision")
    checks.integer(rep.hops, 1, _MAX_HOPS, rep.name, "hops")
    checks.integer(rep.units, 1, _MAX_UNITS, rep.name, "units")
    checks.integer(rep.part, 0, _MAX_PART, rep.name, "part")
    for name in ("image_heads", "text_heads"):
        if (heads := getattr(rep, name)) is not None:
            checks.integer(heads, 1, _MAX_HEADS, rep.name, name)


def check_shapes(code: Tokens, dim: int, caller: str) -> None:
    """Refuse the tokens of another model.

    Raises:
        BadCode: With the numbers.
    """
    rows, columns = code.grid
    if code.summary.shape[1] != dim or code.patches.shape[1] != rows * columns:
        raise BadCode(
            f"{caller} needs a vector of {dim} numbers and a token for each of {rows} × {columns} "
            f"patches, got {code.summary.shape[1]} and {code.patches.shape[1]}. "
            "Encode the image anew."
        )
