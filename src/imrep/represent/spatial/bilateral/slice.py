"""A learned bilateral grid read by a guide: HDRNet's slice, and its slice-and-apply.

The grid is a coarse one of numbers, or of affine maps of colour, that a network predicts from a
small image; a guide of full size says at which depth each pixel reads it. So a network that sees
little decides, and edges stay where the large image has them.

References:
    M. Gharbi, J. Chen, J. T. Barron, S. W. Hasinoff and F. Durand, "Deep bilateral learning for
    real-time image enhancement", ACM Trans. Graphics 36(4), 2017. doi:10.1145/3072959.3073592
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from imrep import checks
from imrep.errors import BadImage
from imrep.ops.bilateral.filter import fitting_guide, within
from imrep.ops.bilateral.grid import trilinear


def bilateral_slice(
    grid: Float[Tensor, "batch channel depth rows columns"],
    guide: Float[Tensor, "batch 1 height width"],
) -> Float[Tensor, "batch channel height width"]:
    """The grid's numbers at each pixel, linear between the centres of its cells.

    Cells divide the image evenly, and [0, 1] of the guide likewise: pixel (i, j) lies at row
    (i + 1/2) rows / height, column (j + 1/2) columns / width, depth guide × depths; cell centres at
    k + 1/2; beyond the first and the last centre the grid goes on as it is there. The paper's own
    code rounds the corner of the linear weight of depth (by 1e-4), which this does not.

    Differentiable in grid and guide.

    Raises:
        BadImage: If the guide is not finite, leaves [0, 1], or belongs to another batch.
    """
    who = "bilateral_slice"
    _check_grid(grid, guide, who)
    pairs = zip(grid, guide[:, 0], strict=True)
    return torch.stack(
        [torch.cat(_read(*pair, lambda _, read: read)).transpose(0, 1) for pair in pairs]
    )


def bilateral_slice_apply(
    grid: Float[Tensor, "batch coefficient depth rows columns"],
    guide: Float[Tensor, "batch 1 height width"],
    image: Float[Tensor, "batch inputs height width"],
) -> Float[Tensor, "batch outputs height width"]:
    """Each pixel's colour under the affine map that the grid holds for it.

    out = A in + offset. The coefficients of an output stand together, its offset last: coefficient
    o (inputs + 1) + i is A[o, i]. The maps of all pixels are never held at once.

    Differentiable in grid, guide and image.

    Raises:
        BadImage: As `bilateral_slice`, or if the coefficients do not make whole rows.
    """
    who = "bilateral_slice_apply"
    fitting_guide(image, guide, who)
    _check_grid(grid, guide, who)
    row = image.shape[1] + 1
    if grid.shape[1] % row:
        raise BadImage(
            f"{who} needs a multiple of {row} coefficients for images of {row - 1} channels, got "
            f"{grid.shape[1]}. Each output takes one per channel and an offset."
        )
    return torch.stack([_apply(*three) for three in zip(grid, guide[:, 0], image, strict=True)])


def _apply(grid: Tensor, guide: Tensor, image: Tensor) -> Tensor:
    def applied(rows: slice, read: Tensor) -> Tensor:
        maps = read.unflatten(1, (-1, len(image) + 1))  # (height, output, input + 1, width)
        colours = image[:, rows].transpose(0, 1).unsqueeze(1)
        return (maps[:, :, :-1] * colours).sum(2) + maps[:, :, -1]

    return torch.cat(_read(grid, guide, applied)).transpose(0, 1)


def _read(grid: Tensor, guide: Tensor, use: Callable[[slice, Tensor], Tensor]) -> list[Tensor]:
    """(channel, depth, rows, columns) at each pixel, used in strips (height, channel, width)."""
    depths, rows, columns = grid.shape[1:]
    places = _centres(guide.shape[0], rows), _centres(guide.shape[1], columns)
    at = guide.clamp(0, 1) * depths - 0.5
    return trilinear(grid.permute(2, 0, 3, 1).contiguous(), *places, at, use)


def _centres(pixels: int, cells: int) -> list[float]:
    """Where pixel centres lie among cell centres."""
    return [(pixel + 0.5) * cells / pixels - 0.5 for pixel in range(pixels)]


def _check_grid(grid: Tensor, guide: Tensor, who: str) -> None:
    checks.tensor(grid, who, "a grid")
    checks.tensor(guide, who, "a guide")
    if grid.ndim != 5 or not grid.numel():
        raise BadImage(
            f"{who} needs a grid (batch, channel, depth, rows, columns), got shape "
            f"{tuple(grid.shape)}. Permute a channels-last one first."
        )
    wanted = (len(grid), 1, *guide.shape[-2:])
    if tuple(guide.shape) != wanted or guide.dtype != grid.dtype:
        raise BadImage(
            f"{who} needs a guide (batch, 1, height, width) of {len(grid)} and {grid.dtype}, got "
            f"{tuple(guide.shape)} and {guide.dtype}. Give each grid one plane."
        )
    within(guide, (0.0, 1.0), who)
