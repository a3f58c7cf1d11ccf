"""Whether one image appears in another, and where: keypoints that agree on a homography.

Each keypoint of the first image is paired with the one in the second whose descriptor is nearest,
if it passes the ratio test and both are each other's nearest. Most such pairs are wrong. If a plane
is in both images, a homography maps its correct pairs from one to the other. MAGSAC++ estimates the
homography with the most inliers; how many inliers wrong pairs reach by chance can be computed.
"""

import math
import warnings
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from imrep import checks
from imrep.base import Representation
from imrep.codes import Points
from imrep.errors import BadCode, BadImage, BadParameter
from imrep.matching.homography import WITHIN, chance, corners, estimate, scaling, transform
from imrep.types import Image

__all__ = [
    "MIN_INLIERS",
    "SPEC",
    "Match",
    "keypoints",
    "match",
    "min_inliers",
    "require_keypoints",
]

SPEC = "sift:detector=opencv"
MIN_INLIERS = 10  # above what unrelated photographs reach
_RATIO = 0.8  # Lowe 2004, section 7.1
_ROWS = 1024  # descriptors compared in one product: bounds the memory


@dataclass(frozen=True)
class Match:
    """Paired keypoints of two images, and the homography that explains the most of them.

    Points are (x, y) in pixels, x to the right, y down, pixel centres at integers.

    Args:
        first: Each pair's point in the first image.
        second: Its point in the second.
        inlier: Whether the homography maps one to within some pixels of the other.
        homography: Maps (x, y, 1) of the first to the second, its last number 1; None where no
            homography explains more than four pairs.
        sizes: Height and width of both images.
        points: Keypoints of both.
        chance: Inliers that wrong pairs reach by chance; more happen in one image of a hundred.
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
        """Keypoints that are each other's nearest."""
        return len(self.first)

    @property
    def inliers(self) -> int:
        """Pairs that agree on the homography."""
        return int(self.inlier.sum())

    @property
    def is_match(self) -> bool:
        """Whether the second image shows the first: at least 10 inliers, and more than chance."""
        return self.inliers >= min_inliers(self.chance)

    def __getattr__(self, name: str) -> bool:
        """`found`, the name of `is_match` in earlier releases.

        Raises:
            AttributeError: Any other name.
        """
        if name != "found":
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        warnings.warn("Match.found is now called Match.is_match", FutureWarning, stacklevel=2)
        return self.is_match

    @property
    def outline(self) -> Float[Tensor, "4 2"] | None:
        """The first image's corners in the second, clockwise; None where it was not found.

        They may lie outside the image.
        """
        if self.homography is None or not self.is_match:
            return None
        return transform(corners(self.sizes[0]), self.homography)

    @property
    def box(self) -> tuple[float, float, float, float] | None:
        """Minimum and maximum x, y of the inliers in the second image; None without a match."""
        if not self.is_match:
            return None
        points = self.second[self.inlier]
        x1, y1, x2, y2 = torch.cat([points.amin(0), points.amax(0)]).tolist()
        return x1, y1, x2, y2

    @property
    def sentence(self) -> str:
        """The verdict, its figures, and the inliers that chance explains."""
        agreement = f"{self.inliers:,} of {_pairs(self.pairs)} agree on one view"
        if (box := self.box) is None:
            why = f"at least {min_inliers(self.chance)} are needed, chance alone gives up to"
            return f"Not found: {agreement}; {why} {self.chance}."
        x1, y1, x2, y2 = (round(edge) for edge in box)
        box_text = f"between ({x1}, {y1}) and ({x2}, {y2})"
        return f"Found, {box_text}: {agreement}, where chance would give at most {self.chance}."

    def resized(self, first: tuple[int, int], second: tuple[int, int]) -> "Match":
        """The same match in pixels of both images at other sizes, each (height, width)."""
        scales = [scaling(old, new) for old, new in zip(self.sizes, (first, second), strict=True)]
        homography = self.homography
        if homography is not None:
            # Right to left: new pixels of the first image, its old, the second's old, its new.
            homography = scales[1] @ homography @ scales[0].inverse()
            homography = homography / homography[2, 2]
        return replace(
            self,
            first=transform(self.first, scales[0]),
            second=transform(self.second, scales[1]),
            homography=homography,
            sizes=(first, second),
        )


def min_inliers(chance: int) -> int:
    """Inliers that make a match, where wrong pairs reach `chance`."""
    return max(MIN_INLIERS, chance + 1)


def keypoints(rep: Representation, image: Image, label: str) -> Points:
    """The keypoints of one image, on the CPU.

    Args:
        rep: Any representation whose code is `Points`.
        image: (1, 1|3, h, w), values in [0, 1].
        label: The name of the image in a message.

    Raises:
        BadParameter: The representation gives no keypoints.
        BadImage: There is more than one image.
    """
    checks.image(image, "match")
    if len(image) != 1:
        raise BadImage(f"match takes one picture at a time, got {len(image)} of {label}.")
    with torch.no_grad():
        code = rep.encode(image)
    if not isinstance(code, Points):
        raise BadParameter(
            f"match needs a representation by keypoints, got {rep.spec}, whose code is a "
            f"{type(code).__name__}. Use {SPEC}."
        )
    points = code.map(Tensor.cpu)
    assert isinstance(points, Points)
    return points


def require_keypoints(points: Points, label: str) -> Points:
    """The points, if there are any.

    Raises:
        BadImage: If not; `label` is the name of the image.
    """
    if not points.present.any():
        raise BadImage(
            f"match needs keypoints, got none in {label}. Take one with more detail, or larger."
        )
    return points


def match(first: Points, second: Points, *, ratio: float = _RATIO, within: float = WITHIN) -> Match:
    """Pairs of keypoints of two images, and the homography that the most of them agree on.

    The same points give the same match: MAGSAC++ samples with a fixed seed.

    Args:
        first: Keypoints of the query, a batch of one.
        second: Keypoints of the image that may show it.
        ratio: Of the distances to the nearest and the second nearest descriptor, at most.
        within: Pixels of the second image between an inlier and the mapped point, at most.

    Raises:
        BadParameter: `ratio` is not in (0, 1], or `within` not above 0.
        BadCode: The descriptors have different lengths, or there is more than one image.

    References:
        D. G. Lowe, "Distinctive image features from scale-invariant keypoints", IJCV 60(2), 2004.
        doi:10.1023/B:VISI.0000029664.99615.94

    Example:
        >>> import torch, imrep
        >>> sift, image = imrep.get("sift:detector=opencv"), torch.rand(1, 1, 120, 160)
        >>> part = image[..., 20:100, 30:130]
        >>> result = match(sift.encode(part), sift.encode(image))
        >>> result.is_match, (result.outline[0] - torch.tensor([30, 20])).abs().max().item() < 1.5
        (True, True)
    """
    _check(first, second, ratio, within)
    (xy1, descriptors1), (xy2, descriptors2) = _present(first), _present(second)
    i, j = _mutual_nearest(descriptors1, descriptors2, ratio)
    # Pairs are sorted by distance: the first at a point is its best. Both images are filtered.
    i, j = _one_per_point(xy1, i, j)
    j, i = _one_per_point(xy2, j, i)
    paired1, paired2 = xy1[i], xy2[j]
    homography = estimate(paired1, paired2, first.size, within)
    inlier = torch.zeros(len(paired1), dtype=torch.bool)
    if homography is not None:
        # By the definition of `within`, not by the estimator's own mask.
        inlier = (transform(paired1, homography) - paired2).norm(dim=1) <= within
    return Match(
        first=paired1,
        second=paired2,
        inlier=inlier,
        homography=homography,
        sizes=(first.size, second.size),
        points=(len(xy1), len(xy2)),
        chance=chance(len(paired1), second.size, within),
    )


def _check(first: Points, second: Points, ratio: float, within: float) -> None:
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
    """Coordinates (n, 2), float64, and descriptors (n, d) of the keypoints, on the CPU."""
    xy, values = (t[code.present].detach().cpu() for t in (code.xy, code.values))
    return xy.double(), values


def _mutual_nearest(first: Tensor, second: Tensor, ratio: float) -> tuple[Tensor, Tensor]:
    """Rows of (n, d) and (m, d) that are each other's nearest, sorted by distance."""
    if len(first) == 0 or len(second) < 2:  # the ratio test needs a second nearest
        empty = torch.zeros(0, dtype=torch.long)
        return empty, empty
    parts = [_ratio_test(rows, second, ratio) for rows in first.split(_ROWS)]
    j, distance = (torch.cat(each) for each in zip(*parts, strict=True))
    i = distance.isfinite().nonzero().flatten()
    # Only the partners of pairs that pass the ratio test are compared with all of `first`.
    nearest = [_similarity(rows, first).argmax(1) for rows in second[j[i]].split(_ROWS)]
    i = i[torch.from_numpy(np.concatenate(nearest)) == i]
    i = i[distance[i].argsort(stable=True)]
    return i, j[i]


def _ratio_test(rows: Tensor, candidates: Tensor, ratio: float) -> tuple[Tensor, Tensor]:
    """The nearest of `candidates` to each row, and its distance: infinity where the test fails.

    The two distances are computed anew from differences: those that the matrix product implies
    cancel where descriptors are nearly equal.
    """
    similarity = _similarity(rows, candidates)
    first = similarity.argmax(1)
    # With the nearest masked, the maximum is the second nearest.
    similarity[np.arange(len(rows)), first] = -np.inf
    nearest, second = torch.from_numpy(first), torch.from_numpy(similarity.argmax(1))
    distance, runner_up = ((rows - candidates[k]).norm(dim=1) for k in (nearest, second))
    return nearest, distance.masked_fill(distance >= ratio * runner_up, math.inf)


def _similarity(rows: Tensor, candidates: Tensor) -> np.ndarray:
    """(n, m), falling with the distance: a . b - |b|² / 2 = (|a|² - |a - b|²) / 2.

    An array of NumPy, whose argmax along rows is several times as fast as torch's.
    """
    return torch.addmm(-candidates.square().sum(1) / 2, rows, candidates.T).numpy()


def _one_per_point(xy: Tensor, i: Tensor, j: Tensor) -> tuple[Tensor, Tensor]:
    """The first pair at each point: a detector may report a point at several orientations."""
    # `unique` gives first occurrences in the order of coordinates; sorting restores the pairs'.
    _, index = np.unique(xy[i].numpy(), axis=0, return_index=True)
    first = torch.from_numpy(np.sort(index))
    return i[first], j[first]


def _pairs(count: int) -> str:
    return "1 pair of points" if count == 1 else f"{count:,} pairs of points"
