"""SIFT keypoints: OpenCV's detector and descriptors, as one batch of points."""

import cv2
import numpy as np
import torch
from torch import Tensor

from imrep.codes import Points
from imrep.represent.local.sift.dense import DIM

_COLUMNS = 6  # x, y, diameter, angle, response, octave


def detect(gray: Tensor) -> Points:
    """Keypoints of each image with RootSIFT descriptors, padded to the longest list."""
    sift = cv2.SIFT.create()
    levels = (gray[:, 0] * 255).round().clamp(0, 255).byte().cpu().numpy()
    keypoints = [_keypoints(sift, plane) for plane in levels]
    longest = max(len(rows) for rows in keypoints)
    table = np.zeros((len(keypoints), longest, _COLUMNS + DIM), np.float32)
    for i, rows in enumerate(keypoints):
        table[i, : len(rows)] = rows
    columns = torch.from_numpy(table).to(gray.device).split([2, 1, 1, 1, 1, DIM], dim=2)
    xy, extent, angle, response, octave, raw = (part.squeeze(2) for part in columns)
    count = torch.tensor([len(rows) for rows in keypoints], device=gray.device)
    shares = raw / raw.sum(2, keepdim=True).clamp_min(1)
    return Points(
        xy=xy.to(gray),
        values=shares.sqrt().to(gray),
        extent=extent.to(gray),
        angle=angle.to(gray),
        present=torch.arange(longest, device=gray.device) < count[:, None],
        size=(gray.shape[2], gray.shape[3]),
        response=response.to(gray),
        octave=octave.long(),
    )


def _keypoints(sift: cv2.SIFT, levels: np.ndarray) -> np.ndarray:
    """Rows of x, y, diameter, angle, response, octave and the 128 numbers of the descriptor."""
    points, values = sift.detectAndCompute(levels, None)
    if not points:
        return np.zeros((0, _COLUMNS + DIM), np.float32)
    # OpenCV packs two signed bytes: the octave is the lowest, the layer within it the next.
    rows = np.array(
        [(*p.pt, p.size, p.angle, p.response, (p.octave + 128) % 256 - 128) for p in points],
        np.float32,
    )
    return np.concatenate([rows, values], axis=1)
