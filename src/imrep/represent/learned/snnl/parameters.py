"""Checks of the parameters of `snnl`, and those of a saved one."""

from typing import Any

from imrep import checks
from imrep.represent.learned.snnl.backbone import AUTOENCODER
from imrep.represent.learned.snnl.neighbour_loss import DISTANCES
from imrep.represent.learned.snnl.objective import COMBINATIONS, SCHEDULES

_MAX_CLASSES = 100_000
_MAX_CODE = 8192
_MAX_SIDE = 256  # pixels, of networks with a weight for every pixel
_RANGES = (
    ("factor", -1e6, 1e6),
    ("temperature", 1e-6, 1e6),
    ("eta", 1e-3, 1e6),
    ("gamma", 0.0, 10.0),
    ("eps", 0.0, 1.0),
    ("augment", 0.0, 1.0),
)
OF_THE_NETWORK = ("arch", "code", "classes")  # parameters that its weights decide


def check(rep: Any) -> None:
    """Refuse parameters out of their ranges.

    Raises:
        BadParameter: Naming the first.
    """
    decodes = rep.arch == AUTOENCODER
    checks.one_of(rep.distance, DISTANCES, rep.name, "distance")
    checks.one_of(rep.combine, COMBINATIONS, rep.name, "combine")
    checks.one_of(rep.schedule, SCHEDULES, rep.name, "schedule")
    if rep.primary is not None:
        tasks = ("bce", "mse") if decodes else ("ce",)
        checks.one_of(rep.primary, tasks, f"{rep.name}:arch={rep.arch}", "primary")
    checks.integer(rep.classes, 1, _MAX_CLASSES, rep.name, "classes")
    checks.integer(rep.code, 1, _MAX_CODE, rep.name, "code")
    checks.integer(rep.epochs, 1, checks.MAX_ITERATIONS, rep.name, "epochs")
    if rep.side is not None:
        largest = _MAX_SIDE if decodes or rep.arch == "mlp" else checks.MAX_SIDE
        checks.integer(rep.side, 1, largest, rep.name, "side")
    for key, low, high in _RANGES:
        checks.between(getattr(rep, key), low, high, rep.name, key)
