"""Control vectors that do not depend on image content, and the warnings they cause.

Noise above chance means that the labels leak. File metadata above chance means that the classes
were saved or collected differently; a strong frame, that the background reveals them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import cv2
import numpy as np
from jaxtyping import Float32, Int, UInt8
from numpy import ndarray as Array

from imrep.embedding.decoded_images import Decoded
from imrep.io.digests import digest

_NOISE_DIMENSIONS = 64
_FRAME_WIDTH = 0.08  # of the side
_FRAME_PX = 64  # side to which a larger square is reduced first: 3,540 numbers are enough
_NOISE_ERRORS, _CONTROL_ERRORS = 5, 6  # standard errors above chance that raise an alarm
_FRAME_SHARE = 0.75  # of the gain of the best over chance
_MIN_LEAD, _MIN_LEADING = 0.08, 3  # of neighbours over the probe; representations that show it


class File(Protocol):
    """Metadata of a file besides its pixels; `imrep.images.Facts` has it."""

    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def bytes(self) -> int: ...
    @property
    def type(self) -> str: ...
    @property
    def mode(self) -> str: ...
    @property
    def quantisation(self) -> int: ...


class Score(NamedTuple):
    """Balanced accuracies in [0, 1]."""

    probe: float
    knn: float

    @property
    def best(self) -> float:
        """The larger of the two."""
        return max(self)


@dataclass(frozen=True)
class Alarm:
    """A control that predicts the classes.

    Attributes:
        control: "noise", "file" or "frame".
        score: Its accuracy, in [0, 1].
        chance: Accuracy of guessing.
        share: Share of the gain of the best representation over chance; of the frame alone.
    """

    control: str
    score: float
    chance: float
    share: float = 0.0


def control_vectors(decoded: Decoded, rows: Int[Array, " n"]) -> dict[str, Float32[Array, "n d"]]:
    """The vectors of every control, by its name; without file facts where none varies.

    Args:
        decoded: All images.
        rows: Those that are scored.
    """
    squares, facts = decoded.squares[rows], [decoded.facts[row] for row in rows]
    vectors = {
        "noise": noise(squares),
        "frame": frame(squares),
        "file facts": file_facts(facts),
        "file bytes": file_bytes(facts),
    }
    return {name: columns for name, columns in vectors.items() if columns is not None}


def noise(images: UInt8[Array, "n s s 3"]) -> Float32[Array, "n 64"]:
    """64 normal numbers an image, seeded by its pixels: equal images have equal noise."""
    vectors = np.empty((len(images), _NOISE_DIMENSIONS), np.float32)
    for row, image in zip(vectors, images, strict=True):
        seed = int(digest(np.ascontiguousarray(image).data, size=8), 16)
        row[:] = np.random.default_rng(seed).standard_normal(_NOISE_DIMENSIONS)
    return vectors


def frame(images: UInt8[Array, "n s s 3"]) -> Float32[Array, "n d"]:
    """The pixels, in [0, 1], of the outer 8 % of the square along each side."""
    side = min(images.shape[1], _FRAME_PX)
    width = max(1, round(_FRAME_WIDTH * side))
    outer = np.ones((side, side), bool)
    outer[width:-width, width:-width] = False
    vectors = np.empty((len(images), 3 * np.count_nonzero(outer)), np.float32)
    for row, image in zip(vectors, images, strict=True):
        small = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
        row[:] = small[outer].ravel() / np.float32(255)
    return vectors


def file_facts(facts: Sequence[File]) -> Float32[Array, "n d"] | None:
    """Size, compression, mode and type of the files, standardised; None where none varies."""
    numbers = [
        [np.log(file.width), np.log(file.height), np.log1p(file.quantisation)] for file in facts
    ]
    columns = np.concatenate(
        [
            np.array(numbers, float).reshape(len(facts), 3),
            _one_hot([file.mode for file in facts]),
            _one_hot([file.type for file in facts]),
        ],
        axis=1,
    )
    varied = columns[:, np.ptp(columns, axis=0) > 0] if len(columns) else columns[:, :0]
    return _standardised(varied) if varied.shape[1] else None


def file_bytes(facts: Sequence[File]) -> Float32[Array, "n 2"]:
    """Logarithms of the bytes and of the bytes per pixel, standardised; 0 where they do not vary.

    They depend on content, so a high score is no warning.
    """
    sizes = [(file.bytes, file.bytes / (file.width * file.height)) for file in facts]
    return _standardised(np.log(np.maximum(np.array(sizes, float).reshape(-1, 2), 1e-9)))


def alarms(
    counts: Sequence[int],
    candidates: Sequence[Score],
    *,
    noise: Score | None = None,
    file: Score | None = None,
    frame: Score | None = None,
    hog: Score | None = None,
) -> tuple[Alarm, ...]:
    """The controls that predict the classes, in the order of the report.

    Args:
        counts: Number of images of each class.
        candidates: Scores of the candidates.
        noise: Score of that control; None where there is none.
        file: Likewise, of `file_facts`; never of `file_bytes`.
        frame: Likewise.
        hog: Score of HOG, which the frame is compared with even where it is no candidate.
    """
    chance = 1 / len(counts)
    # standard error of the balanced accuracy of guessing
    error = np.sqrt(np.mean(chance * (1 - chance) / np.asarray(counts, float)) * chance)
    raised = []
    if noise and noise.best > chance + _NOISE_ERRORS * error:
        raised.append(Alarm("noise", noise.best, chance))
    if file and file.best > chance + _CONTROL_ERRORS * error:
        raised.append(Alarm("file", file.best, chance))
    best = max((score.best for score in (*candidates, hog) if score), default=0.0)
    if frame and min(frame.best, best) > chance + _CONTROL_ERRORS * error:
        share = (frame.best - chance) / (best - chance)
        if share > _FRAME_SHARE:
            raised.append(Alarm("frame", frame.best, chance, share))
    return tuple(raised)


def neighbours_ahead(candidates: Sequence[Score]) -> list[int]:
    """Candidates whose neighbours clearly beat the probe, where there are three or more."""
    ahead = [j for j, score in enumerate(candidates) if score.knn - score.probe > _MIN_LEAD]
    return ahead if len(ahead) >= _MIN_LEADING else []


def _one_hot(names: Sequence[str]) -> Array:
    column = np.array(names, str)
    return np.equal(column[:, None], np.unique(column)).astype(float)


def _standardised(columns: Array) -> Float32[Array, "n d"]:
    spread = columns.std(axis=0)  # 0: the column becomes 0 by division by infinity
    centred = columns - columns.mean(axis=0)
    return (centred / np.where(spread > 1e-9, spread, np.inf)).astype(np.float32)
