"""Poses drawn over an image, and fields drawn as what they associate."""

import colorsys
from collections.abc import Sequence

import cv2
import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from imrep.codes import Fields
from imrep.drawing import enlarge, heat, sequential
from imrep.represent.spatial.composite.decoder import Pose
from imrep.represent.spatial.composite.skeleton import Skeleton
from imrep.types import Image, Picture

_SHIFT = 4  # binary digits behind the point that OpenCV draws with
_OUTLINE, _JOINT = (20, 20, 20), (255, 255, 255)
_BACKGROUND = 40  # gray level without an image
_LINE = 1 / 160  # width of a bone, of the image's longer side
_INSTANCE = 3  # times the longer side of a pose, if that is less
_MAX_PX = 1e5  # to which positions are clamped
_FAINTEST = 0.3  # confidence of an association that is drawn
_MAX_DRAWN = 40  # associations of an edge, the surest


def draw_poses(image: Image, poses: Sequence[Sequence[Pose]]) -> Picture:
    """The skeletons of every image over it, (b, 3, h, w)."""
    painted = []
    for pixels, own in zip(image.detach().expand(-1, 3, -1, -1), poses, strict=True):
        canvas = _canvas(pixels)
        for pose in reversed(own):  # the surest on top
            longer = min(max(canvas.shape[:2]), _INSTANCE * max(pose.box[2:]))
            _paint(canvas, pose, max(1, round(longer * _LINE)))
        painted.append(_tensor(canvas))
    return torch.stack(painted).to(image)


def draw_associations(code: Fields, skeleton: Skeleton, image: Image | None) -> Picture:
    """Each confident cell of an edge as the line between its ends, (b, 3, h, w)."""
    joints, height, width = len(skeleton.joints), *code.size
    colours = _colours(len(skeleton.edges))
    painted = []
    for i in range(len(code)):
        pixels = None if image is None else 0.5 * image[i].detach().expand(3, -1, -1)
        canvas = np.full((height, width, 3), _BACKGROUND, np.uint8)
        canvas = canvas if pixels is None else _canvas(pixels)
        for edge, colour in enumerate(colours):
            confidence = code.confidence[i, joints + edge].detach().flatten()
            surest = confidence.topk(min(_MAX_DRAWN, len(confidence))).indices
            surest = surest[confidence[surest] >= _FAINTEST]
            ends = code.vectors[i, joints + edge].detach().flatten(2)[:, :, surest] * code.stride
            for a, b in ends.permute(2, 0, 1).float().cpu().numpy():
                cv2.line(canvas, _fixed(a), _fixed(b), colour, 1, cv2.LINE_AA, _SHIFT)
        painted.append(_tensor(canvas))
    return torch.stack(painted).to(code.confidence)


def draw_intensities(code: Fields, joints: int, image: Image | None) -> Picture:
    """The greatest confidence of any joint in each cell, over the image if given."""
    confidence = code.confidence[:, :joints].detach().amax(1, keepdim=True)
    grid = _positions(code, confidence)
    if image is not None:
        return heat(grid, image)
    return sequential(grid)


def montage(panels: Sequence[Picture]) -> Float[Tensor, "batch 3 _ _"]:
    """Pictures of one size side by side, enlarged where they are small."""
    large = [enlarge(panel) for panel in panels]
    gap = large[0].new_ones(*large[0].shape[:3], 4)
    parts = [part for panel in large for part in (panel, gap)]
    return torch.cat(parts[:-1], 3)


def _positions(code: Fields, values: Tensor) -> Tensor:
    """Values at cells as values at pixels: cell (i, j) is pixel (i, j) × stride."""
    height, width = code.size
    y, x = (
        (torch.arange(n, device=values.device) / code.stride).clamp_max(cells - 1)
        for n, cells in ((height, values.shape[2]), (width, values.shape[3]))
    )
    y, x = (2 * v / max(1, n - 1) - 1 for v, n in ((y, values.shape[2]), (x, values.shape[3])))
    grid = torch.stack(torch.meshgrid(x, y, indexing="xy"), -1).to(values)
    grid = grid[None].expand(len(values), -1, -1, -1)
    return torch.nn.functional.grid_sample(values, grid, align_corners=True)


def _paint(canvas: NDArray[np.uint8], pose: Pose, width: int) -> None:
    colours = _colours(len(pose.skeleton.edges))
    present = pose.joints[:, 0] > 0
    for (a, b), colour in zip(pose.skeleton.edges, colours, strict=True):
        if present[a] and present[b]:
            start, end = (_fixed(pose.joints[j, 1:3]) for j in (a, b))
            cv2.line(canvas, start, end, _OUTLINE, width + 2, cv2.LINE_AA, _SHIFT)
            cv2.line(canvas, start, end, colour, width, cv2.LINE_AA, _SHIFT)
    for joint in pose.joints[present]:
        centre = _fixed(joint[1:3])
        cv2.circle(canvas, centre, (width + 1) << _SHIFT, _OUTLINE, -1, cv2.LINE_AA, _SHIFT)
        cv2.circle(canvas, centre, width << _SHIFT, _JOINT, -1, cv2.LINE_AA, _SHIFT)


def _colours(count: int) -> list[tuple[int, int, int]]:
    """A colour for each edge; neighbours in the list differ."""
    hues = [(i * 0.381966) % 1 for i in range(count)]  # golden angles
    tones = (colorsys.hsv_to_rgb(hue, 0.75, 1.0) for hue in hues)
    return [(round(255 * r), round(255 * g), round(255 * b)) for r, g, b in tones]


def _fixed(point: NDArray) -> tuple[int, int]:
    x, y = (round(float(v) * (1 << _SHIFT)) for v in np.clip(point, -_MAX_PX, _MAX_PX))
    return x, y


def _canvas(pixels: Tensor) -> NDArray[np.uint8]:
    values = pixels.permute(1, 2, 0).float().cpu().numpy()
    return np.ascontiguousarray((values * 255).round().clip(0, 255).astype(np.uint8))


def _tensor(canvas: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(canvas).permute(2, 0, 1).float() / 255
