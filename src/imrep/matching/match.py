"""Is what one picture shows also in another, and where? Keypoints that agree on one view of it.

Each keypoint of the first picture is paired with the one in the second whose descriptor is nearest,
if that is clearly nearer than the next and if both choose each other. Most such pairs are wrong. If
a plane is in both pictures, a homography takes its right pairs from one to the other; MAGSAC++
finds the one that most pairs keep to, and wrong ones do so only by chance, which can be counted.
"""

import math
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from imrep import checks
from imrep.base import Representation
from imrep.codes import Points
from imrep.errors import BadCode, BadImage, BadParameter
from imrep.matching.homography import WITHIN, chance, corners, estimate, moved, scaling
from imrep.types import Image

__all__ = ["LEAST", "SPEC", "Match", "keypoints", "match", "needed", "some"]

SPEC = "sift:detector=opencv"
LEAST = 10  # inliers: unrelated photographs have up to 6, in one of 900 pairs
_RATIO = 0.8  # Lowe 2004, section 7.1
_ROWS = 1024  # descriptors compared at once


@dataclass(frozen=True)
class Match:
    """What two pictures have in common: pairs of places, and the view that most of them share.

    Places are (x, y) in pixels, x to the right, y down, pixel centres at integers.

    Args:
        first: Where each pair is in the first picture.
        second: Where it is in the second.
        inlier: Whether the homography takes one to within some pixels of the other.
        homography: Takes (x, y, 1) of the first to the second, its last number 1; None where no
            view explains more than four pairs.
        sizes: Height and width of both pictures.
        points: Keypoints of both.
        chance: The most inliers that wrong pairs would give, but for one picture in a hundred.
    """

    first: Float[Tensor, "pair 2"] = field(repr=False)
    second: Float[Tensor, "pair 2"] = field(repr=False)
    inlier: Bool[Tensor, " pair"] = field(repr=False)
    homography: Float[Tensor, "3 3"] | None = field(repr=False)
    sizes: tuple[tuple[int, int], tuple[int, int]]
    points: tuple[int, int]
    chance: int

    @property
    def pairs(self) -> int:
        """Keypoints that chose each other."""
        return len(self.first)

    @property
    def inliers(self) -> int:
        """Those that agree on one view."""
        return int(self.inlier.sum())

    @property
    def found(self) -> bool:
        """Whether the second picture shows what the first does: 10 inliers, and no mere chance."""
        return self.inliers >= needed(self.chance)

    @property
    def outline(self) -> Float[Tensor, "4 2"] | None:
        """The first picture's corners in the second, clockwise; None where it was not found.

        They may lie outside the picture.
        """
        if self.homography is None or not self.found:
            return None
        return moved(corners(self.sizes[0]), self.homography)

    @property
    def box(self) -> tuple[float, float, float, float] | None:
        """Least x, y and greatest x, y of the inliers in the second picture, where it was found."""
        if not self.found:
            return None
        places = self.second[self.inlier]
        x1, y1, x2, y2 = torch.cat([places.amin(0), places.amax(0)]).tolist()
        return x1, y1, x2, y2

    @property
    def sentence(self) -> str:
        """The verdict, its figures, and what chance would give."""
        kept = f"{self.inliers:,} of {_pairs(self.pairs)} agree on one view"
        if (box := self.box) is None:
            why = f"at least {needed(self.chance)} are needed, chance alone gives up to"
            return f"Not found: {kept}; {why} {self.chance}."
        x1, y1, x2, y2 = (round(edge) for edge in box)
        where = f"Found, between ({x1}, {y1}) and ({x2}, {y2})"
        return f"{where}: {kept}, where chance would give at most {self.chance}."

    def resized(self, first: tuple[int, int], second: tuple[int, int]) -> "Match":
        """The same in pixels of both pictures at other sizes, each height and width."""
        onto = [scaling(old, new) for old, new in zip(self.sizes, (first, second), strict=True)]
        view = self.homography
        if view is not None:
            view = onto[1] @ view @ onto[0].inverse()
            view = view / view[2, 2]
        return replace(
            self,
            first=moved(self.first, onto[0]),
            second=moved(self.second, onto[1]),
            homography=view,
            sizes=(first, second),
        )


def needed(chance: int) -> int:
    """Inliers from which something is found, where chance gives up to `chance`."""
    return max(LEAST, chance + 1)


def keypoints(rep: Representation, image: Image, which: str) -> Points:
    """The keypoints of one image, on the CPU.

    Args:
        rep: Any representation whose code is `Points`.
        image: (1, 1|3, h, w), values in [0, 1].
        which: What to call the picture in a message.

    Raises:
        BadParameter: The representation gives no keypoints.
        BadImage: There is more than one image.
    """
    checks.image(image, "match")
    if len(image) != 1:
        raise BadImage(f"match takes one picture at a time, got {len(image)} of {which}.")
    with torch.no_grad():
        code = rep.encode(image)
    if not isinstance(code, Points):
        raise BadParameter(
            f"match needs a representation by keypoints, got {rep.spec}, whose code is a "
            f"{type(code).__name__}. Use {SPEC}."
        )
    found = code.map(Tensor.cpu)
    assert isinstance(found, Points)
    return found


def some(points: Points, which: str) -> Points:
    """The points, if there are any.

    Raises:
        BadImage: If not; `which` is what to call the picture.
    """
    if not points.present.any():
        raise BadImage(
            f"match needs keypoints, got none in {which}. Take one with more detail, or larger."
        )
    return points


def match(first: Points, second: Points, *, ratio: float = _RATIO, within: float = WITHIN) -> Match:
    """Pairs of keypoints of two pictures, and the view that most agree on.

    The same points give the same answer: nothing is drawn by chance but by a fixed seed.

    Args:
        first: Keypoints of the picture that is looked for, a batch of one.
        second: Keypoints of the picture in which it may be.
        ratio: A pair's distance is less than this share of that to the next nearest descriptor.
        within: Pixels from where the view puts a point that an inlier may be, in the second.

    Raises:
        BadParameter: `ratio` is not in (0, 1], or `within` not above 0.
        BadCode: Descriptors of two kinds, or more than one picture.

    References:
        D. G. Lowe, "Distinctive image features from scale-invariant keypoints", IJCV 60(2), 2004.
        doi:10.1023/B:VISI.0000029664.99615.94

    Example:
        >>> import torch, imrep
        >>> sift, whole = imrep.get("sift:detector=opencv"), torch.rand(1, 1, 120, 160)
        >>> part = whole[..., 20:100, 30:130]
        >>> found = match(sift.encode(part), sift.encode(whole))
        >>> found.found, (found.outline[0] - torch.tensor([30, 20])).abs().max().item() < 1.5
        (True, True)
    """
    _refuse(first, second, ratio, within)
    (one, said), (other, answered) = _present(first), _present(second)
    i, j = _paired(said, answered, ratio)
    i, j = _distinct(one, i, j)
    j, i = _distinct(other, j, i)
    here, there = one[i], other[j]
    view = estimate(here, there, first.size, within)
    kept = torch.zeros(len(here), dtype=torch.bool)
    if view is not None:
        kept = (moved(here, view) - there).norm(dim=1) <= within
    return Match(
        first=here,
        second=there,
        inlier=kept,
        homography=view,
        sizes=(first.size, second.size),
        points=(len(one), len(other)),
        chance=chance(len(here), second.size, within),
    )


def _refuse(first: Points, second: Points, ratio: float, within: float) -> None:
    if not 0 < ratio <= 1:
        raise BadParameter(f"match needs ratio above 0 and up to 1, got {ratio}.")
    if not 0 < within < math.inf:
        raise BadParameter(f"match needs within to be above 0 pixels, got {within}.")
    if not len(first) == len(second) == 1:
        raise BadCode(
            f"match takes one picture of each, got {len(first)} and {len(second)}. "
            f"Try code[i : i + 1]."
        )
    if first.values.shape[2] != second.values.shape[2]:
        raise BadCode(
            f"match needs descriptors of one kind, got {first.values.shape[2]} and "
            f"{second.values.shape[2]} numbers to a point. Encode both with one representation."
        )


def _present(code: Points) -> tuple[Tensor, Tensor]:
    """Places and descriptors of the points there are, without gradient, on the CPU."""
    places, values = (t[code.present].detach().cpu() for t in (code.xy, code.values))
    return places.double(), values


def _paired(first: Tensor, second: Tensor, ratio: float) -> tuple[Tensor, Tensor]:
    """Rows (n, d) and (m, d) that chose each other, clearly; the nearest pairs first."""
    if len(first) == 0 or len(second) < 2:  # without a next nearest there is no ratio
        none = torch.zeros(0, dtype=torch.long)
        return none, none
    parts = [_clear(rows, second, ratio) for rows in first.split(_ROWS)]
    j, distance = (torch.cat(each) for each in zip(*parts, strict=True))
    i = distance.isfinite().nonzero().flatten()
    back = [_closeness(rows, first).argmax(1) for rows in second[j[i]].split(_ROWS)]
    i = i[torch.from_numpy(np.concatenate(back)) == i]
    i = i[distance[i].argsort(stable=True)]
    return i, j[i]


def _clear(rows: Tensor, others: Tensor, ratio: float) -> tuple[Tensor, Tensor]:
    """The nearest of `others` to each row, and how far it is: infinity if the next is about as far.

    The two distances are taken from the differences, exact where descriptors are equal.
    """
    close = _closeness(rows, others)
    nearest = close.argmax(1)
    close[np.arange(len(rows)), nearest] = -np.inf
    j, after = torch.from_numpy(nearest), torch.from_numpy(close.argmax(1))
    distance, further = ((rows - others[k]).norm(dim=1) for k in (j, after))
    return j, distance.masked_fill(distance >= ratio * further, math.inf)


def _closeness(rows: Tensor, others: Tensor) -> np.ndarray:
    """(n, m), the greater the nearer; NumPy finds the greatest of a row several times sooner."""
    return torch.addmm(-others.square().sum(1) / 2, rows, others.T).numpy()


def _distinct(places: Tensor, i: Tensor, j: Tensor) -> tuple[Tensor, Tensor]:
    """The first pair at each place: a detector may give one place several directions."""
    _, at = np.unique(places[i].numpy(), axis=0, return_index=True)
    kept = torch.from_numpy(np.sort(at))
    return i[kept], j[kept]


def _pairs(count: int) -> str:
    return "1 pair of points" if count == 1 else f"{count:,} pairs of points"
