"""Whether a larger image helps: every contender at several sizes, on the same folds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from imrep.comparison.candidates import Contender
from imrep.comparison.conclusions import sentences
from imrep.comparison.conclusions.answers import Answers
from imrep.comparison.conclusions.sentences import Sentence, SizeGain
from imrep.comparison.data.labelled_dataset import Folder
from imrep.comparison.output.rows import Record
from imrep.comparison.probes import predictions
from imrep.comparison.probes.predictions import Coded
from imrep.comparison.state import Run
from imrep.comparison.statistics.bootstrap import bootstrap
from imrep.comparison.statistics.verdict import judge


@dataclass(frozen=True)
class _Measured:
    """One contender at one size: its codes, and whether it named each scored image's class."""

    coded: Coded
    hits: np.ndarray


def compare(
    lines: Record,
    run: Run,
    folder: Folder,
    contenders: Sequence[Contender],
    answers: Answers | None,
) -> Sentence | None:
    """Add accuracy and time at every size asked for; say what size does to the best contender.

    Args:
        lines: Where the rows go.
        run: The comparison; its own size is what the others are held against.
        folder: The images.
        contenders: All of them; those with a size of their own are left out.
        answers: Who is best; None where nothing can be scored, and only times are measured.
    """
    if not run.settings.sizes:
        return None
    scaled = [one for one in contenders if not one.fixed]
    if not scaled:
        return sentences.sizes_fixed()
    measured = _measure(lines, run, folder, scaled, scored=answers is not None)
    if answers is None:
        return sentences.sizes_untold()
    for by_size in measured.values():
        _accuracies(lines, folder, by_size, run.settings.size)
    best = _best(answers, [spec for spec, sides in measured.items() if run.settings.size in sides])
    if not best:
        return None
    gains = _gains(folder, measured[best], run.settings.size)
    return sentences.sizes(best, run.settings.size, gains)


def _measure(
    lines: Record, run: Run, folder: Folder, scaled: Sequence[Contender], scored: bool
) -> dict[str, dict[int, _Measured]]:
    """Codes and hits by contender and size; adds what an image costs."""
    measured: dict[str, dict[int, _Measured]] = {}
    for size in sorted({*run.settings.sizes, run.settings.size}):
        for coded in run.coded(scaled, size):
            lines.of(coded, "cost.ms_size", coded.cpu_ms, "ms", detail=str(size))
            hits = np.zeros(0, bool)
            if scored:
                hits = predictions.predict(coded, folder).probe == folder.truth
            measured.setdefault(coded.spec, {})[size] = _Measured(coded, hits)
    return measured


def _best(answers: Answers, specs: Sequence[str]) -> str:
    """Of these the recommended contender, else the most accurate; "" where there is none."""
    pick = "" if answers.pick is None else answers.coded[answers.pick].spec
    ranked = sorted(
        zip(answers.coded, answers.verdict.standings, strict=True),
        key=lambda pair: (pair[0].spec != pick, -pair[1].accuracy),
    )
    return next((one.spec for one, _ in ranked if one.spec in specs), "")


def _accuracies(lines: Record, folder: Folder, by_size: dict[int, _Measured], base: int) -> None:
    """Accuracy at each size, and its difference to that at the comparison's own."""
    sides = sorted(by_size)
    hits = np.stack([by_size[side].hits for side in sides])
    boot = bootstrap(hits, folder.truth, folder.scored_groups, folder.seed)
    low, high = (ends.tolist() for ends in boot.intervals())
    for j, side in enumerate(sides):
        coded, accuracy = by_size[side].coded, float(boot.counts.accuracy[j])
        ends = {"lo": low[j], "hi": high[j], "detail": str(side)}
        lines.of(coded, "accuracy.probe_size", accuracy, "share", **ends)
        if side != base and base in sides:
            gain, least, most = boot.difference(j, sides.index(base))
            ends = {"lo": least, "hi": most, "detail": str(side)}
            lines.of(coded, "difference.size", gain, "share", **ends)


def _gains(folder: Folder, by_size: dict[int, _Measured], base: int) -> list[SizeGain]:
    """Each other size against the comparison's own, as two contenders are judged."""
    known, found = by_size[base], []
    for side, other in sorted(by_size.items()):
        if side == base:
            continue
        hits = np.stack([known.hits, other.hits])
        verdict = judge(hits, folder.truth, folder.scored_groups, folder.seed)
        boot = bootstrap(hits, folder.truth, folder.scored_groups, folder.seed)
        found.append(
            SizeGain(
                side,
                *boot.difference(1, 0),
                cost=other.coded.cpu_ms / max(known.coded.cpu_ms, 1e-9),
                decided=len(verdict.tied) == 1 and not verdict.too_few,
            )
        )
    return found
