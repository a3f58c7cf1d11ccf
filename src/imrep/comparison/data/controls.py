"""Codes that cannot see the picture, and what it means when they name the classes all the same.

Noise above guessing means that the labels leak. File facts above guessing mean that the classes
were saved or collected differently; a strong frame, that the background gives them away.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple, Protocol

import cv2
import numpy as np
from jaxtyping import Float32, UInt8
from numpy import ndarray as Array

_NORMALS = 64
_FRAME = 0.08  # of the side
_FRAME_SIDE = 64  # a larger square is reduced to this first: 3,540 numbers are enough
_STOP, _WARN = 5, 6  # standard errors above guessing; noise reached 4.3 once in 710 runs
_MOSTLY = 0.5  # share of the way from guessing to the best
_AHEAD, _SEVERAL = 0.08, 3  # neighbours above the probe, and for how many representations


class File(Protocol):
    """What is known of a file besides its pixels; `imrep.images.Facts` is one."""

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
        """The greater of the two."""
        return max(self)


@dataclass(frozen=True)
class Alarm:
    """One thing to be said: the sentence's `id`, and the shares in [0, 1] that fill it.

    `noise` and `file` have score and chance, `frame` score and share.
    """

    id: str
    values: dict[str, float]


def noise(images: UInt8[Array, "n s s 3"]) -> Float32[Array, "n 64"]:
    """64 normal numbers an image, seeded by its pixels: the same picture, the same noise."""
    codes = np.empty((len(images), _NORMALS), np.float32)
    for code, image in zip(codes, images, strict=True):
        digest = blake2b(np.ascontiguousarray(image).data, digest_size=8).digest()
        code[:] = np.random.default_rng(int.from_bytes(digest)).standard_normal(_NORMALS)
    return codes


def frame(images: UInt8[Array, "n s s 3"]) -> Float32[Array, "n d"]:
    """The pixels, in [0, 1], of the outer 8 % of the square along each side."""
    side = min(images.shape[1], _FRAME_SIDE)
    wide = max(1, round(_FRAME * side))
    outer = np.ones((side, side), bool)
    outer[wide:-wide, wide:-wide] = False
    codes = np.empty((len(images), 3 * np.count_nonzero(outer)), np.float32)
    for code, image in zip(codes, images, strict=True):
        small = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
        code[:] = small[outer].ravel() / np.float32(255)
    return codes


def file_facts(facts: Sequence[File]) -> Float32[Array, "n d"] | None:
    """Size, compression, mode and type of the files, standardised; None where all are the same."""
    numbers = [
        [np.log(file.width), np.log(file.height), np.log1p(file.quantisation)] for file in facts
    ]
    codes = np.concatenate(
        [
            np.array(numbers, float).reshape(len(facts), 3),
            _one_hot([file.mode for file in facts]),
            _one_hot([file.type for file in facts]),
        ],
        axis=1,
    )
    varied = codes[:, np.ptp(codes, axis=0) > 0] if len(codes) else codes[:, :0]
    return _standardised(varied) if varied.shape[1] else None


def file_bytes(facts: Sequence[File]) -> Float32[Array, "n 2"]:
    """Logarithms of the bytes and of the bytes per pixel, standardised; 0 where they do not vary.

    They measure content, so a high score warns of nothing.
    """
    sizes = [(file.bytes, file.bytes / (file.width * file.height)) for file in facts]
    return _standardised(np.log(np.maximum(np.array(sizes, float).reshape(-1, 2), 1e-9)))


def alarm(
    counts: Sequence[int],
    contenders: Sequence[Score],
    *,
    noise: Score | None = None,
    file: Score | None = None,
    frame: Score | None = None,
    hog: Score | None = None,
) -> tuple[Alarm, ...]:
    """What the controls give reason to say, in the order of the report.

    Args:
        counts: Images of each scored class.
        contenders: Their scores; the controls are not among them.
        noise: Score of that control; None where there is none.
        file: Likewise, of `file_facts`; never of `file_bytes`.
        frame: Likewise.
        hog: Score of the built-in HOG, which the frame is measured against even where it was not
            asked for.
    """
    chance = 1 / len(counts)
    error = np.sqrt(np.mean(chance * (1 - chance) / np.asarray(counts, float)) * chance)
    found = []
    if noise and noise.best > chance + _STOP * error:
        found.append(Alarm("noise", {"score": noise.best, "chance": chance}))
    if file and file.best > chance + _WARN * error:
        found.append(Alarm("file", {"score": file.best, "chance": chance}))
    best = max((score.best for score in (*contenders, hog) if score), default=0.0)
    if frame and min(frame.best, best) > chance + _WARN * error:
        share = (frame.best - chance) / (best - chance)
        if share > _MOSTLY:
            found.append(Alarm("frame", {"score": frame.best, "share": share}))
    return tuple(found)


def neighbours_ahead(contenders: Sequence[Score]) -> list[int]:
    """Those whose nearest neighbours beat the probe clearly, where they are three or more."""
    ahead = [j for j, score in enumerate(contenders) if score.knn - score.probe > _AHEAD]
    return ahead if len(ahead) >= _SEVERAL else []


def _one_hot(names: Sequence[str]) -> Array:
    known = np.array(names, str)
    return np.equal(known[:, None], np.unique(known)).astype(float)


def _standardised(codes: Array) -> Float32[Array, "n d"]:
    spread = codes.std(axis=0)
    centred = codes - codes.mean(axis=0)
    return (centred / np.where(spread > 1e-9, spread, np.inf)).astype(np.float32)
