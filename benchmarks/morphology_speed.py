"""Dilation beside OpenCV's and Kornia's, and the granulometry that is built on it.

python benchmarks/morphology_speed.py [--rounds N] [--only rect] [--json FILE]
"""

import cv2
import kornia
import numpy as np
import torch
from side_by_side import Benchmark

from imrep.ops.morphology import operators
from imrep.ops.morphology.elements import structuring_element


def main() -> None:
    benchmark = Benchmark("morphology")
    cv2.setNumThreads(1)
    images = torch.rand(32, 1, 256, 256)
    large = torch.rand(1, 1, 3000, 4000)
    rect, disk = (structuring_element(shape, 15, 15) for shape in ("rect", "ellipse"))
    dilation(benchmark, "rect 15, 32 x 256^2", images, rect, {"OpenCV": 0.33, "Kornia": 20})
    dilation(benchmark, "ellipse 15, 32 x 256^2", images, disk, {"OpenCV": 0.33, "Kornia": 20})
    dilation(benchmark, "rect 15, 3000 x 4000", large, rect, {})
    benchmark.finish()


def dilation(benchmark, work, images, element, floors):
    mask = element.numpy().astype(np.uint8)
    planes = images[:, 0].numpy()
    peers = {"OpenCV": lambda: np.stack([cv2.dilate(plane, mask) for plane in planes])[:, None]}
    if "Kornia" in floors:
        peers["Kornia"] = lambda: kornia.morphology.dilation(images, element.float()).numpy()
    benchmark.run(
        work,
        lambda: operators.dilate(images, element).numpy(),
        peers=peers,
        agree=np.testing.assert_array_equal,
        floors={peer: (floor, floor) for peer, floor in floors.items()},
        inputs=images.nbytes,
    )


if __name__ == "__main__":
    main()
