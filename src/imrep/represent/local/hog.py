"""Histograms of oriented gradients: the directions of edges, cell by cell."""

import math

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
from imrep.registry.cards import Card
from imrep.types import Image, Picture, Vectors

_LAYOUTS = ("skimage", "opencv")
_NORMS = ("l2hys", "l2", "l1", "l1sqrt")
_CANVAS = 64  # whose grid of blocks vectors have where side=none
_CLIP = 0.2  # Lowe's; Dalal and Triggs section 6.4
_EPS = 1e-5
_TIE = 1e-6  # bins; a direction on the edge belongs to the bin above, whatever the rounding
_FINE_TIE = 1e-12  # the same for float64
_AT_ONCE = 2**18  # pixels worked on at a time, so that they stay in the cache
_PICTURE = 512
_MOST = 40  # cells per side drawn; of larger images neighbours are averaged


class HOG(Representation[Map]):
    """How strongly edges of each direction run through each cell, contrast evened out.

    Each pixel votes for the direction of its strongest channel's gradient with its magnitude; votes
    are averaged over cells, and each block of cells is divided by its own length, clipped at 0.2
    and divided again, so that light and shadow matter little and no single edge decides. Each cell
    stands in several blocks, each time in other company.

    Two layouts are in use, both kept to the number. `skimage`: differences are zero on the border,
    a pixel votes for one bin and one cell, blocks are concatenated row by row. `opencv`: the root
    of the image comes first, borders are mirrored, votes are shared between neighbouring bins and
    cells and weighted by a Gaussian over the block; the vector runs column by column. The paper
    (interpolated votes, Gaussian) is nearer to `opencv`. Gradients flow through the magnitudes
    (in `skimage`, which bin a pixel votes for is a step and passes none).

    The image is first resized to `side` × `side`, so vectors have one length; with `side=none` it
    is encoded at its own size, and the vector averages the blocks on the grid that a 64 × 64 image
    would have. Pixels beyond the last whole cell are left out.

    Args:
        cell: Side of a cell in pixels.
        block: Side of a block in cells.
        bins: Directions, over 180° (360° where signed).
        side: Side of the square the image is resized to, or none to keep its size.
        layout: skimage (a pixel votes for one bin and one cell) or opencv (votes are shared between
            neighbours and weighted by a Gaussian); their vectors have other orders.
        norm: What a block is divided by: l2hys (its length, clipped at 0.2, and again), l2, l1 or
            l1sqrt; opencv has l2hys only.
        gamma: Whether to take the root of the image first; none for the layout's own habit.
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
    )

    def __init__(  # noqa: PLR0913  # the paper's own choices, each in use somewhere
        self,
        *,
        cell: int = 8,
        block: int = 2,
        bins: int = 9,
        side: int | None = 64,
        layout: str = "skimage",
        norm: str = "l2hys",
        gamma: bool | None = None,
        signed: bool = False,
    ) -> None:
        for what, value in {"cell": cell, "block": block}.items():
            checks.at_least(value, 1, self.name, what)
        checks.between(bins, 1, 360, self.name, "bins")
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
        self.cell, self.block, self.bins, self.side = cell, block, bins, side
        self.layout, self.norm, self.gamma, self.signed = layout, norm, gamma, signed

    def encode(self, image: Image) -> Map:
        """Blocks, (batch, block² * bins, rows, columns), one every `cell` pixels.

        Channels run over the block's cells and then bins: cells row by row in skimage's layout,
        column by column in OpenCV's.
        """
        checks.image(image, self.name, at_least=self.cell * self.block if self.side is None else 1)
        height, width = image.shape[2:]
        canvas = image if self.side is None else square(image, self.side)
        canvas = canvas.clamp(0, 1)  # resizing may overshoot by rounding, and roots follow
        blocks = self._opencv(canvas) if self.layout == "opencv" else self._skimage(canvas)
        return Map(blocks, (height, width))

    def check_code(self, code: Map) -> None:
        """The blocks of the canvas, or of the image where it has no side.

        Raises:
            BadCode: If they are not.
        """
        canvas = code.size if self.side is None else (self.side, self.side)
        blocks = [max(0, n // self.cell - self.block + 1) for n in canvas]
        codecheck.maps(code.values, self.name, (self.block**2 * self.bins,), blocks)

    def pool(self, code: Map) -> Vectors:
        """All blocks of the canvas, in the order of the layout's own descriptor."""
        blocks = code.values
        if self.side is None:
            blocks = F.adaptive_avg_pool2d(blocks, max(1, _CANVAS // self.cell - self.block + 1))
        first, second = (3, 2) if self.layout == "opencv" else (2, 3)
        return blocks.permute(0, first, second, 1).flatten(1)

    def picture(self, code: Map, image: Image | None = None) -> Picture:
        """In each cell a star of strokes along its edges, as bright as they are strong."""
        cells = self._cells(code.values.detach())
        cells = F.adaptive_avg_pool2d(
            cells, (min(cells.shape[2], _MOST), min(cells.shape[3], _MOST))
        )
        side = max(13, _PICTURE // max(cells.shape[2:])) | 1
        drawn = cells.new_zeros(1)
        for weight, stroke in zip(cells.unbind(1), self._strokes(side).to(cells), strict=True):
            drawn = torch.maximum(drawn, weight[:, :, None, :, None] * stroke[:, None, :])
        glyph = sequential(drawn.flatten(3, 4).flatten(1, 2).unsqueeze(1))
        if image is None:
            return glyph
        under = resize(luminance(image.detach()), *glyph.shape[2:]).clamp(0, 1)
        return torch.maximum(glyph, 0.4 * under)

    def _skimage(self, image: Tensor) -> Tensor:
        if self.gamma:
            image = differentiable.sqrt(image)
        at_once = max(1, _AT_ONCE // image[0, 0].numel())
        cells = torch.cat([self._histograms(some) for some in image.split(at_once)])
        blocks = cells.unfold(2, self.block, 1).unfold(3, self.block, 1)
        return _evened(blocks.permute(0, 4, 5, 1, 2, 3).flatten(1, 3), self.norm)

    def _histograms(self, image: Tensor) -> Tensor:
        """Mean magnitude per direction and cell, (batch, bins, rows, columns)."""
        gx = F.pad(image[..., 2:] - image[..., :-2], (1, 1))
        gy = F.pad(image[..., 2:, :] - image[..., :-2, :], (0, 0, 1, 1))
        rows, columns = (size // self.cell for size in image.shape[2:])
        magnitude, place = (
            part[..., : rows * self.cell, : columns * self.cell].flatten(1)
            for part in self._polar(gx, gy)
        )
        # Directions are counted over -bins ... bins, and what is a turn apart is added per cell:
        # far cheaper than bringing every pixel's direction into one turn.
        turns = 2 * self.bins + 1
        row = torch.arange(rows * self.cell, device=image.device) // self.cell
        column = torch.arange(columns * self.cell, device=image.device) // self.cell
        first = ((row[:, None] * columns + column) * turns + self.bins).flatten()
        tie = _FINE_TIE if place.dtype == torch.float64 else _TIE
        slot = (place.detach() + tie).floor_().long().add_(first)
        votes = magnitude.new_zeros(len(image), rows * columns * turns)
        votes = votes.scatter_add(1, slot, magnitude).unflatten(1, (rows, columns, turns))
        below, above, last = votes.split([self.bins, self.bins, 1], dim=3)
        bins = below + above + F.pad(last, (0, self.bins - 1))
        return bins.permute(0, 3, 1, 2) / self.cell**2

    def _opencv(self, image: Tensor) -> Tensor:
        image = 255 * image if self.gamma is False else differentiable.sqrt(255 * image)
        wide = mirror(image, 1)
        gx = wide[..., 1:-1, 2:] - wide[..., 1:-1, :-2]
        gy = wide[..., 2:, 1:-1] - wide[..., :-2, 1:-1]
        magnitude, place = self._polar(gx, gy)
        votes = soft_votes(magnitude, place - 0.5, self.bins).flatten(0, 1).unsqueeze(1)
        cells = F.conv2d(votes, self._window().to(votes), stride=self.cell)
        blocks = cells.unflatten(0, (len(image), self.bins)).transpose(1, 2).flatten(1, 2)
        length = differentiable.sqrt(blocks.square().sum(1, keepdim=True))
        clipped = (blocks / (length + 0.1 * blocks.shape[1])).clamp_max(_CLIP)
        return clipped / (differentiable.sqrt(clipped.square().sum(1, keepdim=True)) + 1e-3)

    def _polar(self, gx: Tensor, gy: Tensor) -> tuple[Tensor, Tensor]:
        """Magnitude, and direction in bins from +x clockwise: ± a half turn's or a turn's worth."""
        gx, gy = strongest(gx, gy)
        if gx.requires_grad:
            magnitude, angle = differentiable.polar(gx, gy)
        else:  # no slope to be kept finite
            magnitude, angle = torch.hypot(gx, gy), torch.atan2(gy, gx)
        return magnitude, angle * (self.bins / (math.tau if self.signed else math.pi))

    def _window(self) -> Tensor:
        """What a pixel of the block gives to each cell, column by column: (block², 1, b, b)."""
        size = self.cell * self.block
        pixel = torch.arange(size, dtype=torch.float64)
        gauss = torch.exp(-((pixel - size / 2) ** 2) / (2 * (size / 4) ** 2))
        apart = (pixel + 0.5) / self.cell - 0.5 - torch.arange(self.block)[:, None]
        share = gauss * (1 - apart.abs()).clamp_min(0)
        return torch.einsum("cx,ry->cryx", share, share).flatten(0, 1).unsqueeze(1)

    def _cells(self, blocks: Tensor) -> Tensor:
        """Histograms of single cells, averaged over the blocks they stand in; (b, bins, r, c)."""
        batch, _, rows, columns = blocks.shape
        more = self.block - 1
        total = blocks.new_zeros(batch, self.bins, rows + more, columns + more)
        count = blocks.new_zeros(rows + more, columns + more)
        parts = blocks.unflatten(1, (self.block, self.block, self.bins))
        if self.layout == "opencv":
            parts = parts.transpose(1, 2)
        for i in range(self.block):
            for j in range(self.block):
                here = slice(i, i + rows), slice(j, j + columns)
                total[:, :, *here] += parts[:, i, j]
                count[here] += 1
        return total / count

    def _strokes(self, side: int) -> Tensor:
        """A soft line per bin through the middle of a square, across the gradient."""
        middle = (side - 1) / 2
        y, x = torch.meshgrid(*2 * [torch.arange(side) - middle], indexing="ij")
        angle = (torch.arange(self.bins) + 0.5) * ((2 if self.signed else 1) * math.pi / self.bins)
        across = x * angle.cos()[:, None, None] + y * angle.sin()[:, None, None]
        thick = max(0.8, side / 32)
        return torch.exp(-0.5 * (across / thick) ** 2) * (torch.hypot(x, y) <= middle)


def _evened(blocks: Tensor, norm: str) -> Tensor:
    """Blocks (b, c, rows, columns) each divided by a length over c."""
    if norm in ("l1", "l1sqrt"):
        shares = blocks / (blocks.sum(1, keepdim=True) + _EPS)
        return shares if norm == "l1" else differentiable.sqrt(shares)
    units = _unit(blocks)
    return units if norm == "l2" else _unit(units.clamp_max(_CLIP))


def _unit(blocks: Tensor) -> Tensor:
    return blocks / (blocks.square().sum(1, keepdim=True) + _EPS**2).sqrt()
