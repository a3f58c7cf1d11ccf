"""Poses of people for the tests of composite fields."""

import numpy as np

from imrep.represent.spatial.composite import COCO, Instance


def person(left, top, height, seed=0, hidden=(), absent=()):
    """An upright instance of COCO's skeleton, its joints moved a little."""
    pose = np.array(COCO.pose)
    pose = (pose - [pose[:, 0].min(), 0]) * [1, -1]
    xy = (pose - [0, pose[:, 1].min()]) * height / 9.7 + [left, top]
    xy += np.random.default_rng(seed).normal(0, height / 150, xy.shape)
    visibility = np.full(17, 2.0)
    visibility[list(hidden)], visibility[list(absent)] = 1, 0
    low, extent = xy.min(0), np.ptp(xy, axis=0)
    return Instance(np.column_stack([xy, visibility]), (*low, *extent))


def crowd(count, width, height, size=90):
    """Instances side by side in rows."""
    columns = max(1, width // (size // 2 + 12))
    return [
        person(6 + i % columns * (size // 2 + 12), 6 + i // columns * (size + 14) % height, size, i)
        for i in range(count)
    ]
