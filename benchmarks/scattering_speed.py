"""Scattering against Kymatio's torch front end, on equal numbers; and its filters' construction.

    python benchmarks/scattering_speed.py --rounds 11 --only 32

The largest work is left out unless `--only 1024` names it: Kymatio needs a minute for its filters.
"""

import sys
import time

import numpy as np
import torch
from kymatio.scattering2d import filter_bank
from kymatio.scattering2d.frontend.torch_frontend import ScatteringTorch2D  # kymatio.torch fails
from side_by_side import Benchmark

from imrep.represent.multiscale.scattering.transform import Plan, scatter

WORKS = (  # shape, J
    ((64, 3, 32, 32), 2),
    ((16, 3, 224, 224), 3),
    ((1, 1, 1024, 1024), 5),
)
FLOORS = {32: (4.5, 3.5), 224: (6.5, 4.8), 1024: (4.0, 3.1)}  # native, torch
FILTERS = 20  # times as fast to make


def agree(ours, theirs):
    """Relative L2 of 1e-6."""
    error = float((ours - theirs).norm() / theirs.norm())
    assert error <= 1e-6, f"relative L2 {error:.2e}"


def cropped(table, level):
    """Kymatio's cropping of a filter without its loop over pixels, which takes minutes at 1024."""
    rows, columns = (
        np.r_[0 : n >> level + 1, n - (n >> level + 1) : n] if level else np.arange(n)
        for n in table.shape
    )
    return np.ascontiguousarray(table[np.ix_(rows, columns)])


def forward(benchmark, shape, scales):
    side = shape[-1]
    x = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    plan = Plan((side, side), scales, 8, like=x)
    original = filter_bank.periodize_filter_fft
    filter_bank.periodize_filter_fft = cropped
    theirs = ScatteringTorch2D(scales, (side, side))
    filter_bank.periodize_filter_fft = original
    benchmark.run(
        f"{shape}, J={scales}",
        lambda: scatter(x, plan),
        peers={"Kymatio": lambda: theirs(x)},
        agree=agree,
        floors={"Kymatio": FLOORS[side]},
        inputs=x.nbytes,
    )


def construction(benchmark):
    """Once each: Kymatio takes seconds."""
    like = torch.empty(0)
    times = []
    for build in (
        lambda: Plan((224, 224), 3, 8, like=like),
        lambda: ScatteringTorch2D(3, (224, 224)),
    ):
        began = time.process_time()
        build()
        times.append(time.process_time() - began)
    ratio = times[1] / times[0]
    benchmark.console.print(
        f"filters, 224^2, J=3: {1e3 * times[0]:.0f} ms, {ratio:.0f}× Kymatio, "
        f"{'met' if ratio >= FILTERS else 'MISSED'}: {FILTERS}"
    )
    return ratio >= FILTERS


if __name__ == "__main__":
    benchmark = Benchmark("scattering", "kernels")
    met = not benchmark.options.only and construction(benchmark)
    for shape, scales in WORKS:
        if benchmark.options.only in str(shape) and (shape[-1] < 1024 or benchmark.options.only):
            forward(benchmark, shape, scales)
    if not met and not benchmark.options.only:
        sys.exit(1)
    benchmark.finish()
