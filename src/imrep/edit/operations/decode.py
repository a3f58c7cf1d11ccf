"""Decompression."""

from imrep.codec.packed import Packed
from imrep.types import Image


def decode(packed: Packed) -> Image:
    """The image that `compress` packed, to the precision of its quality.

    Blocks or bands are reconstructed from their quantised coefficients; halved chroma is
    interpolated between its samples. The image is (1, 1|3, h, w), float32 within [0, 1].

    Args:
        packed: From `compress`, or from a file by `imrep.codec.packed.read`.

    Raises:
        BadFile: Its contents do not belong to such an image.

    References:
        P. J. Burt and E. H. Adelson, "The Laplacian pyramid as a compact image code", IEEE Trans.
        Communications 31(4), 1983. doi:10.1109/TCOM.1983.1095851

        G. K. Wallace, "The JPEG still picture compression standard", Communications of the ACM
        34(4), 1991. doi:10.1145/103085.103089
    """
    return packed.image()
