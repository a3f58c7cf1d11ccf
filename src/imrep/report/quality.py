"""Images that look odd: how many of each issue, by which criterion, and a few of them."""

from dataclasses import dataclass

from imrep.assets import Assets, OddPicture
from imrep.report.findings import Findings

_TITLES = {
    "dark": "Too dark",
    "bright": "Too bright",
    "blurred": "Blurred",
    "uniform": "Nearly uniform",
    "size": "Odd size",
    "aspect": "Odd aspect ratio",
    "gray": "Gray among colour",
}


@dataclass(frozen=True)
class Issue:
    """One issue: its name, criterion and number of images, and (tile, image) of a few."""

    title: str
    count: float
    criterion: str
    examples: list[tuple[int, OddPicture]]


@dataclass(frozen=True)
class Quality:
    """Of the images of a folder: `count` look odd; `traits` are what many of them share."""

    count: float
    issues: list[Issue]
    traits: list[str]


def quality(findings: Findings, assets: Assets) -> Quality | None:
    """None for results of a version that did not measure it."""
    count = findings.value("pictures", "odd")
    if count is None:
        return None
    rows = {row.metric: row for row in findings.rows if row.kind == "pictures"}
    issues = [
        Issue(title, rows[name].value or 0, str(rows[name].detail), _examples(assets, name))
        for name, title in _TITLES.items()
        if name in rows
    ]
    return Quality(count, issues, findings.details("pictures", "trait"))


def _examples(assets: Assets, issue: str) -> list[tuple[int, OddPicture]]:
    return [(i, picture) for i, picture in enumerate(assets.odd) if picture.issue == issue]
