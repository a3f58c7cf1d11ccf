"""What controls show where numbers are predicted: they predict them without seeing the content."""

from collections.abc import Sequence
from typing import NamedTuple

from imrep.comparison.conclusions.phrases import percent
from imrep.comparison.conclusions.sentences import Sentence
from imrep.comparison.data.controls import Alarm

_NOISE_DEVIATIONS, _CONTROL_DEVIATIONS = 5, 6  # above guessing that raise an alarm
_MIN_SHARE = 0.02  # of the variance; less may be significant and does not matter
_FRAME_SHARE = 0.5  # of what the best explains


class Explained(NamedTuple):
    """What a control explains.

    Attributes:
        share: Of the variance; below 0 where guessing does better.
        sd: Its standard deviation over resampled groups.
    """

    share: float
    sd: float

    def above(self, deviations: int) -> bool:
        """Whether it explains something, by so many standard deviations."""
        return self.share > _MIN_SHARE and self.share > deviations * self.sd


def alarms(
    best: float,
    *,
    noise: Explained | None = None,
    file: Explained | None = None,
    frame: Explained | None = None,
) -> tuple[Alarm, ...]:
    """The controls that predict the number, in the order of the report.

    Args:
        best: What the best candidate explains, or HOG where it is better and no candidate.
        noise: Of that control; None where there is none.
        file: Likewise, of the files' metadata.
        frame: Likewise.
    """
    raised = []
    if noise and noise.above(_NOISE_DEVIATIONS):
        raised.append(Alarm("noise", noise.share, 0.0))
    if file and file.above(_CONTROL_DEVIATIONS):
        raised.append(Alarm("file", file.share, 0.0))
    if frame and frame.above(_CONTROL_DEVIATIONS) and best > _MIN_SHARE:
        share = frame.share / best
        if share > _FRAME_SHARE:
            raised.append(Alarm("frame", frame.share, 0.0, share))
    return tuple(raised)


def warnings(raised: Sequence[Alarm], name: str) -> list[Sentence]:
    """The sentences of alarms that do not replace the headline.

    Args:
        raised: The alarms.
        name: What is predicted.
    """
    texts = {"file": _file_facts, "frame": _frame}
    return [texts[alarm.control](alarm, name) for alarm in raised if alarm.control in texts]


def _file_facts(alarm: Alarm, name: str) -> Sentence:
    return Sentence(
        "file",
        "Warning: the size, format and compression setting of the files alone, without one pixel, "
        f"explain {percent(alarm.score)}% of how {name} varies (guessing explains 0). The images "
        "were saved or collected differently, and any score may reflect that.",
    )


def _frame(alarm: Alarm, name: str) -> Sentence:
    return Sentence(
        "frame",
        f"Warning: the outer frame of the pictures alone explains {percent(alarm.score)}% of how "
        f"{name} varies, {percent(alarm.share)}% of what the best explains. The background may "
        f"give {name} away.",
    )
