"""Which layers of a network the neighbour loss is taken at."""

import re

from imrep.errors import BadParameter

_NAMED = ("hidden", "all", "code")
_NUMBERS = re.compile(r"(\d+)(?:-(\d+))?")


def select(layers: str, *, code: int, hidden: int, total: int, caller: str) -> tuple[int, ...]:
    """The numbers of the layers that a parameter names.

    Args:
        layers: "hidden", "all", "code", or a number or range of numbers such as "1" or "0-2".
        code: Number of the layer that embeds.
        hidden: Number of layers up to the last that can embed.
        total: Number of layers up to the output.
        caller: The name that a message starts with.

    Raises:
        BadParameter: If it names none of them.
    """
    named = {"hidden": range(hidden), "all": range(total), "code": (code,)}
    if layers in named:
        return tuple(named[layers])
    numbers = _NUMBERS.fullmatch(layers)
    first, last = (int(numbers[1]), int(numbers[2] or numbers[1])) if numbers else (0, total)
    if not first <= last < total:
        raise BadParameter(
            f"{caller} needs layers to be {', '.join(_NAMED)}, or numbers such as 0 or 0-1 up to "
            f"{total - 1}, got {layers!r}."
        )
    return tuple(range(first, last + 1))
