"""The bilateral filter beside OpenCV's on floats: 12 megapixels in gray, and a batch in colour.

    python benchmarks/bilateral_speed.py --rounds 3       about three minutes
    python benchmarks/bilateral_speed.py --only 256

The filter is compared with its definition, window by window, at pixels chosen by chance: at least
55 dB are asserted. OpenCV sums over a disk of 1.5 standard deviations, and in colour takes the
channels' differences for the guide, so of it only the order of magnitude is asserted. The slice of
a learned grid is compared with torch's own sampling of the whole volume, which it equals.
"""

import math

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from side_by_side import Benchmark
from skimage import data
from torch import Tensor

from imrep.ops.bilateral.filter import bilateral_filter
from imrep.ops.colour import luminance
from imrep.ops.metrics import psnr
from imrep.represent.spatial.bilateral.slice import bilateral_slice

SIGMA_RANGE = 0.1
MIN_PSNR = 55  # dB of the definition
ALIKE = 25  # dB of OpenCV's
PIXELS = 2000  # compared with the definition


def tensor(pixels: np.ndarray) -> Tensor:
    """(1, channel, height, width) in [0, 1]."""
    return torch.from_numpy(np.atleast_3d(pixels) / 255).float().permute(2, 0, 1)[None]


def large() -> Tensor:
    """A photograph of 12 megapixels, with some grain."""
    image = F.interpolate(tensor(data.camera()), (3000, 4000), mode="bicubic")
    grain = torch.randn(image.shape, generator=torch.Generator().manual_seed(0))
    return (image + 0.02 * grain).clamp(0, 1)


def batch() -> Tensor:
    """32 crops of photographs."""
    photographs = [tensor(getattr(data, name)()) for name in ("astronaut", "coffee", "chelsea")]
    dice = np.random.default_rng(0)
    crops = []
    for i in range(32):
        photograph = photographs[i % len(photographs)]
        y, x = (dice.integers(0, side - 255) for side in photograph.shape[2:])
        crops.append(photograph[..., y : y + 256, x : x + 256])
    return torch.cat(crops).contiguous()


def exact(image: Tensor, sigma_space: float, y: Tensor, x: Tensor) -> Tensor:
    """The definition at some pixels of one image (c, h, w), (pixels, c), float64."""
    radius = math.ceil(3 * sigma_space)
    pad = [(0, 0), (radius, radius), (radius, radius)]
    mirrored = torch.from_numpy(np.pad(image.double().numpy(), pad, mode="reflect"))
    guide = luminance(mirrored[None])[0, 0]
    offsets = torch.arange(2 * radius + 1)
    far = (offsets - radius).double().square()
    closeness = torch.exp(-(far[:, None] + far) / (2 * sigma_space**2))
    result = []
    for i, j in zip(y.tolist(), x.tolist(), strict=True):
        window = guide[i : i + 2 * radius + 1, j : j + 2 * radius + 1]
        unlike = (window - guide[i + radius, j + radius]).square() / (2 * SIGMA_RANGE**2)
        weight = closeness * torch.exp(-unlike)
        colours = mirrored[:, i : i + 2 * radius + 1, j : j + 2 * radius + 1]
        result.append((colours * weight).sum((1, 2)) / weight.sum())
    return torch.stack(result)


def near_exact(image: Tensor, out: Tensor, sigma_space: float) -> float:
    """Decibels between the filtered batch and the definition."""
    dice = torch.Generator().manual_seed(0)
    ours, expected = [], []
    for plane, filtered in zip(image, out, strict=True):
        y, x = (torch.randint(n, (PIXELS // len(image),), generator=dice) for n in plane.shape[1:])
        ours.append(filtered[:, y, x].T)
        expected.append(exact(plane, sigma_space, y, x))
    return psnr(torch.cat(ours), torch.cat(expected))


def compare(
    benchmark: Benchmark, name: str, image: Tensor, sigma_space: float, floor: float
) -> None:
    arrays = [np.ascontiguousarray(plane.permute(1, 2, 0).numpy()) for plane in image]

    def opencv() -> list[np.ndarray]:
        return [cv2.bilateralFilter(plane, -1, SIGMA_RANGE, sigma_space) for plane in arrays]

    def agree(ours: Tensor, theirs: list[np.ndarray]) -> None:
        reference = torch.from_numpy(np.stack([np.atleast_3d(plane) for plane in theirs]))
        similarity = psnr(ours, reference.permute(0, 3, 1, 2))
        closeness = near_exact(image, ours, sigma_space)
        benchmark.console.print(
            f"{closeness:.1f} dB of the definition, {similarity:.1f} dB of OpenCV's {name}"
        )
        assert closeness >= MIN_PSNR and similarity >= ALIKE

    benchmark.run(
        name,
        lambda: bilateral_filter(image, sigma_space=sigma_space, sigma_range=SIGMA_RANGE),
        peers={"OpenCV": opencv},
        agree=agree,
        floors={"OpenCV": (floor, floor)},
        inputs=image.nbytes,
    )


def sampled(grid: Tensor, guide: Tensor) -> Tensor:
    """The slice as one call of torch's."""
    b, _, height, width = guide.shape
    y, x = ((torch.arange(n) + 0.5) * 2 / n - 1 for n in (height, width))
    coordinates = [
        x.expand(b, height, width),
        y[:, None].expand(b, height, width),
        2 * guide[:, 0] - 1,
    ]
    at = torch.stack(coordinates, dim=-1).unsqueeze(1)
    return F.grid_sample(grid, at, padding_mode="border", align_corners=False).squeeze(2)


def main() -> None:
    benchmark = Benchmark("bilateral, sigma_range 0.1, float32", native="kernels")
    cv2.setNumThreads(1)
    compare(benchmark, "1×1×4000×3000, sigma_space 16", large(), 16.0, 14)
    compare(benchmark, "32×3×256², sigma_space 8", batch(), 8.0, 5.5)
    guide = luminance(batch()[:4])
    grid = torch.randn(4, 12, 8, 16, 16, generator=torch.Generator().manual_seed(0))
    benchmark.run(
        "slice 4×12×8×16² to 256²",
        lambda: bilateral_slice(grid, guide),
        peers={"grid_sample": lambda: sampled(grid, guide)},
        agree=lambda ours, theirs: torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5),
        floors={"grid_sample": (1, 1)},
        inputs=grid.nbytes + guide.nbytes,
    )
    benchmark.finish()


if __name__ == "__main__":
    main()
