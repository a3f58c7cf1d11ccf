"""Joints and their connections: COCO's person, and whatever a COCO file of annotations names."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imrep.errors import BadParameter

Points = tuple[tuple[float, float], ...]

_SIGMA = 0.05  # of a joint whose category does not state one
_MIN_VISIBLE = 3  # joints of an annotation that the mean pose may use
_SIDES = (("left", "right"), ("l", "r"))
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+|[^A-Za-z\d]+")
_MAX_JOINTS = 1024


@dataclass(frozen=True)
class Skeleton:
    """The joints of one category and the edges between them.

    Args:
        joints: Their names.
        edges: Pairs of joints that are associated, from 0.
        sigmas: Size of each joint relative to the square root of the instance's area.
        pose: (x, y) of each joint of a complete upright instance, y up, to tell the area of an
            instance of which a part is visible; empty where that is not known.
        category: The name of what has them.
    """

    joints: tuple[str, ...]
    edges: tuple[tuple[int, int], ...]
    sigmas: tuple[float, ...]
    pose: Points = ()
    category: str = "person"

    @property
    def swapped(self) -> tuple[int, ...]:
        """The joint that each becomes where the image is mirrored: left and right change places."""
        index = {name: i for i, name in enumerate(self.joints)}
        return tuple(index.get(_mirrored(name), i) for i, name in enumerate(self.joints))

    @property
    def labels(self) -> tuple[str, ...]:
        """The name of every field: joints, then edges."""
        return (*self.joints, *(f"{self.joints[a]}-{self.joints[b]}" for a, b in self.edges))

    @property
    def pairs(self) -> NDArray[np.int64]:
        """The edges, (edge, 2)."""
        return np.array(self.edges, np.int64).reshape(-1, 2)

    @property
    def score_weights(self) -> NDArray[np.float64]:
        """Weight of each joint's confidence, the greatest first: three count threefold."""
        weights = np.ones(len(self.joints))
        weights[:3] = 3
        return weights / weights.sum()

    def facts(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def from_facts(facts: Mapping[str, Any], caller: str, source: str) -> Skeleton:
    """What `Skeleton.facts` wrote.

    Raises:
        BadParameter: If it is none.
    """
    try:
        edges = tuple((int(a), int(b)) for a, b in facts["edges"])
        pose = tuple((float(x), float(y)) for x, y in facts["pose"])
        joints, sigmas = tuple(map(str, facts["joints"])), tuple(map(float, facts["sigmas"]))
        skeleton = Skeleton(joints, edges, sigmas, pose, str(facts["category"]))
    except (KeyError, TypeError, ValueError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise BadParameter(f"{caller} needs a skeleton in {source}, got {reason}.") from error
    _check(skeleton, caller, source)
    return skeleton


def from_category(
    category: Mapping[str, Any], poses: Sequence[NDArray[np.float64]], caller: str, source: str
) -> Skeleton:
    """The skeleton of a category of a COCO file.

    Args:
        category: With `keypoints` (names) and `skeleton` (pairs from 1); `sigmas` if it has them.
        poses: Keypoints (joint, 3) of instances, whose mean is the complete pose.
        caller: The name that messages start with.
        source: The file, for messages.

    Raises:
        BadParameter: If it names no joints or no edges, or an edge is not of two joints.
    """
    name = str(category.get("name", "object"))
    joints, pairs = category.get("keypoints"), category.get("skeleton")
    listed = isinstance(joints, list) and all(isinstance(joint, str) for joint in joints)
    if not listed or not joints:
        raise _refused(caller, source, name, "names of joints under keypoints", joints)
    if not isinstance(pairs, list) or not pairs or not all(_is_pair(pair) for pair in pairs):
        raise _refused(caller, source, name, "pairs of joints under skeleton", pairs)
    if tuple(joints) == COCO.joints:
        sigmas, pose = COCO.sigmas, COCO.pose
    else:
        own = category.get("sigmas")
        stated = isinstance(own, list) and len(own) == len(joints)
        sigmas = tuple(map(float, own)) if stated and own else (_SIGMA,) * len(joints)
        pose = _mean_pose(poses, len(joints))
    edges = tuple((a - 1, b - 1) for a, b in pairs)
    skeleton = Skeleton(tuple(joints), edges, sigmas, pose, name)
    _check(skeleton, caller, source)
    return skeleton


def read(name: str, caller: str) -> Skeleton:
    """The skeleton that a parameter names: "coco", "coco_dense", or a COCO file's.

    Raises:
        BadParameter: If it is neither, or the file names no skeleton.
    """
    if name in NAMED:
        return NAMED[name]
    path = Path(name)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise BadParameter(
            f"{caller} needs skeleton to be {', '.join(NAMED)} or a COCO file, got {name!r} "
            f"({reason})."
        ) from error
    content = content if isinstance(content, dict) else {}
    if "edges" in content:
        return from_facts(content, caller, name)
    categories = content.get("categories")
    for category in categories if isinstance(categories, list) else ():
        if isinstance(category, dict) and category.get("keypoints"):
            return from_category(category, _poses(content, category), caller, name)
    raise BadParameter(
        f"{caller} needs a category with keypoints in {name}, got none. Pass another COCO file."
    )


def _poses(content: Mapping[str, Any], category: Mapping[str, Any]) -> list[NDArray[np.float64]]:
    """The keypoints of every annotation of a category that has the right number."""
    poses = []
    annotations = content.get("annotations")
    for annotation in annotations if isinstance(annotations, list) else ():
        own = annotation.get("keypoints") if isinstance(annotation, dict) else None
        right = isinstance(own, list) and len(own) == 3 * len(category["keypoints"])
        if right and own and annotation.get("category_id") == category.get("id"):
            poses.append(np.array(own, np.float64).reshape(-1, 3))
    return poses


def _mean_pose(poses: Sequence[NDArray[np.float64]], count: int) -> Points:
    """Mean position of each joint in instances scaled to unit size, y up; empty if one is never."""
    total, weight = np.zeros((count, 2)), np.zeros((count, 1))
    for keypoints in poses:
        visible = keypoints[:, 2] > 0
        if visible.sum() < min(_MIN_VISIBLE, count):
            continue
        own = keypoints[visible, :2]
        extent = np.ptp(own, axis=0)
        size = np.sqrt(extent.prod())
        if size > 0:
            total[visible] += (own - own.mean(0)) / size
            weight[visible] += 1
    if not weight.all():
        return ()
    return tuple((float(x), float(-y)) for x, y in total / weight)


def _mirrored(name: str) -> str:
    """A joint's name with left for right: left_eye, eye_L, LeftEye."""
    words = _WORD.findall(name)
    for a, b in _SIDES:
        for old, new in ((a, b), (b, a)):
            for i, word in enumerate(words):
                if word.lower() == old:
                    cased = new.upper() if word.isupper() else new
                    words[i] = cased.capitalize() if word.istitle() and len(old) > 1 else cased
                    return "".join(words)
    return name


def _is_pair(pair: Any) -> bool:
    two = isinstance(pair, list) and len(pair) == 2
    return two and all(isinstance(joint, int) and not isinstance(joint, bool) for joint in pair)


def _check(skeleton: Skeleton, caller: str, source: str) -> None:
    count = len(skeleton.joints)
    lengths = {len(skeleton.sigmas), len(skeleton.pose) or count, count}
    outside = [pair for pair in skeleton.edges if not _is_edge(pair, count)]
    if not 1 <= count <= _MAX_JOINTS or len(lengths) > 1:
        fault = f"{count} joints, {len(skeleton.sigmas)} sigmas"
    elif outside:
        fault = f"an edge {tuple(joint + 1 for joint in outside[0])} of {count} joints"
    elif not all(0 < sigma < 10 for sigma in skeleton.sigmas):
        fault = f"sigmas {skeleton.sigmas}"
    else:
        return
    raise BadParameter(
        f"{caller} needs a sigma above 0 for each joint, and edges between two of them, in "
        f"{source}, got {fault}. Correct the category."
    )


def _is_edge(pair: tuple[int, int], count: int) -> bool:
    return pair[0] != pair[1] and all(0 <= joint < count for joint in pair)


def _refused(caller: str, source: str, category: str, what: str, actual: Any) -> BadParameter:
    text = repr(actual)
    text = text if len(text) < 60 else f"{text[:60]}…"
    return BadParameter(
        f"{caller} needs {what} of category {category!r} in {source}, got {text}. Add them."
    )


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(map(float, text.split()))


def _edges(text: str) -> tuple[tuple[int, int], ...]:
    """Pairs from 1, as COCO writes them, counted from 0."""
    pairs = (pair.split("-") for pair in text.split())
    return tuple((int(a) - 1, int(b) - 1) for a, b in pairs)


def _both(*parts: str) -> tuple[str, ...]:
    return tuple(f"{side}_{part}" for part in parts for side in ("left", "right"))


COCO = Skeleton(
    ("nose", *_both("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")),
    _edges(
        "16-14 14-12 17-15 15-13 12-13 6-12 7-13 6-7 6-8 7-9 8-10 9-11 2-3 1-2 1-3 2-4 3-5 4-6 5-7"
    ),
    _numbers(
        ".026 .025 .025 .035 .035 .079 .079 .072 .072 .062 .062 .107 .107 .087 .087 .089 .089"
    ),
    tuple(
        zip(
            _numbers("0 -.35 .35 -.7 .7 -1.4 1.4 -1.75 1.75 -1.75 1.75"
                     " -1.26 1.26 -1.4 1.4 -1.4 1.4"),
            _numbers("9.3 9.7 9.7 9.5 9.5 8 8 6 6.2 4 4.2 4 4 2 2.1 0 .1"),
            strict=True,
        )
    ),
)  # fmt: skip
# Further connections, between joints that are two or more edges from each other.
COCO_DENSE = Skeleton(
    COCO.joints,
    COCO.edges
    + _edges(
        "1-4 1-5 4-5 1-6 1-7 2-6 3-7 6-13 7-12 6-10 7-11 8-9 10-11 10-12 11-13 10-14 11-15 12-15"
        " 13-14 12-16 13-17 14-17 15-16 14-15 16-17"
    ),
    COCO.sigmas,
    COCO.pose,
)
NAMED = {"coco": COCO, "coco_dense": COCO_DENSE}
