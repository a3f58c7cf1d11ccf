"""What controls show where each image has several labels: they rank images without seeing them."""

from collections.abc import Sequence
from typing import NamedTuple

from imrep.comparison.conclusions.phrases import percent
from imrep.comparison.conclusions.sentences import Sentence
from imrep.comparison.data.controls import Alarm

_NOISE_DEVIATIONS, _CONTROL_DEVIATIONS = 5, 6  # above guessing that raise an alarm
_FRAME_SHARE = 0.75  # of the gain of the best over guessing


class Ranking(NamedTuple):
    """Mean average precision of a control.

    Attributes:
        precision: In [0, 1].
        sd: Its standard deviation over resampled groups.
    """

    precision: float
    sd: float

    def above(self, chance: float, deviations: int) -> bool:
        """Whether it lies so many standard deviations above guessing."""
        return self.precision > chance + deviations * self.sd


def alarms(
    chance: float,
    best: float,
    *,
    noise: Ranking | None = None,
    file: Ranking | None = None,
    frame: Ranking | None = None,
) -> tuple[Alarm, ...]:
    """The controls that rank the labels, in the order of the report.

    Args:
        chance: Mean average precision of guessing.
        best: That of the best candidate, or of HOG where it is better and no candidate.
        noise: Of that control; None where there is none.
        file: Likewise, of the files' metadata.
        frame: Likewise.
    """
    raised = []
    if noise and noise.above(chance, _NOISE_DEVIATIONS):
        raised.append(Alarm("noise", noise.precision, chance))
    if file and file.above(chance, _CONTROL_DEVIATIONS):
        raised.append(Alarm("file", file.precision, chance))
    lowest = frame and frame._replace(precision=min(frame.precision, best))
    if frame and lowest and lowest.above(chance, _CONTROL_DEVIATIONS):
        share = (frame.precision - chance) / (best - chance)
        if share > _FRAME_SHARE:
            raised.append(Alarm("frame", frame.precision, chance, share))
    return tuple(raised)


def warnings(raised: Sequence[Alarm]) -> list[Sentence]:
    """The sentences of alarms that do not replace the headline."""
    texts = {"file": _file_facts, "frame": _frame}
    return [texts[alarm.control](alarm) for alarm in raised if alarm.control in texts]


def _file_facts(alarm: Alarm) -> Sentence:
    return Sentence(
        "file",
        "Warning: the size, format and compression setting of the files alone, without one pixel, "
        f"rank the images with mean average precision {percent(alarm.score)}% (guessing gives "
        f"{percent(alarm.chance)}%). Images of some labels were saved or collected differently, "
        "and any score may reflect that.",
    )


def _frame(alarm: Alarm) -> Sentence:
    return Sentence(
        "frame",
        "Warning: the outer frame of the pictures alone reaches mean average precision "
        f"{percent(alarm.score)}%, {percent(alarm.share)}% of the way from guessing to the best. "
        "Background may give the labels away.",
    )
