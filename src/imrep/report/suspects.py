"""The sections on single images: suspected label errors, hard and typical images, confusions."""

from dataclasses import dataclass
from typing import NamedTuple

from imrep.assets import Assets, Remark
from imrep.report.findings import Findings

_SMALL = 0.005  # a probability that would be rounded to 0 %


class Captioned(NamedTuple):
    """A tile of the sheet of remarked images, and its caption.

    Attributes:
        tile: Its number.
        path: Of the file.
        caption: What is said of it.
    """

    tile: int
    path: str
    caption: str


@dataclass(frozen=True)
class ImagesToLookAt:
    """What the sections contain.

    Args:
        text: The sentences on labels that may be wrong.
        listed: Number of labels to check, those that are not displayed included.
        suspects: The first of these.
        hardest: Images of a right label that is hard to tell.
        typical: Images of the most probable labels.
        pair: Names of the two classes that are most often mistaken; empty without errors.
        confused: Images of either class of the pair.
    """

    text: str
    listed: int
    suspects: list[Captioned]
    hardest: list[Captioned]
    typical: list[Captioned]
    pair: tuple[str, ...]
    confused: list[Captioned]


def looked_at(findings: Findings, assets: Assets) -> ImagesToLookAt | None:
    """The content of the sections; None where nothing could be judged."""
    sentences = findings.details("suspects", "sentence")
    if not sentences:
        return None
    confused = assets.remarks.get("confused", ())
    return ImagesToLookAt(
        text=sentences[0],
        listed=int(findings.value("suspects", "listed") or 0),
        suspects=_captioned(assets, "suspects"),
        hardest=_captioned(assets, "hardest"),
        typical=_captioned(assets, "typical"),
        pair=(confused[0].label, confused[0].other) if confused else (),
        confused=_captioned(assets, "confused"),
    )


def _captioned(assets: Assets, section: str) -> list[Captioned]:
    first = 0
    for name, remarks in assets.remarks.items():
        if name == section:
            return [
                Captioned(first + i, remark.path, _caption(section, remark))
                for i, remark in enumerate(remarks)
            ]
        first += len(remarks)
    return []


def _caption(section: str, remark: Remark) -> str:
    share = _percent(remark.p)
    if section == "suspects":
        return f"**{remark.label}**? seen as **{remark.other}**, its label {share}"
    if section == "hardest":
        return f"**{remark.label}** or {remark.other}, {share}"
    if section == "typical":
        return f"**{remark.label}**, {share}"
    return f"**{remark.label}**, {remark.other} {share}"


def _percent(p: float) -> str:
    if p < _SMALL:
        return "below 1%"
    return f"{100 * p:.0f}%" if p <= 1 - _SMALL else "above 99%"
