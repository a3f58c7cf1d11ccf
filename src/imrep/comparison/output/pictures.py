"""Odd images for the reader: pictures.csv, their rows of results.jsonl, and a few of each issue."""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from imrep.assets import ODD, OddPicture
from imrep.comparison.data.image_collection import ImageCollection
from imrep.comparison.diagnostics.quality import ISSUES, Odd, Quality, Trait
from imrep.comparison.output.rows import Rows
from imrep.images import Facts
from imrep.io.files import write_text
from imrep.io.names import printable
from imrep.plural import several

FILENAME = "pictures.csv"
_COLUMNS = ("path", "issue", "value", "threshold", "other")
_AGREEMENT = 0.80  # least of near-duplicates; more among images that resemble each other
_OF_ALL = {  # how a folder or class is whose images share an issue
    "dark": "dark",
    "bright": "bright",
    "blurred": "blurred",
    "uniform": "nearly uniform",
    "size": "of an odd size",
    "aspect": "long and narrow",
    "gray": "gray",
}


def write(path: Path, quality: Quality, images: ImageCollection) -> None:
    """List every issue of every image as CSV; remove the list of an earlier run."""
    lines = [*_odd_lines(quality, images), *_copy_lines(images)]
    if not lines:
        path.unlink(missing_ok=True)
        return
    text = io.StringIO()
    csv.writer(text).writerows([_COLUMNS, *sorted(lines)])
    write_text(path, text.getvalue())


def add_rows(rows: Rows, quality: Quality, images: ImageCollection) -> None:
    """Images with each issue, and what a folder or class has in common."""
    rows.add("pictures.odd", len({odd.row for odd in quality.odd}), "images")
    counts = Counter(odd.issue for odd in quality.odd)
    for issue in ISSUES:
        rows.add(f"pictures.{issue}", counts[issue], "images", detail=_criterion(issue, quality))
    for trait in quality.traits:
        rows.add("pictures.trait", trait.count, "images", detail=_sentence(trait))


def examples(quality: Quality, images: ImageCollection) -> list[tuple[int, OddPicture]]:
    """Rows of at most six images of each issue, with their captions; the oddest first."""
    items, facts = images.decoded.items, images.decoded.facts
    selected = []
    for issue in ISSUES:
        odd = [each for each in quality.odd if each.issue == issue]
        odd.sort(key=lambda each: (-_excess(each), items[each.row].path))
        selected += odd[:ODD]
    captions = [_caption(odd, facts[odd.row]) for odd in selected]
    return [
        (odd.row, OddPicture(printable(items[odd.row].path), odd.issue, caption))
        for odd, caption in zip(selected, captions, strict=True)
    ]


def _excess(odd: Odd) -> float:
    """How far beyond its limit, as a ratio."""
    return float(abs(np.log(max(odd.value, 1e-6) / odd.limit)))


def _odd_lines(quality: Quality, images: ImageCollection) -> Iterator[tuple[str, ...]]:
    for odd in quality.odd:
        path = printable(images.decoded.items[odd.row].path)
        yield path, odd.issue, f"{odd.value:.4g}", f"{odd.limit:.4g}", ""


def _copy_lines(images: ImageCollection) -> Iterator[tuple[str, ...]]:
    """The best near-duplicate of each image, and every one with another label.

    Of the built-in photographs' tiles, which look the same and do not overlap, none.
    """
    if images.builtin:
        return
    items = images.decoded.items
    best: dict[int, tuple[float, int]] = {}
    for edge in images.duplicates.edges:
        for row, other in ((edge.i, edge.j), (edge.j, edge.i)):
            best[row] = max(best.get(row, (-1.0, -1)), (edge.hn, -other))
            labels = images.label_texts[row], images.label_texts[other]
            if None not in labels and labels[0] != labels[1]:
                yield _copy_line("conflict", items[row].path, edge.hn, items[other].path)
    for row, (agreement, other) in best.items():
        yield _copy_line("duplicate", items[row].path, agreement, items[-other].path)


def _copy_line(issue: str, path: str, agreement: float, other: str) -> tuple[str, ...]:
    return printable(path), issue, f"{agreement:.4g}", f"{_AGREEMENT:.4g}", printable(other)


def _criterion(issue: str, quality: Quality) -> str:
    """When an image has the issue, with the limits in numbers."""
    low, high = quality.ranges[issue]
    return {
        "dark": f"95% of the pixels below {low:.0%} of white in every channel",
        "bright": f"95% of the pixels above {high:.0%} of white in every channel",
        "blurred": f"finest detail below {low:.2f} of the next coarser, in the sharpest parts of "
        "the picture at 128 px",
        "uniform": f"standard deviation of every channel below {low:.0f} of 255",
        "size": f"root of the area below {low:,.0f} or above {high:,.0f} px, by the quartiles of "
        "these pictures",
        "aspect": f"one side over {high:g} times the other",
        "gray": f"channels differ by less than {low:.0f} of 255 in 95% of the pixels",
    }[issue]


def _sentence(trait: Trait) -> str:
    all_of = "" if trait.label is None else f" of class {trait.label}"
    several_of = several(trait.total, "picture")
    return f"{trait.count:,} of {several_of}{all_of} are {_OF_ALL[trait.issue]}"


def _caption(odd: Odd, facts: Facts) -> str:
    """What was measured, in a few words."""
    return {
        "dark": f"brightness {odd.value:.0%}",
        "bright": f"brightness {odd.value:.0%}",
        "blurred": f"sharpness {odd.value:.2f}",
        "uniform": f"deviation {odd.value:.1f} of 255",
        "size": f"{facts.width}×{facts.height} px",
        "aspect": f"{facts.width}×{facts.height} px",
        "gray": "",
    }[odd.issue]
