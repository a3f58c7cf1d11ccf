"""Near-duplicates for the reader: pairs of images with the reason, and a list of all of them."""

import csv
import io
from collections import Counter
from pathlib import Path

import numpy as np

from imrep.assets import PAIRS, Pair
from imrep.comparison.data.image_collection import ImageCollection
from imrep.duplicates.search import Edge
from imrep.images import Facts
from imrep.io.files import write_text
from imrep.io.names import printable

FILENAME = "near_duplicates.csv"
_COLUMNS = (
    *("path", "copy", "label", "copy_label", "reason", "agreement", "correlation"),
    *("mirrored", "right", "down", "zoom", "brightness", "equal"),
)
_FINE = 0.80  # agreement of fine detail; below it a part of the image differs
_BRIGHTNESS = 0.05  # relative difference that is mentioned


def reason(edge: Edge, first: Facts, second: Facts) -> str:
    """Why two images are near-duplicates, as a caption: "mirrored, darker ×0.70, agreement 0.97".

    What differs is told of the second image beside the first.
    """
    if edge.identical:
        equal = "equal files" if edge.same_file else "equal pixels at this size"
        return ", ".join([equal, *([] if edge.same_file else _file_differences(first, second))])
    differences = ["mirrored"] if edge.mirrored else []
    if edge.zoom != 1:
        differences.append("enlarged part" if edge.zoom > 1 else "wider view")
    elif any(edge.shift):
        differences.append(f"shifted {max(map(abs, edge.shift)):.0%}")
    if abs(np.log(edge.brightness)) > _BRIGHTNESS:
        word = "darker" if edge.brightness < 1 else "brighter"
        differences.append(f"{word} ×{edge.brightness:.2f}")
    if edge.hn < _FINE:
        differences.append("partly different")
    differences += _file_differences(first, second)
    return ", ".join([*(differences or ["nearly equal"]), f"agreement {edge.hn:.2f}"])


def _file_differences(first: Facts, second: Facts) -> list[str]:
    """What the two files state differently: their size in pixels and their format."""
    differences = []
    if (first.width, first.height) != (second.width, second.height):
        differences.append(f"{second.width}×{second.height} for {first.width}×{first.height} px")
    if first.type != second.type:
        differences.append(f"{second.type} for {first.type}")
    return differences


def pairs(images: ImageCollection) -> list[tuple[Edge, Pair]]:
    """At most twelve near-duplicates; different labels first, then one pair of every group.

    A large group would otherwise take all the places.
    """
    rank: Counter[int] = Counter()
    listed = []
    for edge in images.duplicates.edges:
        group = int(images.duplicates.component[edge.i])
        listed.append((rank[group], edge, _pair(edge, images)))
        rank[group] += 1
    listed.sort(key=lambda entry: (not entry[2].conflict, entry[0]))
    return [(edge, pair) for _, edge, pair in listed[:PAIRS]]


def write(path: Path, images: ImageCollection) -> None:
    """List all near-duplicates as CSV, a pair a line; remove the list of an earlier run."""
    edges = images.duplicates.edges
    if not edges:
        path.unlink(missing_ok=True)
        return
    text = io.StringIO()
    csv.writer(text).writerows([_COLUMNS, *(_line(edge, images) for edge in edges)])
    write_text(path, text.getvalue())


def _pair(edge: Edge, images: ImageCollection) -> Pair:
    items, facts = images.decoded.items, images.decoded.facts
    return Pair(
        paths=(items[edge.i].path, items[edge.j].path),
        labels=(images.label_texts[edge.i], images.label_texts[edge.j]),
        reason=reason(edge, facts[edge.i], facts[edge.j]),
    )


def _line(edge: Edge, images: ImageCollection) -> tuple[object, ...]:
    pair, (right, down) = _pair(edge, images), edge.shift
    equal = "files" if edge.same_file else "pixels" if edge.identical else ""
    return (
        *map(printable, pair.paths),
        *("" if label is None else printable(label) for label in pair.labels),
        *(pair.reason, f"{edge.hn:.4f}", f"{edge.v:.4f}", int(edge.mirrored)),
        *(f"{value + 0.0:.4f}" for value in (right, down, edge.zoom, edge.brightness)),  # no -0
        equal,
    )
