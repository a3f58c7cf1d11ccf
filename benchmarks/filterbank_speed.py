"""The filter bank's maps against a convolution of torch's, and against one batched FFT.

The convolution's cost grows with the filters' area, the transforms' does not: at 15 × 15 they are
near each other. Most of what is left is the maps' own memory, written for the first time.

python benchmarks/filterbank_speed.py [--rounds N] [--only WORK] [--json ROWS]
"""

import torch
import torch.nn.functional as F
from side_by_side import Benchmark
from torch import Tensor

import imrep
from imrep.testing import photo

_WORKS = ((1, 64), (16, 64), (1, 256), (1, 512))  # images, side


def main() -> None:
    """Encode colour images with the 25 Gabor filters of 15 × 15, rectified."""
    benchmark = Benchmark("filterbank")
    rep = imrep.get("filterbank")
    for images, side in _WORKS:
        image = photo(side, side, batch=images)
        benchmark.run(
            f"{images} x 3 x {side}^2, 25 filters",
            lambda image=image: rep.encode(image).values,
            peers={
                "conv2d": lambda image=image: _convolved(image, rep.kernels),
                "one FFT": lambda image=image: _transformed(image, rep.kernels),
            },
            floors={"conv2d": (0.7, 0.7), "one FFT": (1.0, 1.0)},
            agree=lambda ours, peer: torch.testing.assert_close(ours, peer, rtol=0, atol=1e-5),
        )
    benchmark.finish()


def _convolved(image: Tensor, kernels: Tensor) -> Tensor:
    """Padded round the border, then correlated with the filters turned."""
    b, c, h, w = image.shape
    reach = kernels.shape[1] // 2
    wide = F.pad(image.reshape(b * c, 1, h, w), (reach,) * 4, mode="circular")
    return F.conv2d(wide, kernels.flip(1, 2)[:, None]).relu_().view(b, -1, h, w)


def _transformed(image: Tensor, kernels: Tensor) -> Tensor:
    """The whole batch and all filters at once."""
    rows, columns = kernels.shape[1:]
    height, width = image.shape[2:]
    padded = F.pad(kernels, (0, width - columns, 0, height - rows))
    spectra = torch.fft.rfft2(padded.roll((-(rows // 2), -(columns // 2)), (1, 2)))
    waves = torch.fft.rfft2(image).unsqueeze(2) * spectra
    return torch.fft.irfft2(waves, s=(height, width)).relu_().flatten(1, 2)


if __name__ == "__main__":
    main()
