"""Histograms of oriented gradients beside scikit-image's, equal within 1e-6.

python benchmarks/hog_speed.py [--rounds N] [--only gray] [--json FILE]
"""

import numpy as np
import skimage.data
import torch
from side_by_side import Benchmark
from skimage.feature import hog

import imrep

SIDE = 256


def main() -> None:
    benchmark = Benchmark("hog")
    photo = skimage.data.astronaut()
    corners = [(32 * i, 64 * j) for i in range(8) for j in range(4)]
    tiles = np.stack([photo[y : y + SIDE, x : x + SIDE] for y, x in corners])
    gray = tiles[..., :1] / 255.0
    histograms(benchmark, "gray, 32 x 256^2, float32", gray, torch.float32, 6)
    histograms(benchmark, "gray, 32 x 256^2, float64", gray, torch.float64, 6)
    # in bytes two channels can be equally steep, and the last bit chooses the direction: add grain
    colour = (tiles + np.random.default_rng(0).random(tiles.shape))[::4] / 256
    histograms(benchmark, "colour, 8 x 256^2, float64", colour, torch.float64, None)
    benchmark.finish()


def histograms(benchmark, work, images, dtype, floor):
    batch = torch.from_numpy(images).permute(0, 3, 1, 2).to(dtype).contiguous()
    rep = imrep.get("hog:side=none")

    def skimage_hog():
        shape = {"pixels_per_cell": (8, 8), "cells_per_block": (2, 2), "channel_axis": -1}
        return np.stack([hog(image, 9, feature_vector=False, **shape) for image in images])

    def ours():
        blocks = rep.encode(batch).values.permute(0, 2, 3, 1)
        return blocks.unflatten(3, (2, 2, 9)).numpy()

    benchmark.run(
        work,
        ours,
        peers={"scikit-image": skimage_hog},
        agree=lambda mine, theirs: np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-6),
        floors={} if floor is None else {"scikit-image": (floor, floor)},
        inputs=batch.nbytes,
    )


if __name__ == "__main__":
    main()
