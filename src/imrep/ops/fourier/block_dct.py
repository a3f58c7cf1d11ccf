"""The DCT of an image's blocks: planes of luma and chroma to coefficients and back.

Coefficients have JPEG's units, those of pixels from 0 to 255 less 128, and its natural order:
`blocks[:, v, u]` with vertical frequency v and horizontal frequency u.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from imrep.ops.colour import to_ycbcr
from imrep.ops.fourier.chroma import divides, upsampled, upsampled_blocks
from imrep.ops.fourier.dct import basis
from imrep.types import Image

Rows = tuple[int, ...]  # for each vertical frequency, the number of horizontal frequencies

# DCTNet's static subsets, by their number of channels of 192: of Y, and of Cb and Cr.
SUBSETS: dict[int, tuple[Rows, Rows]] = {
    6: ((2, 2), (1,)),
    24: ((4, 4, 4, 4), (2, 2)),
    32: ((5, 5, 5, 4, 3), (3, 2)),
    48: ((6, 6, 6, 6, 4, 4), (3, 3, 2)),
    64: ((7, 7, 6, 6, 6, 6, 6), (3, 3, 2, 2)),
}
LEVELS = 255  # coefficients are in JPEG's units, for images from 0 to 255
MIDDLE = 128  # subtracted from Y, so that middle gray has the coefficient 0


def planes(image: Image) -> Tensor:
    """Y, or Y, Cb and Cr, of images (b, 1|3, H, W) in [0, 1], middle gray at zero."""
    luma_chroma = to_ycbcr(image) if image.shape[1] == 3 else image
    shift = luma_chroma.new_tensor([MIDDLE / LEVELS, 0, 0][: luma_chroma.shape[1]])
    return luma_chroma - shift[:, None, None]  # before the transform, to lose no digits


def padded(planes: Tensor, block: int) -> Tensor:
    """Padded by replication, at the right and the bottom, to a multiple of the block."""
    down, across = (-n % block for n in planes.shape[2:])
    return F.pad(planes, (0, across, 0, down), mode="replicate") if down or across else planes


def forward(planes: Tensor, rows: Rows, block: int = 8) -> Tensor:
    """Planes (b, p, H, W) to (b, p, v, u, H / block, W / block): one product per axis.

    Args:
        planes: As `planes` gives them, padded.
        rows: The frequencies to compute; beyond rows[v] is zero.
        block: Side of a block in pixels.
    """
    waves = basis(block, planes)
    blocks = planes.flatten(0, 1).unflatten(2, (-1, block)).unflatten(1, (-1, block))
    count, (down, across) = blocks.shape[0], blocks.shape[1:4:2]
    lines = blocks.permute(0, 2, 4, 1, 3).reshape(count, block, -1)  # (b p, y, x rows columns)
    lines = (LEVELS * waves[: len(rows)]) @ lines
    lines = lines.reshape(count * len(rows), block, -1)  # (b p v, x, rows columns)
    values = (waves[: max(rows)] @ lines).view(count, len(rows), max(rows), down, across)
    if len(set(rows)) > 1:
        mask = torch.arange(max(rows)) < torch.tensor(rows)[:, None]
        values = values * mask.to(values)[:, :, None, None]
    return values.unflatten(0, planes.shape[:2])


def backward(blocks: Tensor, block: int = 8) -> Tensor:
    """Pixels (b, 1, H, W), middle gray at zero, of (b, v, u, H / block, W / block).

    Frequencies beyond v and u are zero.
    """
    count, rows, columns, down, across = blocks.shape
    waves = basis(block, blocks)
    lines = waves[:columns].mT @ blocks.flatten(3).flatten(0, 1)  # (b v, x, rows columns)
    lines = lines.unflatten(0, (count, rows)).flatten(2)
    pixels = (waves[:rows].mT / LEVELS) @ lines  # (b, y, x rows columns)
    pixels = pixels.unflatten(2, (block, down, across)).permute(0, 3, 1, 4, 2)
    return pixels.flatten(1, 2).flatten(2, 3).unsqueeze(1)


def enlarged(
    blocks: Tensor, rows: Rows, factors: tuple[float, float], size: tuple[int, int]
) -> Tensor:
    """The frequencies `rows` of a subsampled plane, enlarged as a decoder enlarges its pixels.

    Args:
        blocks: (b, v, u, h, w), of blocks of 8 × 8 pixels.
        rows: The frequencies to compute; beyond rows[v] is zero.
        factors: By which the plane has fewer rows and columns than the image.
        size: Height and width of the image.

    Returns:
        (b, len(rows), max(rows), ceil(height / 8), ceil(width / 8)).
    """
    if factors == (1, 1):
        return cut(blocks, rows)
    if divides(factors, size):
        return cut(upsampled_blocks(blocks, factors, len(rows), max(rows)), rows)
    pixels = upsampled(backward(blocks), factors, size)
    return forward(padded(pixels, 8), rows).squeeze(1)


def channels(plane: Tensor, rows: Rows) -> Tensor:
    """The frequencies `rows` of (b, v, u, h, w) as channels, (b, channel, h, w)."""
    if len(set(rows)) == 1:
        return plane[:, : len(rows), : rows[0]].flatten(1, 2)
    return torch.cat([plane[:, v, :row] for v, row in enumerate(rows)], dim=1)


def cut(plane: Tensor, rows: Rows) -> Tensor:
    """The frequencies `rows` of (b, v, u, h, w), zero beyond rows[v] as by `forward`."""
    subset = plane[:, : len(rows), : max(rows)]
    if len(set(rows)) > 1:
        subset = subset.clone()
        for v, row in enumerate(rows):
            subset[:, v, row:] = 0
    return subset
