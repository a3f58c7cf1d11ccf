"""Checks of the parameters of `dctnet`, and those of a saved one."""

from typing import Any

from imrep import checks
from imrep.errors import BadParameter
from imrep.represent.learned.dctnet.backbone import STRIDES
from imrep.represent.learned.dctnet.frequencies import CHROMA, COUNTS

_MAX_CLASSES = 100_000
_RANGES = (("lam", 0.0, 1e3), ("temperature", 1e-3, 1e3))
OF_THE_NETWORK = ("arch", "channels", "gate", "stride", "classes")  # that its weights decide


def check(rep: Any) -> None:
    """Refuse parameters out of their ranges.

    Raises:
        BadParameter: Naming the first.
    """
    checks.one_of(rep.chroma, CHROMA, rep.name, "chroma")
    for key, choices in (("channels", COUNTS), ("stride", STRIDES)):
        if getattr(rep, key) not in choices:
            listed = f"{', '.join(map(str, choices[:-1]))} or {choices[-1]}"
            raise BadParameter(f"{rep.name} needs {key} to be {listed}, got {getattr(rep, key)}.")
    checks.integer(rep.classes, 1, _MAX_CLASSES, rep.name, "classes")
    checks.integer(rep.epochs, 1, checks.MAX_ITERATIONS, rep.name, "epochs")
    if rep.side is not None:
        checks.integer(rep.side, 1, checks.MAX_SIDE, rep.name, "side")
    for key, low, high in _RANGES:
        checks.between(getattr(rep, key), low, high, rep.name, key)


def check_size(rep: Any, size: tuple[int, int]) -> None:
    """Refuse a JPEG of another size than the one that images are resized to.

    Raises:
        BadParameter: With both.
    """
    if rep.side is not None and size != (rep.side, rep.side):
        raise BadParameter(
            f"{rep.name} needs a JPEG of {rep.side}×{rep.side} to read its coefficients, got "
            f"{size[0]}×{size[1]}. Use encode(imrep.read(path))."
        )
