"""Files of weights: which variant and how many classes their tensors are of."""

import re
from dataclasses import dataclass
from typing import Any

from imrep import weights
from imrep.errors import BadParameter
from imrep.represent.learned.ikshana.glances import MAIN
from imrep.weights import State

_PREFIXES = ("network.", "module.")  # of imrep, and of torch's DataParallel
_GLANCE = re.compile(r"glance([1-9])(\d+)\.")


@dataclass(frozen=True)
class Weights:
    """The content of a file.

    Args:
        state: Tensors under the author's names.
        variant: As in the parameter of that name.
        classes: Channels of the output.
        config: Of imrep's config.json beside it; empty where there is none.
    """

    state: State
    variant: str
    classes: int
    config: dict[str, Any]


def read(path: str, caller: str) -> Weights:
    """The weights of a file, a folder or a training run.

    Raises:
        WeightsNeeded: There are none.
        BadParameter: They are another network's.
    """
    checkpoint = weights.checkpoint(path, caller)
    state = {_bare(key): value for key, value in checkpoint.state.items()}
    variant, out = _variant(state), state.get("out.0.weight")
    if variant is None or out is None or out.ndim != 4:
        raise BadParameter(
            f"{caller} needs weights of IkshanaNet, got others in {checkpoint.name}: no "
            "conv11 or glance11, or no out.0. Pass another file."
        )
    return Weights(state, variant, int(out.shape[0]), checkpoint.config)


def _bare(key: str) -> str:
    for prefix in _PREFIXES:
        key = key.removeprefix(prefix)
    return key


def _variant(state: State) -> str | None:
    """The variant that has these tensors, by the numbers of scales and glances."""
    if any(key.startswith("conv11.") for key in state):
        return MAIN
    numbers = [(int(m[1]), int(m[2])) for key in state if (m := _GLANCE.match(key))]
    if not numbers:
        return None
    scales, glances = (max(column) for column in zip(*numbers, strict=True))
    return f"{scales}S-{glances}G"
