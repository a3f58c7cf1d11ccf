"""Histograms of oriented gradients: the directions of edges, cell by cell."""

import math
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from imrep import checks, codecheck
from imrep.base import Representation
from imrep.codes import Map
from imrep.drawing import sequential
from imrep.errors import BadParameter
from imrep.ops import differentiable
from imrep.ops.colour import luminance
from imrep.ops.filter.borders import mirror
from imrep.ops.filter.orientations import soft_votes, strongest
from imrep.ops.resize import resize, square
from imrep.ops.tiling import chunks
from imrep.registry.cards import Card
from imrep.types import Image, Picture, Vectors

_LAYOUTS = ("skimage", "opencv")
_NORMS = ("l2hys", "l2", "l1", "l1sqrt")
_CANVAS_PX = 64  # at side=none the vector has the grid of blocks of an image of this side
_CLIP = 0.2  # of L2-Hys: Dalal and Triggs, section 6.4
_EPSILON = 1e-5
_TIE = 1e-6  # in bins: a direction on the edge of a bin belongs to the bin above
_TIE_DOUBLE = 1e-12  # the same for float64
_ROUNDING = 3e-7  # of a gradient's components, in images within [0, 1]
_ROUNDING_DOUBLE = 1e-15  # the same for float64
_BATCH_PX = 2**18  # pixels in one pass, so that temporaries stay in the cache
_PICTURE_PX = 512
_MAX_GLYPHS = 40  # per side of a picture; the cells of larger images are averaged


class HOG(Representation[Map]):
    """Histograms of gradient directions, cell by cell, normalised for contrast.

    Every pixel votes for the direction of its gradient with its magnitude, both taken from the
    channel where the magnitude is greatest. Votes are averaged over cells of `cell` pixels. Blocks
    of `block` × `block` cells overlap, and each is divided by its norm, clipped at 0.2 and divided
    again (L2-Hys), so that illumination matters little and no single edge dominates.

    Two layouts are in use, and both are reproduced to the number. `skimage`: differences are zero
    on the border, a pixel votes for one bin and one cell, and blocks are concatenated row by row.
    `opencv`: the square root of the image is taken, borders are mirrored, votes are shared between
    neighbouring bins and cells and weighted by a Gaussian over the block, and blocks are
    concatenated column by column. The paper, with interpolated votes and a Gaussian window, is
    nearer to `opencv`. Gradients flow through the magnitudes; in `skimage` the choice of a bin is a
    step function and passes none.

    The image is resized to `side` × `side`, so that all vectors have one length. With `side=none`
    it is encoded at its own size, and the vector averages the blocks on the grid that a 64 × 64
    image would have. Pixels beyond the last complete cell are left out.

    Args:
        cell: Side of a cell in pixels.
        block: Side of a block in cells.
        orientations: Number of orientation bins, over 180° (360° where signed).
        side: Side of the square that the image is resized to, or none to keep its size.
        layout: skimage (a pixel votes for one bin and one cell) or opencv (votes are shared between
            neighbours and weighted by a Gaussian); the order of their vectors differs.
        norm: Norm of a block: l2hys (L2, clipped at 0.2, and L2 again), l2, l1 or l1sqrt; opencv
            has l2hys only.
        gamma: Whether to take the square root of the image first; none for the layout's default.
        signed: Whether dark-to-light and light-to-dark are different directions.

    References:
        N. Dalal and B. Triggs, "Histograms of oriented gradients for human detection", CVPR 2005.
        doi:10.1109/CVPR.2005.177

    Example:
        >>> import torch, imrep
        >>> hog = imrep.get("hog")
        >>> tuple(hog.encode(torch.rand(1, 3, 90, 70)).values.shape), hog.dim
        ((1, 36, 7, 7), 1764)
    """

    card = Card(
        title="Histogram of oriented gradients",
        family="local",
        cite="Dalal & Triggs 2005, doi:10.1109/CVPR.2005.177",
        revision=2,
    )
    renamed: ClassVar[dict[str, str]] = {"bins": "orientations"}

    def __init__(  # noqa: PLR0913  # the paper's own choices, each in use somewhere
        self,
        *,
        cell: int = 8,
        block: int = 2,
        orientations: int = 9,
        side: int | None = 64,
        layout: str = "skimage",
        norm: str = "l2hys",
        gamma: bool | None = None,
        signed: bool = False,
    ) -> None:
        for what, value in {"cell": cell, "block": block}.items():
            checks.at_least(value, 1, self.name, what)
        checks.between(orientations, 1, 360, self.name, "orientations")
        checks.between(side or 1, 1, checks.MAX_SIDE, self.name, "side")
        checks.one_of(layout, _LAYOUTS, self.name, "layout")
        checks.one_of(norm, _NORMS, self.name, "norm")
        if side is not None and side < cell * block:
            raise BadParameter(
                f"{self.name} needs side of at least cell × block = {cell * block}, got {side}. "
                "Use a smaller cell or block."
            )
        if layout == "opencv" and norm != "l2hys":
            raise BadParameter(
                f"{self.name} needs norm=l2hys in layout=opencv, got {norm!r}. Use layout=skimage."
            )
        super().__init__()
        self.cell, self.block, self.side, self.orientations = cell, block, side, orientations
        self.layout, self.norm, self.gamma, self.signed = layout, norm, gamma, signed

    def encode(self, image: Image) -> Map:
        """Blocks (batch, block² * orientations, rows, columns), one every `cell` pixels.

        Channels run over the block's cells and then bins: cells row by row in skimage's layout,
        column by column in OpenCV's.
        """
        checks.image(image, self.name, at_least=self.cell * self.block if self.side is None else 1)
        height, width = image.shape[2:]
        canvas = image if self.side is None else square(image, self.side)
        canvas = canvas.clamp(0, 1)  # resizing may overshoot by rounding, and square roots follow
        blocks = self._opencv(canvas) if self.layout == "opencv" else self._skimage(canvas)
        return Map(blocks, (height, width))

    def check_code(self, code: Map) -> None:
        """The blocks of the canvas, or of the image where it has no side.

        Raises:
            BadCode: If they are not.
        """
        canvas = code.size if self.side is None else (self.side, self.side)
        blocks = [max(0, n // self.cell - self.block + 1) for n in canvas]
        codecheck.maps(code.values, self.name, (self.block**2 * self.orientations,), blocks)

    def pool(self, code: Map) -> Vectors:
        """All blocks of the canvas, in the order of the layout's own descriptor."""
        blocks = code.values
        if self.side is None:
            rows = max(1, _CANVAS_PX // self.cell - self.block + 1)
            blocks = F.adaptive_avg_pool2d(blocks, rows)
        first, second = (3, 2) if self.layout == "opencv" else (2, 3)
        return blocks.permute(0, first, second, 1).flatten(1)

    def picture(self, code: Map, image: Image | None = None) -> Picture:
        """In each cell a star of strokes along its edges, as bright as they are strong."""
        cells = self._cells(code.values.detach())
        grid = min(cells.shape[2], _MAX_GLYPHS), min(cells.shape[3], _MAX_GLYPHS)
        cells = F.adaptive_avg_pool2d(cells, grid)
        side = max(13, _PICTURE_PX // max(grid)) | 1
        canvas = cells.new_zeros(1)
        for weight, stroke in zip(cells.unbind(1), self._strokes(side).to(cells), strict=True):
            canvas = torch.maximum(canvas, weight[:, :, None, :, None] * stroke[:, None, :])
        glyphs = sequential(canvas.flatten(3, 4).flatten(1, 2).unsqueeze(1))
        if image is None:
            return glyphs
        background = resize(luminance(image.detach()), *glyphs.shape[2:]).clamp(0, 1)
        return torch.maximum(glyphs, 0.4 * background)

    def _skimage(self, image: Tensor) -> Tensor:
        """Hard votes, then normalised blocks (batch, block² * orientations, rows, columns)."""
        if self.gamma:
            image = differentiable.sqrt(image)
        batch = max(1, _BATCH_PX // image[0, 0].numel())
        cells = torch.cat([self._histograms(images) for images in chunks(image, batch)])
        blocks = cells.unfold(2, self.block, 1).unfold(3, self.block, 1)
        return _normalised(blocks.permute(0, 4, 5, 1, 2, 3).flatten(1, 3), self.norm)

    def _histograms(self, image: Tensor) -> Tensor:
        """Mean magnitude per orientation and cell, (batch, orientations, rows, columns).

        All cells of an image are counted by one `scatter_add` into one row of slots. A direction is
        an angle in (-π, π], so its bin before reduction lies in -orientations ... orientations:
        each cell has 2 * orientations + 1 slots, and slots that stand for the same orientation are
        added afterwards, per cell. That is far cheaper than a remainder per pixel.
        """
        gx = F.pad(image[..., 2:] - image[..., :-2], (1, 1))
        gy = F.pad(image[..., 2:, :] - image[..., :-2, :], (0, 0, 1, 1))
        rows, columns = (size // self.cell for size in image.shape[2:])
        magnitude, position = (
            part[..., : rows * self.cell, : columns * self.cell].flatten(1)
            for part in self._polar(gx, gy)
        )
        slots = 2 * self.orientations + 1
        row = torch.arange(rows * self.cell, device=image.device) // self.cell
        column = torch.arange(columns * self.cell, device=image.device) // self.cell
        zero = ((row[:, None] * columns + column) * slots + self.orientations).flatten()
        # Rounding must not decide about directions on the edge of a bin (0°, 45°, 90° ...). The
        # angle that it turns a gradient by grows as the magnitude falls.
        double = position.dtype == torch.float64
        tie, rounding = (_TIE_DOUBLE, _ROUNDING_DOUBLE) if double else (_TIE, _ROUNDING)
        angle = rounding * self.orientations / (math.tau if self.signed else math.pi)
        ties = magnitude.detach().reciprocal().mul_(angle).clamp_(tie, 0.5)
        slot = ties.add_(position.detach()).floor_().long().add_(zero)
        votes = magnitude.new_zeros(image.shape[0], rows * columns * slots)
        votes = votes.scatter_add(1, slot, magnitude).unflatten(1, (rows, columns, slots))
        # Slots -n ... -1, 0 ... n - 1, and n (an angle of π) stand for bins 0 ... n - 1 and 0.
        negative, positive, last = votes.split([self.orientations, self.orientations, 1], dim=3)
        histograms = negative + positive + F.pad(last, (0, self.orientations - 1))
        return histograms.permute(0, 3, 1, 2) / self.cell**2

    def _opencv(self, image: Tensor) -> Tensor:
        """Shared votes under a Gaussian, then blocks normalised with OpenCV's constants."""
        image = 255 * image if self.gamma is False else differentiable.sqrt(255 * image)
        padded = mirror(image, 1)
        gx = padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]
        gy = padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]
        magnitude, position = self._polar(gx, gy)
        votes = soft_votes(magnitude, position - 0.5, self.orientations)
        votes = votes.flatten(0, 1).unsqueeze(1)
        # The window and the bilinear shares of all cells of a block are one strided convolution.
        blocks = F.conv2d(votes, self._window().to(votes), stride=self.cell)
        blocks = (
            blocks.unflatten(0, (image.shape[0], self.orientations)).transpose(1, 2).flatten(1, 2)
        )
        length = differentiable.sqrt(blocks.square().sum(1, keepdim=True))
        clipped = (blocks / (length + 0.1 * blocks.shape[1])).clamp_max(_CLIP)
        return clipped / (differentiable.sqrt(clipped.square().sum(1, keepdim=True)) + 1e-3)

    def _polar(self, gx: Tensor, gy: Tensor) -> tuple[Tensor, Tensor]:
        """Magnitude, and direction in bins, clockwise from +x, within ± orientations (or half)."""
        gx, gy = strongest(gx, gy)
        if gx.requires_grad:
            magnitude, angle = differentiable.polar(gx, gy)
        else:  # no slope at zero to keep finite
            magnitude, angle = torch.hypot(gx, gy), torch.atan2(gy, gx)
        return magnitude, angle * (self.orientations / (math.tau if self.signed else math.pi))

    def _window(self) -> Tensor:
        """Weight of each pixel of a block for each cell, column by column: (block², 1, b, b)."""
        size = self.cell * self.block
        pixel = torch.arange(size, dtype=torch.float64)
        # Not `ops.filter.gaussian`: OpenCV centres it at size / 2 and does not normalise.
        gauss = torch.exp(-((pixel - size / 2) ** 2) / (2 * (size / 4) ** 2))
        distance = (pixel + 0.5) / self.cell - 0.5 - torch.arange(self.block)[:, None]
        share = gauss * (1 - distance.abs()).clamp_min(0)
        return torch.einsum("cx,ry->cryx", share, share).flatten(0, 1).unsqueeze(1)

    def _cells(self, blocks: Tensor) -> Tensor:
        """Histograms of single cells, the mean over the blocks that hold them; (b, o, r, c)."""
        batch, _, rows, columns = blocks.shape
        overlap = self.block - 1
        total = blocks.new_zeros(batch, self.orientations, rows + overlap, columns + overlap)
        count = blocks.new_zeros(rows + overlap, columns + overlap)
        parts = blocks.unflatten(1, (self.block, self.block, self.orientations))
        if self.layout == "opencv":
            parts = parts.transpose(1, 2)
        for i in range(self.block):
            for j in range(self.block):
                window = slice(i, i + rows), slice(j, j + columns)
                total[:, :, *window] += parts[:, i, j]
                count[window] += 1
        return total / count

    def _strokes(self, side: int) -> Tensor:
        """For each orientation a soft line through the middle of a square, along the edge."""
        middle = (side - 1) / 2
        y, x = torch.meshgrid(*2 * [torch.arange(side) - middle], indexing="ij")
        span = (2 if self.signed else 1) * math.pi
        angle = (torch.arange(self.orientations) + 0.5) * (span / self.orientations)
        across = x * angle.cos()[:, None, None] + y * angle.sin()[:, None, None]
        width = max(0.8, side / 32)
        return torch.exp(-0.5 * (across / width) ** 2) * (torch.hypot(x, y) <= middle)


def _normalised(blocks: Tensor, norm: str) -> Tensor:
    """Blocks (b, c, rows, columns), each divided by its norm over c."""
    if norm in ("l1", "l1sqrt"):
        shares = blocks / (blocks.sum(1, keepdim=True) + _EPSILON)
        return shares if norm == "l1" else differentiable.sqrt(shares)
    units = _unit(blocks)
    return units if norm == "l2" else _unit(units.clamp_max(_CLIP))


def _unit(blocks: Tensor) -> Tensor:
    return blocks / (blocks.square().sum(1, keepdim=True) + _EPSILON**2).sqrt()
