"""DCT coefficients straight from JPEG bytes, against decoding to pixels and transforming those.

    python benchmarks/jpeg_speed.py

448 × 448 and 12 megapixels of a photograph (mirrored side by side, so that it is as full of detail
at either size), quality 90, chroma whole (4:4:4) and halved (4:2:0). Dequantised planes of float
stand against libjpeg-turbo's full decoding, the conversion to YCbCr and the 8 × 8 DCT as a product
of matrices in torch, and without a floor against `dct.encode`, which does that faster. Quantised
blocks of int16 stand against libjpeg's own entropy decoding into its own arrays, timed in C through
the same library. That decoding is the floor: 0.77 times as fast is 1.3 times its time.
"""

import ctypes
import io

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from side_by_side import Benchmark
from skimage import data

import imrep
from imrep import _native, jpeg
from imrep.ops.colour import to_ycbcr
from imrep.ops.fourier.dct import basis
from imrep.represent.frequency.dct import DCT

SIZES = {"448 × 448": (448, 448), "12 MP": (3000, 4000)}
SAMPLINGS = {"4:4:4": 0, "4:2:0": 2}
TIMES = {"4:4:4": 5.0, "4:2:0": 10.0}  # as fast as decoding, converting and transforming
ENTROPY = 1 / 1.3


def file(height: int, width: int, subsampling: int) -> bytes:
    photo = data.astronaut()
    wide = np.concatenate([photo, photo[:, ::-1]], 1)
    four = np.concatenate([wide, wide[::-1]])
    times = -(-height // len(four)), -(-width // len(four))
    out = io.BytesIO()
    image = Image.fromarray(np.tile(four, (*times, 1))[:height, :width])
    image.save(out, "jpeg", quality=90, subsampling=subsampling)
    return out.getvalue()


def close(ours: tuple[torch.Tensor, ...], theirs: tuple[torch.Tensor, ...]) -> None:
    """Within the rounding to pixels; halved chroma has other blocks and is left to the tests."""
    for mine, reference in zip(ours, theirs, strict=True):
        if mine.shape == reference.shape:
            assert (mine - reference).square().mean().sqrt() < 1  # of 1024


def plainly(quantised: bytes) -> tuple[torch.Tensor, ...]:
    """Decode, convert, cut into blocks, multiply by the 64 × 64 matrix of products of cosines."""
    image = 255 * imrep.read(quantised)
    planes = to_ycbcr(image) - image.new_tensor([128.0, 0, 0]).view(3, 1, 1)
    height, width = (-(-n // 8) for n in image.shape[2:])
    padded = F.pad(planes, (0, -image.shape[3] % 8, 0, -image.shape[2] % 8), mode="replicate")
    blocks = padded.reshape(3, height, 8, width, 8).permute(0, 1, 3, 2, 4).reshape(-1, 64)
    waves = basis(8, image)
    coefficients = (blocks @ torch.kron(waves, waves).T).view(3, height, width, 8, 8)
    return tuple(coefficients.permute(0, 3, 4, 1, 2).contiguous()[:, None])


def main() -> None:
    benchmark = Benchmark("JPEG bytes to DCT coefficients", "jpeg", alone=True)
    entropy = _native.library("jpeg").imrep_jpeg_entropy
    entropy.argtypes = (ctypes.c_char_p, ctypes.c_size_t)
    dct = DCT()
    for size, shape in SIZES.items():
        for sampling, number in SAMPLINGS.items():
            quantised = file(*shape, number)
            benchmark.run(
                f"{size}, {sampling}: float planes",
                lambda quantised=quantised: jpeg.spectrum(quantised)[0].values,
                peers={
                    "decode, convert, DCT": lambda g=quantised: plainly(g),
                    "dct.encode": lambda g=quantised: dct.encode(imrep.read(g)).values,
                },
                agree=close,
                floors={"decode, convert, DCT": (TIMES[sampling],) * 2},
                inputs=len(quantised),
            )
            benchmark.run(
                f"{size}, {sampling}: int16 blocks",
                lambda quantised=quantised: jpeg.read(quantised).blocks,
                peers={"entropy decoding": lambda g=quantised: entropy(g, len(g))},
                agree=lambda ours, theirs: np.testing.assert_equal(theirs, 1),
                floors={"entropy decoding": (ENTROPY, ENTROPY)},
                inputs=len(quantised),
            )
    benchmark.finish()


if __name__ == "__main__":
    main()
