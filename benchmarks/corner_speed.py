"""Harris' response beside OpenCV's and Kornia's: 32 gray images of 256 × 256.

Ours is timed twice: as it is, where OpenCV computes it for plain float32 tensors, and the points
with their values, angles and all. Kornia's window is a Gaussian, so only its time is compared.
"""

import cv2
import kornia
import torch
from side_by_side import Benchmark

import imrep
from imrep.testing import photo

COUNT, SIDE, BLOCK, K = 32, 256, 3, 0.04


def same(ours: torch.Tensor, theirs: object) -> None:
    if isinstance(theirs, list):
        expected = torch.stack([torch.from_numpy(plane) for plane in theirs])
        torch.testing.assert_close(ours[:, 0], expected, atol=1e-6 * float(expected.max()), rtol=0)


def main() -> None:
    cv2.setNumThreads(1)
    images = photo(SIDE, SIDE, batch=COUNT, channels=1)
    planes = list(images[:, 0].numpy())
    rep = imrep.get("corner", block=BLOCK, k=K)
    peers = {
        "OpenCV": lambda: [cv2.cornerHarris(plane, BLOCK, 3, K) for plane in planes],
        "Kornia": lambda: kornia.feature.harris_response(images, K),
    }
    benchmark = Benchmark("corner")
    benchmark.run(
        f"{COUNT} × 1 × {SIDE}², response",
        lambda: rep.response(images).values,
        peers=peers,
        agree=same,
        floors={"OpenCV": (0.5, 0.5), "Kornia": (9, 9)},
        inputs=images.nbytes,
    )
    benchmark.run(
        f"{COUNT} × 1 × {SIDE}², points",
        lambda: rep.encode(images).values,
        peers=peers,
        agree=lambda *_: None,
        floors={},
        inputs=images.nbytes,
    )
    benchmark.finish()


if __name__ == "__main__":
    main()
