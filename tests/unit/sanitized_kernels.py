"""Calls every kernel of a library built with sanitizers: python sanitized_kernels.py LIBRARY.

Odd, tiny and prime sizes, for each the twin in torch beside it. Whatever reads or writes outside
its arrays ends the process.
"""

import ctypes
import itertools
import sys
from functools import partial

import numpy as np
import torch

import imrep
from imrep import _native
from imrep._native import signatures
from imrep.edit.operations.denoise import shrinkage
from imrep.ops.bilateral.filter import bilateral_filter
from imrep.ops.pyramid import laplacian
from imrep.represent.spatial.composite import Thresholds, decoder
from imrep.represent.spatial.composite.reference import Problem

SIZES = [(33, 47), (64, 64), (41, 96), (97, 40)]


def calls(x):
    """Functions of no arguments, each through a kernel; x is (3, height, width)."""
    yield partial(bilateral_filter, x[None], sigma_space=4.0, sigma_range=0.1)
    for scales, orientations in itertools.product((1, 2, 3), (1, 7, 8)):
        rep = imrep.get("scattering", scales=scales, orientations=orientations)
        yield partial(rep.embed, x[None])
    for pixels in (x, (255 * x).to(torch.uint8)):
        yield partial(laplacian.reduce, pixels)
        for levels in (1, 4):
            yield partial(laplacian.collapse, *laplacian.build(pixels, levels))
    for stride in (1, 3, 4):
        yield partial(shrinkage.denoise_plane, x[0], 0.1, stride)
    for complete in (False, True):
        low = Thresholds(
            seed=0.05, association=0.02, joint=0.01, pose=0.01, force_complete=complete
        )
        yield partial(poses, x, low)


def poses(x, thresholds):
    """The number of poses of four joints in noisy fields, a quarter of x's size, and the poses."""
    rows, columns = x.shape[1] // 4, x.shape[2] // 4
    edges = np.array([[0, 1], [1, 2], [2, 3], [3, 0]])
    dice = np.random.default_rng(rows)
    cells = np.mgrid[:rows, :columns][::-1]

    def field(ends):
        near = cells + dice.normal(0, 0.5, (4, ends, 2, rows, columns))
        confidence, scale = (
            dice.random((4, 1, rows, columns)),
            dice.random((4, ends, rows, columns)),
        )
        positions = near.reshape(4, -1, rows, columns)
        return np.concatenate([confidence, positions, 2 * scale], 1).astype(np.float32)

    own = decoder._poses(Problem(field(1), field(2), edges, 4, thresholds))
    return torch.from_numpy(np.append(own, len(own)))


def main(path):
    library = ctypes.CDLL(path)
    assert signatures.declare(library, "kernels")
    _native._load = lambda name: library if name == "kernels" else None
    torch.set_num_threads(1)
    torch.manual_seed(0)
    for height, width in SIZES:
        for compute in calls(torch.rand(3, height, width)):
            fast = compute().float()
            with _native.switched_off():
                plain = compute().float()
            assert (fast - plain).abs().max() < 1e-3 * plain.abs().max(), compute


if __name__ == "__main__":
    main(sys.argv[1])
