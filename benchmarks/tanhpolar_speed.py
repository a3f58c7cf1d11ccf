"""RoI tanh warps beside the plain way: the formulas region by region, and the results stacked.

32 images of 3 x 512 x 512 and as many maps of 256 x 256, each with a region and an angle.

python benchmarks/tanhpolar_speed.py [--rounds 11] [--only restore]
"""

import functools
import math

import torch
import torch.nn.functional as F
from side_by_side import Benchmark
from torch.testing import assert_close

from imrep.represent.spatial.tanhpolar.coordinates import Chart
from imrep.represent.spatial.tanhpolar.warping import restore, warp

LARGE, SMALL = (512, 512), (256, 256)
CHARTS = {  # floors are of the default chart
    "polar": Chart("polar"),
    "polar kept": Chart("polar", True),
    "circular": Chart("circular"),
    "cartesian": Chart("cartesian"),
}


def main():
    torch.manual_seed(0)
    benchmark = Benchmark("tanhpolar")
    images, maps = torch.rand(32, 3, *LARGE), torch.rand(32, 3, *SMALL)
    centres, sides = 176 + 160 * torch.rand(32, 2), 120 + 100 * torch.rand(32, 2)
    rois = torch.cat([centres - sides / 2, centres + sides / 2], dim=1)
    angles = 0.6 * torch.rand(32) - 0.3
    for name, chart in CHARTS.items():
        benchmark.run(
            f"warp to 256^2, {name}",
            functools.partial(warp, images, rois, SMALL, chart, angles),
            peers={"plain": functools.partial(plain_warp, images, rois, SMALL, chart, angles)},
            agree=agree,
            floors={"plain": (1.3, 1.3)} if name == "polar" else {},
            inputs=images.nbytes,
        )
    for name, chart in CHARTS.items():
        benchmark.run(
            f"restore to 512^2, {name}",
            functools.partial(restore, maps, rois, LARGE, chart, angles),
            peers={"plain": functools.partial(plain_restore, maps, rois, LARGE, chart, angles)},
            agree=agree,
            floors={"plain": (1.8, 1.8)} if name == "polar" else {},
            inputs=maps.nbytes,
        )
    benchmark.finish()


def agree(ours, plain):
    """Equal to rounding. Of noise, a thousandth of a pixel is as much of a value."""
    assert_close(ours, plain, rtol=0, atol=2e-3)


def plain_warp(images, rois, size, chart, angles):
    """Where each cell lies, by the formulas, and what is there."""
    (rows, columns), (height, width) = size, images.shape[2:]
    outputs = []
    for image, (x1, y1, x2, y2), angle in zip(images, rois, angles, strict=True):
        row, column = torch.arange(rows)[:, None], torch.arange(columns)[None]
        across, down = (2 * column + 1) / columns - 1, (2 * row + 1) / rows - 1
        rx, ry = (x2 - x1) / math.sqrt(math.pi), (y2 - y1) / math.sqrt(math.pi)
        if chart.method == "cartesian":
            u, v = (x2 - x1) / 2 * across.atanh(), (y2 - y1) / 2 * down.atanh()
        else:
            if chart.method == "polar":
                far, angle_at = (column / columns).atanh(), row * (math.tau / rows)
                cos, sin = angle_at.cos(), angle_at.sin()
            else:
                reach = torch.hypot(across, down)
                cos, sin = across / reach, down / reach
                far = torch.where(reach < 1, reach.clamp(max=1 - 1e-6).atanh(), 10.7082)
            if chart.keep_aspect_ratio:
                far = far / torch.hypot(cos / rx, sin / ry)
                u, v = far * cos, far * sin
            else:
                u, v = far * rx * cos, far * ry * sin
        x = (x1 + x2) / 2 + angle.cos() * u - angle.sin() * v
        y = (y1 + y2) / 2 + angle.sin() * u + angle.cos() * v
        grid = torch.stack([x / (width - 1) * 2 - 1, y / (height - 1) * 2 - 1], dim=-1)
        outputs.append(F.grid_sample(image[None], grid[None], align_corners=True)[0])
    return torch.stack(outputs)


def plain_restore(maps, rois, size, chart, angles):
    """In which cell each pixel lies, by the formulas, and what is there."""
    (height, width), (rows, columns) = size, maps.shape[2:]
    outputs = []
    for single, (x1, y1, x2, y2), angle in zip(maps, rois, angles, strict=True):
        padded = single[None]
        y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        x, y = x - (x1 + x2) / 2, y - (y1 + y2) / 2
        u, v = angle.cos() * x + angle.sin() * y, angle.cos() * y - angle.sin() * x
        rx, ry = (x2 - x1) / math.sqrt(math.pi), (y2 - y1) / math.sqrt(math.pi)
        radius = torch.tanh(torch.hypot(u / rx, v / ry))
        angle_at = torch.atan2(v, u) if chart.keep_aspect_ratio else torch.atan2(v / ry, u / rx)
        if chart.method == "cartesian":
            column = (torch.tanh(2 * u / (x2 - x1)) + 1) / 2 * columns - 0.5
            row = (torch.tanh(2 * v / (y2 - y1)) + 1) / 2 * rows - 0.5
        elif chart.method == "polar":
            padded = F.pad(
                F.pad(padded, (0, 0, 1, 1), mode="circular"), (1, 0, 0, 0), mode="replicate"
            )
            column = radius * columns + 1
            row = torch.remainder(angle_at, math.tau) * (rows / math.tau) + 1
        else:
            column = (angle_at.cos() * radius + 1) * columns / 2 - 0.5
            row = (angle_at.sin() * radius + 1) * rows / 2 - 0.5
        last = padded.shape[3] - 1, padded.shape[2] - 1
        grid = torch.stack([column / last[0] * 2 - 1, row / last[1] * 2 - 1], dim=-1)
        outputs.append(
            F.grid_sample(padded, grid[None], padding_mode="border", align_corners=True)[0]
        )
    return torch.stack(outputs)


if __name__ == "__main__":
    main()
