"""The rows of what the classes hang on: a number for each variant of the images."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from imrep.comparison.conclusions.cues import Cues
from imrep.comparison.diagnostics.cues.variants import ORIGINAL
from imrep.comparison.output.rows import Rows


def add(rows: Rows, measured: Sequence[Cues]) -> None:
    """Accuracy on every variant, and its difference to that on the images as they are."""
    for cues in measured:
        dataset = cues.dataset
        common = replace(  # fewer images than those of the other rows
            rows.common,
            n=len(dataset),
            groups=len(np.unique(dataset.groups)),
            folds=dataset.folds.k,
        )
        own = Rows(common)
        for part in cues.parts:
            own.add_for(part, "cues.part", 1, "flag")
        for name, each in cues.scores.items():
            _add(own, cues, "accuracy", name, each.accuracy, each.low, each.high)
            if name != ORIGINAL:
                _add(own, cues, "difference", name, each.gain, each.gain_low, each.gain_high)
                _add(own, cues, "p_flip", name, each.p_flip)
        rows.rows += own.rows


def _add(  # a number with its interval, whose it is and what it is
    rows: Rows,
    cues: Cues,
    metric: str,
    variant: str,
    value: float,
    lo: float | None = None,
    hi: float | None = None,
) -> None:
    """A row; that of the combination belongs to no representation."""
    name = f"cues.{metric}"
    if cues.judged is None:
        rows.add(name, value, "share", detail=variant, lo=lo, hi=hi)
    else:
        rows.add_for(cues.judged, name, value, "share", detail=variant, lo=lo, hi=hi)
