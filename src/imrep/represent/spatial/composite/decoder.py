"""Fields to poses: in C where that was built, else in plain Python."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imrep.codes import Fields
from imrep.represent.spatial.composite import fields, native, reference
from imrep.represent.spatial.composite.skeleton import Skeleton
from imrep.represent.spatial.composite.thresholds import Thresholds


@dataclass(frozen=True)
class Pose:
    """One instance in an image.

    Args:
        joints: (joint, 4) of confidence, x, y and scale; in pixels whose centres are at integers.
            A joint that is not there has confidence 0.
        skeleton: Their names and edges.
    """

    joints: NDArray[np.floating]
    skeleton: Skeleton

    @property
    def score(self) -> float:
        """Mean confidence, that of the three surest joints weighted threefold."""
        surest_first = np.sort(self.joints[:, 0])[::-1]
        return float(surest_first @ self.skeleton.score_weights)

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, width and height of what the joints and their scales cover."""
        own = self.joints[self.joints[:, 0] > 0]
        if not len(own):
            return 0.0, 0.0, 0.0, 0.0
        low = (own[:, 1:3] - own[:, 3:]).min(0)
        width, height = (own[:, 1:3] + own[:, 3:]).max(0) - low
        return float(low[0]), float(low[1]), float(width), float(height)

    def coco(self, digits: int = 2) -> dict[str, Any]:
        """A result in COCO's form: keypoints as x, y and confidence, joint after joint."""
        present = self.joints[:, :1] > 0
        keypoints = np.where(present, self.joints[:, [1, 2, 0]], 0.0).round(digits)
        return {
            "category_id": 1,
            "keypoints": keypoints.ravel().tolist(),
            "bbox": [round(v, digits) for v in self.box],
            "score": round(self.score, 4),
        }


def decode(code: Fields, skeleton: Skeleton, thresholds: Thresholds) -> list[list[Pose]]:
    """The poses of every image, the surest first."""
    return [
        [Pose(joints, skeleton) for joints in _poses(problem)]
        for problem in fields.problems(code, skeleton, thresholds)
    ]


def _poses(problem: reference.Problem) -> NDArray[np.floating]:
    poses = native.decode(problem)
    return reference.decode(problem) if poses is None else poses
