"""Blobs: spots brighter or darker than what surrounds them, and how large they are."""

import itertools
import math
from typing import ClassVar

import cv2
import numpy as np
import torch
from torch import Tensor

from imrep import checks, codecheck
from imrep.base import Representation
from imrep.codes import Code, Map, Points
from imrep.errors import BadParameter
from imrep.ops import differentiable
from imrep.ops.colour import luminance
from imrep.ops.filter.borders import mirror
from imrep.ops.filter.gaussian import along, gaussian
from imrep.ops.filter.peaks import window_maximum
from imrep.ops.pooling import cell_of
from imrep.ops.resize import resize
from imrep.registry.cards import Card
from imrep.types import Image, Picture, Vectors

_METHODS = ("log", "dog")
_POLARITIES = ("both", "bright", "dark")
_TRUNCATE = 4  # standard deviations at which a Gaussian is cut off
_BRIGHT_COLOUR, _DARK_COLOUR = (0.94, 0.63, 0.24), (0.35, 0.65, 1.0)
_BACKGROUND = 0.16
_PICTURE_PX = 256  # pictures of small images are enlarged to about this
_AREA = 1000  # responses are summed per so many pixels


class Blob(Representation[Points]):
    """Positions and scales at which the image resembles a round spot.

    The image is blurred by Gaussians of growing standard deviation sigma. The response is sigma²
    times the negative Laplacian of each (`log`), or nearly the same from the difference of two
    consecutive ones (`dog`): greatest in the middle of a bright disk of radius √2 sigma, least in a
    dark one. A blob is a maximum among its 26 neighbours in space and scale that exceeds
    `threshold`. Of two blobs whose disks share more than `overlap` of the smaller one's area, the
    smaller is dropped. These are scikit-image's blobs (blob_log with log_scale, blob_dog), but for
    the borders, mirrored here without repeating the edge, and a Laplacian that is exactly zero for
    constants.

    A blob's values are its response, negative for dark ones, and its sigma; its extent is the
    disk's diameter. Gradients reach the image through the response, not through the position.

    The vector sums the square roots of the responses per polarity, scale and cell, and takes square
    roots.

    Args:
        method: log (Laplacian of Gaussian) or dog (difference of Gaussians).
        min_sigma: Smallest standard deviation in pixels.
        max_sigma: Greatest standard deviation, at most 100.
        scales: Number of standard deviations, in geometric progression.
        threshold: Least response, for an image in [0, 1]; a disk as bright as 1 on 0 has 0.74.
        overlap: Share of the smaller disk's area above which it is dropped.
        polarity: bright, dark or both.
        max_points: Greatest number of maxima considered, those of the strongest response.
        cells: Cells per side that the vector sums in.

    References:
        T. Lindeberg, "Feature detection with automatic scale selection", IJCV 30(2), 1998.
        doi:10.1023/A:1008045108935
        D. Marr and E. Hildreth, "Theory of edge detection", Proc. Royal Society B 207, 1980 (both
        operators). doi:10.1098/rspb.1980.0020

    Example:
        >>> import torch, imrep
        >>> y, x = torch.meshgrid(torch.arange(40.0), torch.arange(60.0), indexing="ij")
        >>> disk = ((x - 21).hypot(y - 17) < 6).float()[None, None]
        >>> code = imrep.get("blob", polarity="bright").encode(disk)
        >>> code.xy[0].tolist(), code.extent[0].round().tolist()
        ([[21.0, 17.0]], [12.0])
    """

    card = Card(
        title="Blobs",
        family="local",
        cite="Lindeberg 1998, doi:10.1023/A:1008045108935",
    )
    renamed: ClassVar[dict[str, str]] = {"most": "max_points"}
    eager_only = "the number of blobs depends on the image"
    no_graph = "the number of blobs depends on the image"

    def __init__(  # noqa: PLR0913  # the paper's range of scales, and the selection of blobs
        self,
        *,
        method: str = "log",
        min_sigma: float = 1.0,
        max_sigma: float = 12.0,
        scales: int = 8,
        threshold: float = 0.03,
        overlap: float = 0.5,
        polarity: str = "both",
        max_points: int = 500,
        cells: int = 4,
    ) -> None:
        checks.one_of(method, _METHODS, self.name, "method")
        checks.one_of(polarity, _POLARITIES, self.name, "polarity")
        checks.between(min_sigma, 0.5, 100, self.name, "min_sigma")
        checks.between(scales, 2, 50, self.name, "scales")
        if not min_sigma < max_sigma <= 100:
            raise BadParameter(
                f"{self.name} needs max_sigma above min_sigma and at most 100, got {max_sigma} and "
                f"{min_sigma}."
            )
        checks.between(threshold, 1e-4, 1, self.name, "threshold")
        checks.between(overlap, 0, 1, self.name, "overlap")
        checks.between(max_points, 1, 5000, self.name, "max_points")
        checks.between(cells, 1, checks.MAX_CELLS, self.name, "cells")
        super().__init__()
        self.method, self.min_sigma, self.max_sigma, self.scales = (
            method, min_sigma, max_sigma, scales
        )  # fmt: skip
        self.threshold, self.overlap, self.polarity = threshold, overlap, polarity
        self.max_points, self.cells = max_points, cells

    @property
    def sigmas(self) -> list[float]:
        """The standard deviations, ascending."""
        return [self.min_sigma * self._ratio**i for i in range(self.scales)]

    def encode(self, image: Image) -> Points:
        """Blobs, from the strongest response to the weakest."""
        gray = luminance(checks.image(image, self.name))
        detections = [self._detect(x) for x in gray.split(1)]
        values, xy, present = (torch.cat(parts) for parts in zip(*detections, strict=True))
        sigma = values[..., 1]
        code = Points(
            xy=xy,
            values=values,
            extent=2 * math.sqrt(2) * sigma.detach(),
            angle=torch.zeros_like(sigma),
            present=present,
            size=(gray.shape[2], gray.shape[3]),
            labels=("response", "sigma"),
        )
        return code.filter(present)

    def response(self, image: Image) -> Map:
        """The response of each pixel at each sigma, (batch, scales, height, width)."""
        gray = luminance(checks.image(image, self.name))
        labels = tuple(f"sigma {sigma:.3g}" for sigma in self.sigmas)
        return Map(self._response(gray), (gray.shape[2], gray.shape[3]), labels, signed=True)

    def check_code(self, code: Points) -> None:
        """Two numbers for each point.

        Raises:
            BadCode: If they are not.
        """
        codecheck.columns(code.values, self.name, 2)

    def pool(self, code: Points) -> Vectors:
        """Square roots of summed responses, (batch, polarities * scales * cells²), bright first.

        Square roots of the responses are summed per polarity, scale and cell, per 1,000 pixels.
        """
        height, width = code.size
        response, sigma = code.values.unbind(2)
        scale = ((sigma / self.min_sigma).log() / math.log(self._ratio)).round().long()
        cell = cell_of(code.xy, code.size, self.cells)
        slot = scale.clamp(0, self.scales - 1) * self.cells**2 + cell
        slots = self.scales * self.cells**2
        if self.polarity == "both":
            slot = slot + slots * (response < 0)
            slots = 2 * slots
        strength = differentiable.sqrt(response.abs() * code.present)
        total = response.new_zeros(len(response), slots).scatter_add(1, slot, strength)
        return differentiable.sqrt(total * (_AREA / (height * width)))

    def picture(self, code: Points, image: Image | None = None) -> Picture:
        """A circle round each, of its size: orange round bright ones, blue round dark ones."""
        height, width = code.size
        if image is None:
            image = code.xy.new_full((len(code), 1, height, width), _BACKGROUND)
        factor = max(1, round(_PICTURE_PX / max(height, width)))
        background = resize(image.detach().float(), factor * height, factor * width).clamp(0, 1)
        pictures = background.expand(-1, 3, -1, -1).cpu().clone()
        for i, picture in enumerate(pictures):
            canvas = np.ascontiguousarray(picture.permute(1, 2, 0).numpy())
            _draw_circles(canvas, code[i : i + 1], factor)
            pictures[i] = torch.from_numpy(canvas).permute(2, 0, 1)
        return pictures.to(code.xy)

    @property
    def _ratio(self) -> float:
        """Of each sigma to the one before."""
        return float((self.max_sigma / self.min_sigma) ** (1 / (self.scales - 1)))

    def _response(self, gray: Tensor) -> Tensor:
        """The scale space of the scale-normalised, negative Laplacian, (b, scales, h, w)."""
        if self.method == "log":
            return torch.cat([_laplacian(gray, sigma) for sigma in self.sigmas], dim=1)
        blurred = [_blurred(gray, s) for s in (*self.sigmas, self.max_sigma * self._ratio)]
        pairs = itertools.pairwise(blurred)
        return torch.cat([fine - coarse for fine, coarse in pairs], dim=1) / (self._ratio - 1)

    def _detect(self, gray: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Values, positions and presence, (1, n, …), of one image's blobs."""
        response = self._response(gray)
        height, width = gray.shape[2:]
        score, index = self._peaks(response.detach()).topk(
            min(self.max_points, response[0].numel())
        )
        dark = (index >= response.numel()) if self.polarity == "both" else score < 0
        index = index % response.numel()
        xy = torch.stack([index % width, index // width % height], dim=2).to(gray)
        sigma = gray.new_tensor(self.sigmas)[index // (height * width)]
        values = torch.stack([response.flatten(1).gather(1, index), sigma], dim=2)
        count = int((score > 0).sum())  # peaks come first
        present = torch.zeros_like(score, dtype=torch.bool)
        present[0, :count] = self._prune(xy[0, :count], sigma[0, :count], dark[0, :count])
        return values, xy, present

    def _peaks(self, response: Tensor) -> Tensor:
        """Absolute responses at extrema in space and scale, -1 elsewhere; bright, then dark."""
        scores = []
        for sign in {"both": (1, -1), "bright": (1,), "dark": (-1,)}[self.polarity]:
            x = sign * response
            peak = (x == window_maximum(x, 1, (-3, -2, -1))) & (x > self.threshold)
            scores.append(torch.where(peak, x, -1).flatten(1))
        return torch.cat(scores, dim=1)

    def _prune(self, xy: Tensor, sigma: Tensor, dark: Tensor) -> Tensor:
        """Whether no larger blob that stays covers too much of a blob, (n,).

        A blob that is dropped drops no other. The fixed point of that rule is reached from "all
        stay" after one round for each link of the longest chain of covering blobs.
        """
        radius = math.sqrt(2) * sigma.double()
        shared = _overlap(torch.cdist(xy.double(), xy.double()), radius[:, None], radius)
        order = torch.arange(len(xy), device=xy.device)
        larger = (radius > radius[:, None]) | (
            (radius == radius[:, None]) & (order < order[:, None])
        )
        # Entry (i, j): blob i is covered by blob j.
        covered = (dark == dark[:, None]) & larger & (shared > self.overlap)
        stays = torch.ones_like(dark)
        while True:
            updated = ~(covered & stays).any(1)
            if torch.equal(updated, stays):
                return stays
            stays = updated


def _blurred(x: Tensor, sigma: float) -> Tensor:
    radius = round(_TRUNCATE * sigma)
    weights = gaussian(sigma, radius)
    return along(along(mirror(x, radius), weights, -2), weights, -1)


def _laplacian(x: Tensor, sigma: float) -> Tensor:
    """-sigma² times the Laplacian of the blurred image.

    The Laplacian of a Gaussian is a sum of two separable kernels, each a second derivative along
    one axis and a Gaussian along the other.
    """
    radius = round(_TRUNCATE * sigma)
    weights = gaussian(sigma, radius)
    second = [w * (1 - ((i - radius) / sigma) ** 2) for i, w in enumerate(weights)]
    excess = math.fsum(second)  # of the truncated tails; without it constants have no response
    second = [b - excess * w for b, w in zip(second, weights, strict=True)]
    padded = mirror(x, radius)
    rows, columns = along(padded, weights, -2), along(padded, second, -2)
    return along(rows, second, -1) + along(columns, weights, -1)


def _overlap(distance: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """Area shared by two disks over the smaller one's area, by their distance and radii.

    Two circular sectors less the kite between the centres and the intersections (Heron's formula).
    Disks inside each other come out as 1, since cosines and the kite are clamped.
    """
    d = distance.clamp_min(1e-12)

    def sector(r: Tensor, s: Tensor) -> Tensor:
        cosine = ((d**2 + r**2 - s**2) / (2 * d * r)).clamp(-1, 1)
        return r**2 * torch.acos(cosine)

    kite = (first + second - d) * (d + first - second) * (d - first + second)
    area = sector(first, second) + sector(second, first)
    area = area - (kite * (d + first + second)).clamp_min(0).sqrt() / 2
    return area / (math.pi * torch.minimum(first, second) ** 2)


def _draw_circles(canvas: np.ndarray, code: Code, factor: int) -> None:
    """Each blob of one image on a canvas (height, width, 3) that is `factor` times as large."""
    points = code.map(Tensor.detach)
    assert isinstance(points, Points)
    present = points.present
    circles = torch.cat([points.xy[present], points.extent[present][:, None]], dim=1).tolist()
    for (x, y, diameter), response in zip(circles, points.values[present][:, 0], strict=True):
        centre = round((x + 0.5) * factor - 0.5), round((y + 0.5) * factor - 0.5)
        colour = _BRIGHT_COLOUR if response > 0 else _DARK_COLOUR
        cv2.circle(canvas, centre, max(2, round(diameter * factor / 2)), colour, 1)
