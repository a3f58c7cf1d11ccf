"""Slicing of a learned bilateral grid by a guide: HDRNet's slice, and its slice-and-apply.

A network predicts a coarse grid of values, or of affine colour transforms, from a small image. A
guide of full resolution determines the depth at which each pixel reads it, so that edges follow the
large image.

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
    """The grid's values at each pixel, linear between the centres of its cells.

    Cells divide the image evenly, and the guide's range [0, 1] likewise: pixel (i, j) lies at row
    (i + 1/2) rows / height, column (j + 1/2) columns / width, depth guide × depths; cell centres at
    k + 1/2. Beyond the outermost centres the values are constant. The paper's code smooths the
    corner of the linear weight of depth (by 1e-4); this does not.

    Differentiable in grid and guide.

    Raises:
        BadImage: If the guide is not finite, leaves [0, 1], or belongs to another batch.
    """
    _check_grid(grid, guide, "bilateral_slice")
    pairs = zip(grid, guide[:, 0], strict=True)
    return torch.stack(
        [torch.cat(_sliced(*pair, lambda _, values: values)).transpose(0, 1) for pair in pairs]
    )


def bilateral_slice_apply(
    grid: Float[Tensor, "batch coefficient depth rows columns"],
    guide: Float[Tensor, "batch 1 height width"],
    image: Float[Tensor, "batch inputs height width"],
) -> Float[Tensor, "batch outputs height width"]:
    """Each pixel's colour under the affine transform that the grid holds for it.

    out = A in + offset. The coefficients of one output are consecutive, its offset last:
    coefficient o (inputs + 1) + i is A[o, i]. Transforms are interpolated strip by strip.

    Differentiable in grid, guide and image.

    Raises:
        BadImage: As `bilateral_slice`, or if the coefficients are not a multiple of inputs + 1.
    """
    caller = "bilateral_slice_apply"
    fitting_guide(image, guide, caller)
    _check_grid(grid, guide, caller)
    row = image.shape[1] + 1
    if grid.shape[1] % row:
        raise BadImage(
            f"{caller} needs a multiple of {row} coefficients for images of {row - 1} channels, "
            f"got {grid.shape[1]}. Each output takes one per channel and an offset."
        )
    return torch.stack([_apply(*each) for each in zip(grid, guide[:, 0], image, strict=True)])


def _apply(grid: Tensor, guide: Tensor, image: Tensor) -> Tensor:
    def applied(rows: slice, values: Tensor) -> Tensor:
        maps = values.unflatten(1, (-1, len(image) + 1))  # (height, output, input + 1, width)
        colours = image[:, rows].transpose(0, 1).unsqueeze(1)
        return (maps[:, :, :-1] * colours).sum(2) + maps[:, :, -1]

    return torch.cat(_sliced(grid, guide, applied)).transpose(0, 1)


def _sliced(grid: Tensor, guide: Tensor, use: Callable[[slice, Tensor], Tensor]) -> list[Tensor]:
    """`use` of the grid (channel, depth, rows, columns) at each pixel, by strips of rows."""
    depths, rows, columns = grid.shape[1:]
    y, x = _centres(guide.shape[0], rows), _centres(guide.shape[1], columns)
    z = guide.clamp(0, 1) * depths - 0.5
    return trilinear(grid.permute(2, 0, 3, 1).contiguous(), y, x, z, use)


def _centres(pixels: int, cells: int) -> list[float]:
    """Positions of pixel centres, in units where cell centres are integers."""
    return [(pixel + 0.5) * cells / pixels - 0.5 for pixel in range(pixels)]


def _check_grid(grid: Tensor, guide: Tensor, caller: str) -> None:
    checks.tensor(grid, caller, "a grid")
    checks.tensor(guide, caller, "a guide")
    if grid.ndim != 5 or not grid.numel():
        raise BadImage(
            f"{caller} needs a grid (batch, channel, depth, rows, columns), got shape "
            f"{tuple(grid.shape)}. Permute a channels-last one first."
        )
    expected = (len(grid), 1, *guide.shape[-2:])
    if tuple(guide.shape) != expected or guide.dtype != grid.dtype:
        raise BadImage(
            f"{caller} needs a guide (batch, 1, height, width) of {len(grid)} and {grid.dtype}, "
            f"got {tuple(guide.shape)} and {guide.dtype}. Give each grid one plane."
        )
    within(guide, (0.0, 1.0), caller)
