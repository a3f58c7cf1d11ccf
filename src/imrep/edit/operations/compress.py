"""Lossy compression."""

from imrep.codec import CodingParameters, encode
from imrep.codec.packed import Packed
from imrep.types import Image


def compress(
    image: Image, *, method: str = "dct", quality: float = 75.0, chroma: str = "half"
) -> Packed:
    """Lossy compression: block DCT or Laplacian pyramid, quantised and entropy coded.

    Luma and chroma are transformed into coefficients most of which are nearly zero, and these are
    quantised. "dct" transforms 8 × 8 blocks and has JPEG's steps, wider where the eye is less
    sensitive. "laplacian" quantises a pyramid's bands from coarse to fine, each correcting the
    error of the coarser ones, so that at chroma="full" no sample of luma or chroma is off by more
    than half a step.

    Unlike other operations it returns a compressed image, a `Packed`, which is written as .imr.

    Args:
        image: (1, 1|3, h, w), values in [0, 1].
        method: "dct" or "laplacian".
        quality: From 1 to 100, on JPEG's scale: 75 differs hardly visibly, 30 visibly. At 100 steps
            are a quarter of an 8-bit level.
        chroma: "half" the rows and columns, since the eye resolves colour coarsely, or "full".

    Raises:
        BadImage: There is no image, or several.
        BadParameter: The method, quality or chroma is none of these.

    References:
        P. J. Burt and E. H. Adelson, "The Laplacian pyramid as a compact image code", IEEE Trans.
        Communications 31(4), 1983. doi:10.1109/TCOM.1983.1095851

        G. K. Wallace, "The JPEG still picture compression standard", Communications of the ACM
        34(4), 1991. doi:10.1145/103085.103089
    """
    parameters = CodingParameters.of(
        image, "compress", method=method, quality=quality, chroma=chroma
    )
    return Packed(parameters, encode(image, parameters))
