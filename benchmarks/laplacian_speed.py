"""The Laplacian pyramid beside kornia's and OpenCV's: encode and invert, a batch and 12 megapixels.

    python benchmarks/laplacian_speed.py
    python benchmarks/laplacian_speed.py --only 4000 --rounds 5

OpenCV's pyrDown and pyrUp give the same numbers, which is asserted. kornia's pyramid is of another
kernel and other borders, so of it only that it rebuilds the image is asserted.
"""

import cv2
import numpy as np
import torch
from kornia.geometry.transform import build_laplacian_pyramid, pyrup
from side_by_side import Benchmark
from torch import Tensor

import imrep
from imrep.testing import photo

LEVELS = 5
KORNIA, OPENCV = "kornia", "OpenCV"


def opencv(image: np.ndarray) -> list[np.ndarray]:
    """Bands and rest of (height, width, channel)."""
    bands = []
    for _ in range(LEVELS):
        low = cv2.pyrDown(image)
        bands.append(cv2.subtract(image, cv2.pyrUp(low, dstsize=image.shape[1::-1])))
        image = low
    return [*bands, image]


def opencv_back(bands: list[np.ndarray]) -> np.ndarray:
    """The image of `opencv`'s bands and rest."""
    *bands, low = bands
    for band in reversed(bands):
        low = cv2.add(band, cv2.pyrUp(low, dstsize=band.shape[1::-1]))
    return low


def kornia_back(bands: list[Tensor]) -> Tensor:
    """The image of kornia's bands, whose sides are powers of two."""
    *bands, low = bands
    for band in reversed(bands):
        low = band + pyrup(low)
    return low


def planes(arrays: list[np.ndarray]) -> Tensor:
    """(batch, channel, height, width) of images as OpenCV has them."""
    return torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2)


def compare(
    benchmark: Benchmark, name: str, image: Tensor, floors: dict, *, with_kornia: bool
) -> None:
    """Encode and invert one batch."""
    laplacian = imrep.get("laplacian", levels=LEVELS)
    arrays = [np.ascontiguousarray(array.permute(1, 2, 0).numpy()) for array in image]

    def encode() -> list[Tensor]:
        return list(laplacian.encode(image).tensors().values())

    def agree(ours: list[Tensor], theirs: list) -> None:
        if isinstance(theirs[0], list):
            for array, reference in zip(ours, zip(*theirs, strict=True), strict=True):
                torch.testing.assert_close(array, planes(list(reference)), rtol=0, atol=1e-6)
        else:
            assert [t.shape for t in ours] == [t.shape for t in theirs]
            torch.testing.assert_close(kornia_back(theirs), image, rtol=0, atol=1e-5)

    peers = {OPENCV: lambda: [opencv(array) for array in arrays]}
    if with_kornia:
        peers[KORNIA] = lambda: build_laplacian_pyramid(image, LEVELS + 1)
    benchmark.run(
        f"encode {name}", encode, peers=peers, agree=agree, floors=floors, inputs=image.nbytes
    )

    code = laplacian.encode(image)
    pyramids = [opencv(array) for array in arrays]

    def rebuilt(ours: Tensor, theirs: list[np.ndarray]) -> None:
        torch.testing.assert_close(ours, planes(theirs), rtol=0, atol=1e-6)
        torch.testing.assert_close(ours, image, rtol=0, atol=1e-6)

    benchmark.run(
        f"invert {name}",
        lambda: laplacian.invert(code),
        peers={OPENCV: lambda: [opencv_back(array) for array in pyramids]},
        agree=rebuilt,
        floors={},
        inputs=sum(t.nbytes for t in code.tensors().values()),
    )


def main() -> None:
    benchmark = Benchmark("laplacian, 5 levels, float32", native="kernels")
    batch = photo(256, 256, batch=32)
    compare(benchmark, "32×3×256²", batch, {KORNIA: (10, 6)}, with_kornia=True)
    large = photo(3000, 4000, batch=1)
    compare(benchmark, "1×3×4000×3000", large, {OPENCV: (0.7, 0.3)}, with_kornia=False)
    benchmark.finish()


if __name__ == "__main__":
    main()
