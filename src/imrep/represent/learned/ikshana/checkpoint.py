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
class Trained:
    """What a network was trained on.

    Args:
        names: Of the classes; none where they are not known.
        colours: Red, green and blue of each, 0 to 255; none where they have none.
        side: Of the squares of a step, in pixels; 0 where it is not known.
    """

    names: tuple[str, ...] = ()
    colours: tuple[tuple[int, int, int], ...] = ()
    side: int = 0


@dataclass(frozen=True)
class Weights:
    """The content of a file.

    Args:
        state: Tensors under the author's names.
        variant: As in the parameter of that name.
        classes: Channels of the output.
        trained: What imrep's config.json beside it says.
        fingerprint: Likewise; "" where there is none.
    """

    state: State
    variant: str
    classes: int
    trained: Trained
    fingerprint: str


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
    config, classes = checkpoint.config, int(out.shape[0])
    fingerprint = str(config.get("fingerprint", ""))
    return Weights(state, variant, classes, _trained(config, classes), fingerprint)


def _trained(config: dict[str, Any], classes: int) -> Trained:
    """What the configuration says; nothing where it is not imrep's, or of other classes."""
    stored = config.get("segmentation")
    if not isinstance(stored, dict):
        return Trained()
    names = tuple(map(str, stored.get("names", ())))
    colours = [tuple(map(int, colour)) for colour in stored.get("colours", ())]
    rgb = tuple((c[0], c[1], c[2]) for c in colours if len(c) == 3)
    return Trained(
        names if len(names) == classes else (),
        rgb if len(rgb) == classes else (),
        int(stored.get("side", 0)),
    )


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
