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
from imrep.codes import Map, Points
from imrep.errors import BadParameter
from imrep.ops import differentiable
from imrep.ops.colour import luminance
from imrep.ops.filter.borders import mirror
from imrep.ops.filter.gaussian import along, gaussian
from imrep.ops.filter.peaks import window_maximum
from imrep.ops.resize import resize
from imrep.registry.cards import Card
from imrep.types import Image, Picture, Vectors

_METHODS = ("log", "dog")
_POLARITIES = ("both", "bright", "dark")
_REACH = 4  # standard deviations at which a Gaussian ends
_BRIGHT, _DARK = (0.94, 0.63, 0.24), (0.35, 0.65, 1.0)
_PAPER = 0.16
_SIDE = 256  # pictures of small images are enlarged to about this
_PIXELS = 1000  # responses are summed per so many


class Blob(Representation[Points]):
    """Places and sizes at which the image is most like a round spot.

    The image is blurred by Gaussians of growing standard deviation sigma; sigma² times the negative
    Laplacian of each (`log`), or nearly the same from the difference of two that follow each other
    (`dog`), is greatest in the middle of a bright disk of radius √2 sigma, and least in a dark one.
    A blob is where it is greater than at all 26 neighbours in space and scale and above
    `threshold`. Of two whose disks share more than `overlap` of the smaller's area the smaller
    goes. So blobs are scikit-image's (blob_log with log_scale, blob_dog), but for the borders,
    mirrored here without repeating the edge, and a Laplacian that gives zero for what is constant.

    A blob's values are its response, negative for dark ones, and its sigma; its extent is the
    disk's diameter. Gradients reach the image through the response, not through where it is found.

    The vector sums the roots of the responses per polarity, scale and cell, and takes roots.

    Args:
        method: log or dog.
        min_sigma: Least standard deviation in pixels.
        max_sigma: Greatest standard deviation, at most 100.
        scales: How many from the least to the greatest, each the same times the one before.
        threshold: Least response, for an image in [0, 1]; a disk as bright as 1 on 0 has 0.74.
        overlap: Share of the smaller disk's area from which it goes.
        polarity: bright, dark or both.
        max_points: How many blobs are looked at, the strongest.
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
    eager_only = "how many blobs there are depends on the image"

    def __init__(  # noqa: PLR0913  # the paper's range of scales, and what is kept of them
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
        """The standard deviations, from the least to the greatest."""
        return [self.min_sigma * self._ratio**i for i in range(self.scales)]

    def encode(self, image: Image) -> Points:
        """Blobs from the strongest to the faintest."""
        gray = luminance(checks.image(image, self.name))
        found = [self._found(one) for one in gray.split(1)]
        values, xy, present = (torch.cat(parts) for parts in zip(*found, strict=True))
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
        """How much of a blob each pixel is at each sigma, (batch, scales, height, width)."""
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
        """Roots of the summed roots of responses per polarity, scale and cell, per 1,000 pixels.

        (batch, polarities * scales * cells²), bright before dark.
        """
        height, width = code.size
        response, sigma = code.values.unbind(2)
        step = ((sigma / self.min_sigma).log() / math.log(self._ratio)).round().long()
        size = code.xy.new_tensor((width, height))
        column, row = (
            ((code.xy + 0.5) * (self.cells / size)).long().clamp(0, self.cells - 1).unbind(2)
        )
        place = (step.clamp(0, self.scales - 1) * self.cells + row) * self.cells + column
        slots = self.scales * self.cells**2
        if self.polarity == "both":
            place = place + slots * (response < 0)
            slots = 2 * slots
        strength = differentiable.sqrt(response.abs() * code.present)
        total = response.new_zeros(len(response), slots).scatter_add(1, place, strength)
        return differentiable.sqrt(total * (_PIXELS / (height * width)))

    def picture(self, code: Points, image: Image | None = None) -> Picture:
        """A circle round each, of its size: orange round bright ones, blue round dark ones."""
        height, width = code.size
        if image is None:
            image = code.xy.new_full((len(code), 1, height, width), _PAPER)
        factor = max(1, round(_SIDE / max(height, width)))
        under = resize(image.detach().float(), factor * height, factor * width).clamp(0, 1)
        drawn = under.expand(-1, 3, -1, -1).cpu().clone()
        for i, one in enumerate(drawn):
            canvas = np.ascontiguousarray(one.permute(1, 2, 0).numpy())
            found = code[i : i + 1].map(Tensor.detach)
            assert isinstance(found, Points)
            there = found.present
            rows = torch.cat([found.xy[there], found.extent[there][:, None]], dim=1)
            for (x, y, wide), sign in zip(rows.tolist(), found.values[there][:, 0], strict=True):
                middle = round((x + 0.5) * factor - 0.5), round((y + 0.5) * factor - 0.5)
                radius = max(2, round(wide * factor / 2))
                cv2.circle(canvas, middle, radius, _BRIGHT if sign > 0 else _DARK, 1)
            drawn[i] = torch.from_numpy(canvas).permute(2, 0, 1)
        return drawn.to(code.xy)

    @property
    def _ratio(self) -> float:
        return float((self.max_sigma / self.min_sigma) ** (1 / (self.scales - 1)))

    def _response(self, gray: Tensor) -> Tensor:
        if self.method == "log":
            return torch.cat([_laplacian(gray, sigma) for sigma in self.sigmas], dim=1)
        blurred = [_blurred(gray, s) for s in (*self.sigmas, self.max_sigma * self._ratio)]
        pairs = itertools.pairwise(blurred)
        return torch.cat([fine - coarse for fine, coarse in pairs], dim=1) / (self._ratio - 1)

    def _found(self, gray: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Values, places and presence, (1, n, …), of one image's blobs."""
        response = self._response(gray)
        signs = {"both": (1, -1), "bright": (1,), "dark": (-1,)}[self.polarity]
        height, width = gray.shape[2:]
        scored = []
        for sign in signs:
            x = sign * response.detach()
            peak = (x == window_maximum(x, 1, (-3, -2, -1))) & (x > self.threshold)
            scored.append(torch.where(peak, x, -1).flatten(1))
        score, place = torch.cat(scored, dim=1).topk(min(self.max_points, scored[0].shape[1]))
        dark = (place >= response.numel()) if self.polarity == "both" else score < 0
        place = place % response.numel()
        x, y = place % width, place // width % height
        xy = torch.stack([x, y], dim=2).to(gray)
        sigma = gray.new_tensor(self.sigmas)[place // (height * width)]
        values = torch.stack([response.flatten(1).gather(1, place), sigma], dim=2)
        there = int((score > 0).sum())  # they come first
        kept = self._kept(xy[0, :there], sigma[0, :there], dark[0, :there])
        present = torch.zeros_like(score, dtype=torch.bool)
        present[0, :there] = kept
        return values, xy, present

    def _kept(self, xy: Tensor, sigma: Tensor, dark: Tensor) -> Tensor:
        """Whether no larger blob that is kept covers too much of one, (n,)."""
        radius = math.sqrt(2) * sigma.double()
        shared = _shared(torch.cdist(xy.double(), xy.double()), radius[:, None], radius)
        order = torch.arange(len(xy), device=xy.device)
        larger = (radius > radius[:, None]) | (
            (radius == radius[:, None]) & (order < order[:, None])
        )
        covers = (dark == dark[:, None]) & larger & (shared > self.overlap)  # (which, by whom)
        kept = torch.ones_like(dark)
        while True:  # one round for each link of the longest chain
            after = ~(covers & kept).any(1)
            if torch.equal(after, kept):
                return kept
            kept = after


def _blurred(x: Tensor, sigma: float) -> Tensor:
    radius = round(_REACH * sigma)
    bell = gaussian(sigma, radius)
    return along(along(mirror(x, radius), bell, -2), bell, -1)


def _laplacian(x: Tensor, sigma: float) -> Tensor:
    """-sigma² times the Laplacian of the blurred image."""
    radius = round(_REACH * sigma)
    bell = gaussian(sigma, radius)
    bent = [w * (1 - ((i - radius) / sigma) ** 2) for i, w in enumerate(bell)]
    rest = math.fsum(bent)  # of cutting the tails off
    bent = [b - rest * w for b, w in zip(bent, bell, strict=True)]
    wide = mirror(x, radius)
    rows, columns = along(wide, bell, -2), along(wide, bent, -2)
    return along(rows, bent, -1) + along(columns, bell, -1)


def _shared(apart: Tensor, one: Tensor, other: Tensor) -> Tensor:
    """Area that two disks share, over the smaller's; by distance and radii."""
    near = apart.clamp_min(1e-12)

    def sector(r: Tensor, s: Tensor) -> Tensor:
        cosine = ((near**2 + r**2 - s**2) / (2 * near * r)).clamp(-1, 1)
        return r**2 * torch.acos(cosine)

    kite = (one + other - near) * (near + one - other) * (near - one + other)
    area = sector(one, other) + sector(other, one)
    area = area - (kite * (near + one + other)).clamp_min(0).sqrt() / 2
    return area / (math.pi * torch.minimum(one, other) ** 2)
