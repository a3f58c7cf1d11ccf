"""What two near-duplicates differ in, in words."""

from dataclasses import replace

import numpy as np

from imrep.duplicates.search import Edge
from imrep.images import Facts

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


def reverse(edge: Edge) -> Edge:
    """The same pair, told of the first image beside the second."""
    right, down = edge.shift
    # a mirror exchanges left and right once more
    shift = (right if edge.mirrored else -right, -down)
    return replace(
        edge, i=edge.j, j=edge.i, shift=shift, zoom=1 / edge.zoom, brightness=1 / edge.brightness
    )
