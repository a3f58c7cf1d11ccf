"""Colour histogram: how much of each colour, not where."""

import itertools

import cv2
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from imrep import checks, codecheck
from imrep.base import Representation
from imrep.codes import Vector
from imrep.errors import BadCode, BadParameter
from imrep.ops import differentiable
from imrep.ops.colour import from_ycbcr, luminance, to_lab, to_ycbcr
from imrep.ops.filter import canny
from imrep.ops.luma import LUMA
from imrep.registry.cards import Card
from imrep.types import Image, Picture

_SPACES = ("rgb", "hsv", "lab", "ycbcr", "gray")
_MOST_BINS = {True: 32, False: 256}  # by `joint`: 32³ is 32,768 numbers
_NUDGE = 1e-4  # bins; rounding must not scatter neutral gray over two bins that meet there

_BARS = 64  # drawn of a joint histogram
_HEIGHT = 160
_WIDTH = 320
_PAPER = 0.82  # gray on which both black and white bars show


class Histogram(Representation[Vector]):
    """Shares of the pixels in each of a few intervals of colour, square-rooted.

    Colours survive turning, mirroring, small changes of view and of size; the layout is thrown
    away. The joint histogram counts colours, bins³ of them, and tells an orange from a blue and a
    yellow thing side by side; without `joint` each channel is counted alone. The root turns the
    Euclidean distance into Hellinger's, so that a large plain background does not drown the rest.

    With `soft` a pixel is shared linearly between the two nearest bins per channel, and gradients
    reach the image; without, each pixel counts in one bin and none do. A gray image is taken as
    three equal channels.

    With `cumulative` each number is the share of the pixels in its bin and all before it, along
    every channel where joint, and no root is taken: the mean absolute difference of two such
    vectors is then the work it takes to move one channel's histogram onto the other's, so that a
    slightly brighter image is a slightly different one.

    `otsu`, beside it, gives the threshold that parts an image's brightness best.

    Args:
        bins: Intervals per channel, 2 to 32 (to 256 where not joint, and of gray).
        joint: Whether to count combinations of the channels' intervals.
        space: What the channels are: rgb, hsv, lab (CIE, D65), ycbcr (JPEG's) or gray.
        soft: Whether a pixel is shared between neighbouring bins.
        low: Lower end of the bins, from 0 to 1 as all channels are; what is below counts there.
        high: Upper end of the bins; what is above counts there.
        cumulative: Whether to add up the shares from bin to bin.

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
        checks.between(bins, 2, _MOST_BINS[joint and space != "gray"], self.name, "bins")
        checks.one_of(space, _SPACES, self.name, "space")
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
        """Where pixels are shared between bins."""
        return self.soft

    def encode(self, image: Image) -> Vector:
        """Roots of the shares, (batch, bins³) where joint, else (batch, channel * bins).

        Where joint, the first channel's bin changes slowest. Sums without a root where cumulative.
        """
        checks.image(image, self.name)
        planes = _planes(image, self.space).clamp(self.low, self.high).flatten(2)
        planes = (planes - self.low) / (self.high - self.low)
        if not self.soft:
            planes = planes.detach()
        axes = [self._sides(plane, i) for i, plane in enumerate(planes.unbind(1))]
        groups = [axes] if self.joint else [[axis] for axis in axes]
        shares = [self._shares(group) for group in groups]
        values = map(self._summed if self.cumulative else differentiable.sqrt, shares)
        return Vector(torch.cat(list(values), dim=1), (image.shape[2], image.shape[3]))

    def check_code(self, code: Vector) -> None:
        """A number for each bin.

        Raises:
            BadCode: If there are more, or fewer.
        """
        joint = self.joint and self.space != "gray"
        axes = 1 if self.space == "gray" else 3
        codecheck.columns(code.values, self.name, self.bins**3 if joint else axes * self.bins)

    def invert(self, code: Vector) -> Image:
        """An image of just these colours, from dark on the left to light: their places are lost.

        Without `joint`, which values of the channels came together is lost as well: each channel
        is sorted alone.

        Raises:
            BadCode: Also if the code does not say how large its image was.
        """
        if code.size is None:
            raise BadCode(
                f"{self.name} needs the image's size in the code, got none. "
                "Use the code that encode gave."
            )
        height, width = code.size
        roots = self._roots(code.values.detach().double().cpu())
        images = [self._sorted(one, height * width) for one in roots]
        columns = torch.from_numpy(np.stack(images)).reshape(-1, width, height, 3)
        return columns.permute(0, 3, 2, 1).contiguous().to(code.values)

    def picture(self, code: Vector, image: Image | None = None) -> Picture:
        """A bar per bin in the bin's own colour; of a joint histogram the fullest 64, by lightness.

        The height is the root of the share, as in the vector. Sums rise; those of a joint histogram
        are drawn as the shares they are sums of.
        """
        values, colours = code.values.detach().double().cpu(), self._colours()
        heights = self._roots(values) if self.joint else values
        drawn = [self._bars(one, colours) for one in heights.float()]
        return torch.stack(drawn).to(code.values)

    def _sides(self, x: Tensor, channel: int) -> list[tuple[Tensor, Tensor]]:
        """The bins a channel's values (b, n) fall into, and how much of each pixel each gets."""
        if not self.soft:
            return [((x * self.bins + _NUDGE).long().clamp_max(self.bins - 1), torch.ones_like(x))]
        place = x * self.bins - 0.5  # bin centres at whole numbers
        if self.space == "hsv" and channel == 0:  # hue is a circle
            low = place.floor()
            near = low.long() % self.bins, (low.long() + 1) % self.bins
        else:
            place = place.clamp(0, self.bins - 1)
            low = place.floor().clamp_max(self.bins - 2)
            near = low.long(), low.long() + 1
        share = place - low
        return [(near[0], 1 - share), (near[1], share)]

    def _shares(self, axes: list[list[tuple[Tensor, Tensor]]]) -> Tensor:
        """Shares of the pixels in each combination of the axes' bins, (b, bins ** len(axes))."""
        some = axes[0][0][1]
        total = some.new_zeros(len(some), self.bins ** len(axes))
        for corner in itertools.product(*axes):
            index, weight = corner[0]
            for place, share in corner[1:]:
                index, weight = index * self.bins + place, weight * share
            total = total.scatter_add(1, index, weight)
        return total / some.shape[1]

    def _axes(self, values: Tensor) -> tuple[Tensor, range]:
        """Values with an axis for each channel that was counted together, and those axes."""
        if self.joint and self.space != "gray":
            return values.unflatten(1, (self.bins,) * 3), range(1, 4)
        return values.unflatten(1, (-1, self.bins)), range(2, 3)

    def _summed(self, shares: Tensor) -> Tensor:
        """Shares of all pixels in each bin and those before it."""
        sums, axes = self._axes(shares)
        for axis in axes:
            sums = sums.cumsum(axis)
        return sums.flatten(1)

    def _roots(self, values: Tensor) -> Tensor:
        """Roots of the shares, whatever the vector holds."""
        if not self.cumulative:
            return values
        shares, axes = self._axes(values)
        for axis in axes:
            shares = shares.diff(dim=axis, prepend=torch.zeros_like(shares.narrow(axis, 0, 1)))
        return shares.flatten(1).clamp_min(0).sqrt()

    def _colours(self) -> np.ndarray:
        """RGB of every bin's centre, (dim, 3); where not joint, the other channels stay put."""
        centres = self._centres()
        if self.space == "gray":
            return np.repeat(centres[:, None], 3, axis=1)
        if self.joint:
            grid = np.stack(np.meshgrid(centres, centres, centres, indexing="ij"), -1)
            return _rgb(grid.reshape(-1, 3), self.space)
        rest = {"rgb": (0.0, 0.0, 0.0), "hsv": (0.0, 1.0, 1.0)}.get(self.space, (0.6, 0.5, 0.5))
        spots = np.tile(np.array(rest), (3, self.bins, 1))
        for channel in range(3):
            spots[channel, :, channel] = centres
        return _rgb(spots.reshape(-1, 3), self.space)

    def _centres(self) -> np.ndarray:
        middles = (np.arange(self.bins) + 0.5) / self.bins
        return self.low + middles * (self.high - self.low)

    def _sorted(self, values: Tensor, pixels: int) -> np.ndarray:
        """Colours (pixels, 3) in the shares' proportions, from dark to light."""
        if self.joint or self.space == "gray":
            colours = self._colours()
            colours = colours[np.repeat(np.arange(len(colours)), _whole(values, pixels))]
        else:
            centres = self._centres()
            parts = values.reshape(3, self.bins)
            planes = [np.repeat(centres, _whole(part, pixels)) for part in parts]
            colours = _rgb(np.stack(planes, axis=1), self.space)
        order = np.argsort(colours @ LUMA, kind="stable")
        return colours[order]

    def _bars(self, values: Tensor, colours: np.ndarray) -> Tensor:
        heights = values.numpy()
        if len(heights) > _BARS and self.joint:
            fullest = np.sort(np.argsort(-heights, kind="stable")[:_BARS])
            light = colours[fullest] @ LUMA
            chosen = fullest[np.argsort(light, kind="stable")]
            heights, colours = heights[chosen], colours[chosen]
        wide = max(1, _WIDTH // len(heights))
        tall = np.round(heights / max(heights.max(), 1e-12) * _HEIGHT)
        filled = np.arange(_HEIGHT, 0, -1)[:, None] <= tall[None]
        drawn = np.where(filled[..., None], colours[None], _PAPER).repeat(wide, axis=1)
        return torch.from_numpy(drawn).permute(2, 0, 1).clamp(0, 1)


def otsu(image: Image) -> Float[Tensor, " batch"]:
    """The brightness that parts each image best into dark and light: Otsu's threshold.

    Of the 256 levels t of the gray image it is the one with the greatest variance between classes,
    w₀(t) w₁(t) (μ₀(t) - μ₁(t))², w being the shares of the pixels up to t and above it and μ their
    means. OpenCV finds it (THRESH_OTSU, on cvtColor's gray bytes); what is brighter than it is
    light: `luminance > otsu(image)`.

    Args:
        image: (batch, 1|3, height, width), values in [0, 1].

    Returns:
        Thresholds in [0, 1], in whole 255ths.

    Raises:
        BadImage: If it is no batch of images.

    N. Otsu, "A threshold selection method from gray-level histograms", IEEE Trans. Systems, Man
    and Cybernetics 9(1), 1979. doi:10.1109/TSMC.1979.4310076

    Example:
        >>> import torch
        >>> image = torch.tensor([0.1, 0.2, 0.8, 0.9]).expand(1, 1, 3, 4)
        >>> round(float(otsu(image)), 1)
        0.2
    """
    checks.image(image, "otsu")
    found = [
        cv2.threshold(canny.levels(one), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)[0]
        for one in image
    ]
    return image.new_tensor(found) / 255


def _whole(roots: Tensor, pixels: int) -> np.ndarray:
    """Whole numbers of pixels in each bin that add up, the largest remainders rounded up.

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
    most = np.argsort(count - exact, kind="stable")[: pixels - count.sum()]
    count[most] += 1
    return count


def _planes(image: Tensor, space: str) -> Tensor:
    """Channels of a colour space, each within [0, 1]; (b, 3, h, w), or one channel for gray."""
    image = image.expand(-1, 3, -1, -1)
    if space == "ycbcr":
        return to_ycbcr(image) + image.new_tensor((0, 0.5, 0.5)).view(3, 1, 1)
    if space == "gray":
        return luminance(image)
    return {"rgb": lambda x: x, "hsv": _hsv, "lab": _lab}[space](image)


def _hsv(rgb: Tensor) -> Tensor:
    """Hue (a turn is 1), saturation and value; gray has hue 0, black saturation 0."""
    red, green, blue = rgb.unbind(1)
    value = rgb.amax(1)
    chroma = value - rgb.amin(1)
    gray = chroma == 0
    over = torch.where(gray, 1.0, chroma)
    sixth = torch.where(
        value == red,
        (green - blue) / over,
        torch.where(value == green, 2 + (blue - red) / over, 4 + (red - green) / over),
    )
    saturation = chroma / torch.where(value > 0, value, 1.0)
    return torch.stack([torch.where(gray, 0.0, sixth / 6) % 1, saturation, value], dim=1)


def _lab(rgb: Tensor) -> Tensor:
    """CIE L*a*b* of sRGB: L / 100, and a and b moved from ±110 to [0, 1]."""
    return to_lab(rgb) + rgb.new_tensor((0, 0.5, 0.5)).view(3, 1, 1)


def _rgb(colours: np.ndarray, space: str) -> np.ndarray:
    """RGB of colours (n, 3) given as `_planes` gives them; for eyes, so OpenCV will do."""
    if space == "rgb":
        return colours
    if space == "ycbcr":
        planes = torch.from_numpy(colours - np.array((0, 0.5, 0.5))).T[None, :, None]
        return from_ycbcr(planes)[0, :, 0].T.clamp(0, 1).numpy()
    scale, shift, code = {
        "hsv": ((360, 1, 1), (0, 0, 0), cv2.COLOR_HSV2RGB),
        "lab": ((100, 220, 220), (0, 110, 110), cv2.COLOR_Lab2RGB),
    }[space]
    row = (colours * np.array(scale) - np.array(shift)).astype(np.float32)[None]
    return cv2.cvtColor(row, code)[0].astype(np.float64).clip(0, 1)
