"""Canny's edges beside OpenCV's and Kornia's: 32 gray images of 256 × 256.

OpenCV is handed the bytes that ours makes of floating-point pixels itself, so that what is timed
beside it is the price of a tensor in and a tensor out. Edges must be the same bit by bit. Kornia
blurs first and interpolates, so that its edges are others; only its time is compared.
"""

import cv2
import kornia
import torch
from side_by_side import Benchmark
from skimage import data

import imrep

SIDE, COUNT = 256, 32
FEW = 4  # for Kornia, which takes half a second for each
LOW, HIGH = 60.0, 120.0


def tiles() -> torch.Tensor:
    """Photographs cut up, (32, 1, 256, 256), every value a byte over 255."""
    names = ("camera", "astronaut", "coffee", "chelsea", "rocket", "coins", "brick", "grass")
    gray = []
    for name in names:
        photo = getattr(data, name)()
        gray.append(photo if photo.ndim == 2 else cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY))
    cut = [image[y : y + SIDE, x : x + SIDE] for image in gray for y in (0, 40) for x in (0, 120)]
    return (
        torch.stack([torch.from_numpy(image.copy()) for image in cut])[:COUNT, None].float() / 255
    )


def same(ours: torch.Tensor, theirs: object) -> None:
    if isinstance(theirs, list):
        expected = torch.stack([torch.from_numpy(edges) for edges in theirs])
        assert torch.equal(ours[:, 0] * 255, expected.float())


def main() -> None:
    cv2.setNumThreads(1)
    images = tiles()
    levels = list((images[:, 0] * 255).round().byte().numpy())
    rep = imrep.get("edge", low=LOW, high=HIGH)
    benchmark = Benchmark("edge")
    benchmark.run(
        f"{len(images)} × 1 × {SIDE}²",
        lambda: rep.encode(images).values,
        peers={"OpenCV": lambda: [cv2.Canny(image, LOW, HIGH) for image in levels]},
        agree=same,
        floors={"OpenCV": (0.667, 0.667)},
        inputs=images.nbytes,
    )
    few = images[:: COUNT // FEW].contiguous()
    benchmark.run(
        f"{len(few)} × 1 × {SIDE}²",
        lambda: rep.encode(few).values,
        peers={"Kornia": lambda: kornia.filters.canny(few)[1]},
        agree=same,
        floors={"Kornia": (100, 100)},
        inputs=few.nbytes,
    )
    benchmark.finish()


if __name__ == "__main__":
    main()
