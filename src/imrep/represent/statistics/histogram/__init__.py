"""Colour histogram: the share of each colour, without positions."""

import itertools

import numpy as np
import torch
from torch import Tensor

from imrep import checks, codecheck
from imrep.base import Representation
from imrep.codes import Vector
from imrep.errors import BadCode, BadParameter
from imrep.ops import differentiable
from imrep.ops.luma import LUMA
from imrep.registry.cards import Card
from imrep.represent.statistics.histogram.colour_spaces import SPACES, channels, to_rgb
from imrep.represent.statistics.histogram.threshold import otsu
from imrep.types import Image, Picture

__all__ = ["Histogram", "otsu"]

_MAX_BINS = {True: 32, False: 256}  # by `joint`: 32³ is 32,768 numbers
_EDGE_SHIFT = 1e-4  # of a bin, so that round-off does not split neutral gray between two bins

_MAX_BARS = 64  # in the picture of a joint histogram
_HEIGHT_PX = 160
_WIDTH_PX = 320
_BACKGROUND = 0.82  # gray against which both black and white bars are visible


class Histogram(Representation[Vector]):
    """Shares of the pixels in each of a few intervals of colour, square-rooted.

    Invariant to rotation, reflection and permutation of the pixels, and nearly to scale. The joint
    histogram has bins³ bins, one per combination of the channels' intervals; without `joint` each
    channel has a histogram of its own. The square root turns the Euclidean distance into
    Hellinger's, so that a large uniform background does not dominate.

    With `soft` a pixel is divided linearly between the two nearest bins per channel, and gradients
    reach the image; without, each pixel counts in one bin. A gray image becomes three equal
    channels.

    With `cumulative` each number is the share of the pixels in its bin and all before it, along
    every channel where joint, and no root is taken: the mean absolute difference of two such
    vectors is the earth mover's distance of one channel's histograms, so that a slightly brighter
    image is a slightly different one.

    `otsu` gives Otsu's threshold of an image.

    Args:
        bins: Intervals per channel, 2 to 32 (to 256 where not joint, and of gray).
        joint: Whether to count combinations of the channels' intervals.
        space: Colour space: rgb, hsv, lab (CIE, D65), ycbcr (JPEG's) or gray.
        soft: Whether a pixel is divided between neighbouring bins.
        low: Lower end of the bins, in [0, 1]; values below are clamped to it.
        high: Upper end of the bins; values above are clamped to it.
        cumulative: Whether to take cumulative sums of the shares.

    References:
        M. J. Swain and D. H. Ballard, "Color indexing", IJCV 7(1), 1991. doi:10.1007/BF00130487
        R. Arandjelović and A. Zisserman, "Three things everyone should know to improve object
        retrieval", CVPR 2012 (the root). doi:10.1109/CVPR.2012.6248018

    Example:
        >>> import torch, imrep
        >>> imrep.get("histogram", bins=2, space="gray").embed(torch.ones(1, 3, 9, 9))
        tensor([[0., 1.]])
    """

    card = Card(
        title="Colour histogram",
        family="statistics",
        cite="Swain & Ballard 1991, doi:10.1007/BF00130487",
        inverse="approximate",
        differentiable=False,
    )

    def __init__(
        self,
        *,
        bins: int = 8,
        joint: bool = True,
        space: str = "rgb",
        soft: bool = False,
        low: float = 0.0,
        high: float = 1.0,
        cumulative: bool = False,
    ) -> None:
        checks.between(bins, 2, _MAX_BINS[joint and space != "gray"], self.name, "bins")
        checks.one_of(space, SPACES, self.name, "space")
        checks.between(low, 0, 1, self.name, "low")
        checks.between(high, 0, 1, self.name, "high")
        if not low < high:
            raise BadParameter(
                f"{self.name} needs low below high, got low={low} and high={high}. Swap them."
            )
        super().__init__()
        self.bins, self.joint, self.space, self.soft = bins, joint, space, soft
        self.low, self.high, self.cumulative = low, high, cumulative

    @property
    def differentiable(self) -> bool:
        """Whether pixels are divided between bins."""
        return self.soft

    def encode(self, image: Image) -> Vector:
        """Roots of the shares, (batch, bins³) where joint, else (batch, channel * bins).

        Where joint, the first channel's bin changes slowest. Sums without a root where cumulative.
        """
        checks.image(image, self.name)
        planes = channels(image, self.space).clamp(self.low, self.high).flatten(2)
        planes = (planes - self.low) / (self.high - self.low)
        if not self.soft:
            planes = planes.detach()
        axes = [self._memberships(plane, i) for i, plane in enumerate(planes.unbind(1))]
        groups = [axes] if self.joint else [[axis] for axis in axes]
        shares = [self._shares(group) for group in groups]
        values = map(self._summed if self.cumulative else differentiable.sqrt, shares)
        return Vector(torch.cat(list(values), dim=1), (image.shape[2], image.shape[3]))

    def check_code(self, code: Vector) -> None:
        """Refuse a code that has not one number per bin.

        Raises:
            BadCode: Naming what is needed and what came.
        """
        separate = self.bins if self.space == "gray" else 3 * self.bins
        count = self.bins**3 if self._is_joint else separate
        codecheck.columns(code.values, self.name, count)

    def invert(self, code: Vector) -> Image:
        """An image with this histogram, sorted from dark on the left to light: positions are lost.

        Without `joint`, the combinations of the channels are lost as well: each is sorted alone.

        Raises:
            BadCode: Also if the code has no image size.
        """
        if code.size is None:
            raise BadCode(
                f"{self.name} needs the image's size in the code, got none. "
                "Use the code that encode gave."
            )
        height, width = code.size
        roots = self._roots(code.values.detach().double().cpu())
        images = [self._sorted(each, height * width) for each in roots]
        columns = torch.from_numpy(np.stack(images)).reshape(-1, width, height, 3)
        return columns.permute(0, 3, 2, 1).contiguous().to(code.values)

    def picture(self, code: Vector, image: Image | None = None) -> Picture:
        """A bar per bin in the bin's colour; of a joint histogram the largest 64, by lightness.

        The height is the square root of the share. Cumulative sums are drawn as they are, but for a
        joint histogram, whose shares are drawn.
        """
        values, colours = code.values.detach().double().cpu(), self._colours()
        heights = self._roots(values) if self._is_joint else values
        charts = [self._bars(each, colours) for each in heights.float()]
        return torch.stack(charts).to(code.values)

    @property
    def _is_joint(self) -> bool:
        """Whether several channels are counted together; gray has one."""
        return self.joint and self.space != "gray"

    def _memberships(self, x: Tensor, channel: int) -> list[tuple[Tensor, Tensor]]:
        """Bins of a channel's values (b, n), each with the pixels' share in it."""
        if not self.soft:
            return [
                ((x * self.bins + _EDGE_SHIFT).long().clamp_max(self.bins - 1), torch.ones_like(x))
            ]
        position = x * self.bins - 0.5  # bin centres are integers
        if self.space == "hsv" and channel == 0:  # hue is periodic
            low = position.floor()
            below, above = low.long() % self.bins, (low.long() + 1) % self.bins
        else:
            position = position.clamp(0, self.bins - 1)
            low = position.floor().clamp_max(self.bins - 2)
            below, above = low.long(), low.long() + 1
        share = position - low
        return [(below, 1 - share), (above, share)]

    def _shares(self, axes: list[list[tuple[Tensor, Tensor]]]) -> Tensor:
        """Shares of the pixels in each combination of the axes' bins, (b, bins ** len(axes))."""
        like = axes[0][0][1]
        total = like.new_zeros(like.shape[0], self.bins ** len(axes))
        for corner in itertools.product(*axes):
            index, weight = corner[0]
            for bin_, share in corner[1:]:
                index, weight = index * self.bins + bin_, weight * share
            total = total.scatter_add(1, index, weight)
        return total / like.shape[1]

    def _axes(self, values: Tensor) -> tuple[Tensor, range]:
        """Values with one axis for each channel of a joint histogram, and those axes."""
        if self._is_joint:
            return values.unflatten(1, (self.bins,) * 3), range(1, 4)
        return values.unflatten(1, (-1, self.bins)), range(2, 3)

    def _summed(self, shares: Tensor) -> Tensor:
        """Cumulative shares along every channel."""
        sums, axes = self._axes(shares)
        for axis in axes:
            sums = sums.cumsum(axis)
        return sums.flatten(1)

    def _roots(self, values: Tensor) -> Tensor:
        """Square roots of the shares, also of a cumulative vector."""
        if not self.cumulative:
            return values
        shares, axes = self._axes(values)
        for axis in axes:
            shares = shares.diff(dim=axis, prepend=torch.zeros_like(shares.narrow(axis, 0, 1)))
        return shares.flatten(1).clamp_min(0).sqrt()

    def _colours(self) -> np.ndarray:
        """RGB of every bin's centre, (dim, 3); where not joint, with constant other channels."""
        centres = self._centres()
        if self.space == "gray":
            return np.repeat(centres[:, None], 3, axis=1)
        if self.joint:
            grid = np.stack(np.meshgrid(centres, centres, centres, indexing="ij"), -1)
            return to_rgb(grid.reshape(-1, 3), self.space)
        constant = {"rgb": (0.0, 0.0, 0.0), "hsv": (0.0, 1.0, 1.0)}.get(self.space, (0.6, 0.5, 0.5))
        colours = np.tile(np.array(constant), (3, self.bins, 1))
        for channel in range(3):
            colours[channel, :, channel] = centres
        return to_rgb(colours.reshape(-1, 3), self.space)

    def _centres(self) -> np.ndarray:
        centres = (np.arange(self.bins) + 0.5) / self.bins
        return self.low + centres * (self.high - self.low)

    def _sorted(self, values: Tensor, pixels: int) -> np.ndarray:
        """Colours (pixels, 3) in the shares' proportions, from dark to light."""
        if self.joint or self.space == "gray":
            colours = self._colours()
            colours = colours[np.repeat(np.arange(len(colours)), _pixel_counts(values, pixels))]
        else:
            centres = self._centres()
            parts = values.reshape(3, self.bins)
            planes = [np.repeat(centres, _pixel_counts(part, pixels)) for part in parts]
            colours = to_rgb(np.stack(planes, axis=1), self.space)
        order = np.argsort(colours @ LUMA, kind="stable")
        return colours[order]

    def _bars(self, values: Tensor, colours: np.ndarray) -> Tensor:
        heights = values.numpy()
        if len(heights) > _MAX_BARS and self._is_joint:
            largest = np.sort(np.argsort(-heights, kind="stable")[:_MAX_BARS])
            order = largest[np.argsort(colours[largest] @ LUMA, kind="stable")]
            heights, colours = heights[order], colours[order]
        width = max(1, _WIDTH_PX // len(heights))
        rows = np.round(heights / max(heights.max(), 1e-12) * _HEIGHT_PX)
        filled = np.arange(_HEIGHT_PX, 0, -1)[:, None] <= rows[None]
        chart = np.where(filled[..., None], colours[None], _BACKGROUND).repeat(width, axis=1)
        return torch.from_numpy(chart).permute(2, 0, 1).clamp(0, 1)


def _pixel_counts(roots: Tensor, pixels: int) -> np.ndarray:
    """Integer numbers of pixels per bin with sum `pixels`: the largest-remainder method.

    Raises:
        BadCode: If all shares are zero.
    """
    exact = roots.square().numpy()
    if not exact.any():
        raise BadCode(
            "histogram needs a share above zero in each channel, got none. "
            "Use the code that encode gave."
        )
    exact *= pixels / exact.sum()
    count = np.floor(exact).astype(int)
    remainders = np.argsort(count - exact, kind="stable")
    count[remainders[: pixels - count.sum()]] += 1
    return count
