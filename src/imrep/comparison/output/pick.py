"""The recommended representation as it was measured, saved beside the report."""

import shutil
from pathlib import Path

from imrep.adapters import OBJECT, MadeOutside
from imrep.base import Representation, Sum
from imrep.comparison.output.outcome import Outcome
from imrep.registry import specs

FOLDER = "pick"
_MAX_BYTES = 100_000_000  # of weights; a larger network is named by its spec


def save(outcome: Outcome, out: Path) -> str:
    """Save the pick into `out/pick`, or remove that of an earlier run.

    A codebook is the one that was fitted on all images. Vectors made elsewhere, functions, and
    networks of more than 100 MB are not saved.

    Returns:
        The folder as a spec names it, or "".
    """
    folder = out / FOLDER
    shutil.rmtree(folder, ignore_errors=True)  # `load` refuses what a killed run leaves
    rep = _picked(outcome)
    if rep is None or _bytes(rep) > _MAX_BYTES:
        return ""
    rep.save(folder)
    return specs.text(str(folder))


def _picked(outcome: Outcome) -> Representation | None:
    judged = outcome.judged or outcome.retrieval
    if judged is None or judged.pick is None:
        return None
    parts = [part.rep for part in judged.encoded[judged.pick].parts]
    if any(isinstance(rep, MadeOutside) or rep.fingerprint.startswith(OBJECT) for rep in parts):
        return None
    return parts[0] if len(parts) == 1 else Sum(parts)


def _bytes(rep: Representation) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in rep.state_dict().values())
