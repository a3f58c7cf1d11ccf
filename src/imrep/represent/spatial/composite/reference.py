"""The decoder in plain Python, as the text describes it; the C kernel is tested against it.

A joint is v, x, y and s: confidence, position and scale in pixels. A pose is a list of them, v = 0
for a joint that it lacks.
"""

import heapq
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from imrep.represent.spatial.composite.thresholds import (
    COMPLETION_CONFIDENCE,
    COMPLETION_WINDOW,
    FLOODED,
    MAX_POSES,
    MIN_OCCUPIED_PX,
    NEIGHBOURS,
    OCCUPANCY_PX,
    SUPPRESSED,
    Thresholds,
)

Array = NDArray[np.floating]
Joint = tuple[float, float, float, float]  # v, x, y, s
_NONE: Joint = (0.0, 0.0, 0.0, 0.0)
_START, _END = slice(1, 4), slice(4, 7)  # of a candidate: x, y and s of both ends


@dataclass(frozen=True)
class Problem:
    """Fields to decode, and how.

    Args:
        cif: (joint, 4, h, w): confidence, x, y, scale; in cells, float32 or float64.
        caf: (edge, 7, h, w): confidence, x1, y1, x2, y2, scale 1, scale 2; in cells.
        edges: (edge, 2) joints.
        stride: Pixels per cell.
        thresholds: Of confidences.
    """

    cif: Array
    caf: Array
    edges: NDArray[np.int64]
    stride: int
    thresholds: Thresholds

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of the map in pixels."""
        rows, columns = self.cif.shape[2:]
        return (rows - 1) * self.stride + 1, (columns - 1) * self.stride + 1


def decode(problem: Problem) -> Array:
    """Poses (n, joint, 4) of v, x, y, s in pixels, the surest first."""
    problem = replace(problem, cif=problem.cif.astype(float), caf=problem.caf.astype(float))
    t = problem.thresholds
    intensity = high_resolution(problem)
    candidates = Candidates(problem, intensity, t.association)
    occupied = Occupancy(problem)
    poses: list[list[Joint]] = []
    for joint, start in seeds(problem, intensity):
        if occupied.holds(joint, start) or len(poses) == MAX_POSES:
            continue
        pose = [_NONE] * len(problem.cif)
        pose[joint] = start
        grow(pose, problem, candidates, t, t.window, reverse=t.reverse_match)
        poses.append(pose)
        occupied.mark(pose)
    poses = suppress(poses, problem)
    if t.force_complete and poses:
        complete(poses, problem, intensity)
    return np.array(poses).reshape(-1, len(problem.cif), 4)


def high_resolution(problem: Problem) -> NDArray[np.float32]:
    """CifHr: confidences as discs of each joint's scale on a map of pixels, summed up to 1."""
    intensity = np.zeros((len(problem.cif), *problem.size), np.float32)
    for joint, field in enumerate(problem.cif):
        for c, x, y, scale in field[:, field[0] >= problem.thresholds.intensity].T:
            centre = x * problem.stride, y * problem.stride
            _add(intensity[joint], c / NEIGHBOURS, centre, max(1.0, 0.5 * scale * problem.stride))
    return np.minimum(intensity, 1)


def _add(
    map_: NDArray[np.float32], weight: float, centre: tuple[float, float], sigma: float
) -> None:
    """A Gaussian within one standard deviation, as (1 + u / 8)^8 in place of exp(u)."""
    (left, right), (top, bottom) = (
        (max(0, math.ceil(v - sigma)), min(n, math.floor(v + sigma) + 1))
        for v, n in zip(centre, map_.shape[::-1], strict=True)
    )
    if left >= right or top >= bottom:
        return
    dx = np.arange(left, right)[None] - centre[0]
    dy = np.arange(top, bottom)[:, None] - centre[1]
    squared = dx**2 + dy**2
    value = (1 - squared / (16 * sigma**2)) ** 8
    value[(np.abs(dx) < 0.5) & (np.abs(dy) < 0.5)] = 1
    value[squared > sigma**2] = 0
    map_[top:bottom, left:right] += (weight * value).astype(np.float32)


def _at(map_: NDArray[np.float32], x: Array, y: Array) -> Array:
    """Values at the nearest pixels, 0 outside."""
    column, row = np.floor(x + 0.5), np.floor(y + 0.5)
    inside = (row >= 0) & (row < map_.shape[0]) & (column >= 0) & (column < map_.shape[1])
    values = map_[np.where(inside, row, 0).astype(int), np.where(inside, column, 0).astype(int)]
    return np.where(inside, values, 0.0)


def seeds(problem: Problem, intensity: NDArray[np.float32]) -> Iterator[tuple[int, Joint]]:
    """Joints to start from, the surest first; of equals the first joint's, then cell's."""
    threshold, collected = problem.thresholds.seed, []
    for joint, field in enumerate(problem.cif):
        c, x, y, scale = field[:, field[0] >= threshold]
        x, y, scale = x * problem.stride, y * problem.stride, scale * problem.stride
        v = 0.9 * _at(intensity[joint], x, y) + 0.1 * c
        collected += [
            (joint, row) for row in zip(v, x, y, scale, strict=True) if row[0] >= threshold
        ]
    yield from sorted(collected, key=lambda seed: -seed[1][0])


class Candidates:
    """Cells of the association fields by edge and direction, scored by the joint they point to."""

    def __init__(self, problem: Problem, intensity: NDArray[np.float32], threshold: float) -> None:
        self.by_direction: dict[tuple[int, int], Array] = {}
        for edge, (a, b) in enumerate(problem.edges.tolist()):
            field = problem.caf[edge]
            c, *own = field[:, field[0] >= threshold]
            x1, y1, x2, y2, s1, s2 = (values * problem.stride for values in own)
            for key, end, ends in (
                ((a, edge), (b, x2, y2), (x1, y1, s1, x2, y2, s2)),
                ((b, edge), (a, x1, y1), (x2, y2, s2, x1, y1, s1)),
            ):
                score = c * (0.1 + 0.9 * _at(intensity[end[0]], *end[1:]))
                self.by_direction[key] = np.stack([score, *ends], 1)[score > threshold]

    def around(self, key: tuple[int, int], joint: Joint, window: float) -> Array:
        """Those of an edge from a joint, (n, 7), their scores weighted by the distance to it."""
        own = self.by_direction[key]
        _, x, y, s = joint
        inside = (np.abs(own[:, 1] - x) <= window * s) & (np.abs(own[:, 2] - y) <= window * s)
        own = own[inside]
        squared = (own[:, 1] - x) ** 2 + (own[:, 2] - y) ** 2
        own[:, 0] *= np.exp(-0.5 * squared / (0.25 * s**2 + 1e-12))
        return own

    def connection(self, key: tuple[int, int], joint: Joint, window: float) -> Joint:
        """Score and end of the two best that agree, else of the best with half of its score."""
        own = self.around(key, joint, window)
        if not len(own):
            return _NONE
        first = own[own[:, 0].argmax()]
        others = np.delete(own, own[:, 0].argmax(), 0)
        if len(others):
            second = others[others[:, 0].argmax()]
            distance = math.hypot(*(first[4:6] - second[4:6]))
            if second[0] >= max(0.01, 0.5 * first[0]) and distance <= 0.5 * first[6]:
                total = first[0] + second[0]
                x, y, s = (first[0] * first[_END] + second[0] * second[_END]) / total
                return 0.5 * total, x, y, s
        return 0.5 * first[0], first[4], first[5], first[6]


def grow(
    pose: list[Joint],
    problem: Problem,
    candidates: Candidates,
    thresholds: Thresholds,
    window: float,
    reverse: bool,
) -> None:
    """Add joints by a frontier of edges, the surest connection first."""
    frontier = _Frontier(problem, pose)
    while (popped := frontier.pop()) is not None:
        edge, start, end, connection = popped
        if pose[end][0] > 0:
            continue
        if connection is not None:
            pose[end] = connection
            frontier.push_edges(end)
            continue
        score, x, y, s = candidates.connection((start, edge), pose[start], window)
        v = math.sqrt(score * pose[start][0])
        if score <= 0 or v < max(thresholds.joint, thresholds.relative * pose[start][0]):
            continue
        joint = (v, x, y, s)
        if not reverse or _returns(candidates, (end, edge), joint, pose[start], window):
            frontier.push(v, edge, start, end, joint)


class _Frontier:
    """Edges from joints of a pose to joints that it lacks, by priority, then by age."""

    def __init__(self, problem: Problem, pose: list[Joint]) -> None:
        self.edges, self.pose = problem.edges.tolist(), pose
        self.heap: list[tuple[float, int, int, int, int, Joint | None]] = []
        self.counter = itertools.count()
        for joint, own in enumerate(pose):
            if own[0] > 0:
                self.push_edges(joint)

    def push_edges(self, joint: int) -> None:
        """All edges from a joint; their connections are computed when they are popped."""
        for edge, (a, b) in enumerate(self.edges):
            for start, end in ((a, b), (b, a)):
                if start == joint and self.pose[end][0] == 0:
                    self.push(math.sqrt(self.pose[joint][0]), edge, start, end, None)

    def push(self, priority: float, edge: int, start: int, end: int, joint: Joint | None) -> None:
        """An edge, with its connection where that is known."""
        heapq.heappush(self.heap, (-priority, next(self.counter), edge, start, end, joint))

    def pop(self) -> tuple[int, int, int, Joint | None] | None:
        """Edge, start, end and connection of the first; None where there is none."""
        return heapq.heappop(self.heap)[2:] if self.heap else None


def _returns(
    candidates: Candidates, key: tuple[int, int], joint: Joint, start: Joint, window: float
) -> bool:
    """Whether the best connection back ends at the joint that it came from."""
    own = candidates.around(key, joint, window)
    if not len(own):
        return False
    best = own[own[:, 0].argmax()]
    return abs(best[4] - start[1]) + abs(best[5] - start[2]) <= start[3]


class Occupancy:
    """Squares around the joints of poses, on a map of half the size for each joint."""

    def __init__(self, problem: Problem) -> None:
        rows, columns = (math.ceil(n / OCCUPANCY_PX) for n in problem.size)
        self.maps = np.zeros((len(problem.cif), rows, columns), bool)

    def holds(self, joint: int, own: Joint) -> bool:
        """Whether a joint's cell is taken."""
        rows, columns = self.maps.shape[1:]
        row, column = (math.floor(v / OCCUPANCY_PX) for v in (own[2], own[1]))
        row, column = min(max(row, 0), rows - 1), min(max(column, 0), columns - 1)
        return bool(self.maps[joint, row, column])

    def mark(self, pose: Sequence[Joint]) -> None:
        """Take the squares of all joints."""
        for joint, own in enumerate(pose):
            if own[0] > 0:
                self.mark_joint(joint, own)

    def mark_joint(self, joint: int, own: Joint) -> None:
        """Take the square of one joint."""
        _, x, y, s = own
        half = max(MIN_OCCUPIED_PX, s)
        rows, columns = (
            slice(
                *(
                    max(0, math.floor((v + d) / OCCUPANCY_PX + e))
                    for d, e in ((-half, 0), (half, 1))
                )
            )
            for v in (y, x)
        )
        self.maps[joint, rows, columns] = True


def suppress(poses: list[list[Joint]], problem: Problem) -> list[list[Joint]]:
    """Soft non-maximum suppression: joints where a surer pose has the same joint fade."""
    occupied, remaining = Occupancy(problem), []
    threshold = problem.thresholds.joint
    for pose in sorted(poses, key=lambda pose: -_mean(pose)):
        for joint, own in enumerate(pose):
            if own[0] > 0 and occupied.holds(joint, own):
                pose[joint] = (own[0] * SUPPRESSED, *own[1:])
            elif own[0] > 0:
                occupied.mark_joint(joint, own)
        remaining_joints = [own if own[0] > threshold else _NONE for own in pose]
        if _mean(remaining_joints) >= problem.thresholds.pose:
            remaining.append(remaining_joints)
    return sorted(remaining, key=lambda pose: -_mean(pose))


def complete(poses: list[list[Joint]], problem: Problem, intensity: NDArray[np.float32]) -> None:
    """Add the joints that poses lack, by weak associations, then at their neighbours."""
    weak = Candidates(problem, intensity, COMPLETION_CONFIDENCE)
    lenient = Thresholds(joint=0, relative=0)
    for pose in poses:
        grow(pose, problem, weak, lenient, COMPLETION_WINDOW, reverse=False)
        _flood(pose, problem.edges.tolist())


def _flood(pose: list[Joint], edges: list[tuple[int, int]]) -> None:
    """Missing joints at the position of the surest neighbour."""
    while True:
        reachable = [
            (-pose[start][0], edge, start, end)
            for edge, (a, b) in enumerate(edges)
            for start, end in ((a, b), (b, a))
            if pose[start][0] > 0 and pose[end][0] == 0
        ]
        if not reachable:
            return
        _, _, start, end = min(reachable)
        pose[end] = (FLOODED, *pose[start][1:])


def _mean(pose: Sequence[Joint]) -> float:
    return sum(own[0] for own in pose) / len(pose)
