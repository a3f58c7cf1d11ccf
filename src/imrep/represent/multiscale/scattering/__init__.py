"""Scattering: averages of wavelet moduli, and of the moduli's own wavelet moduli."""

import functools
import math
from collections.abc import Callable
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from imrep import checks, codecheck
from imrep.base import Representation
from imrep.codes import Map
from imrep.drawing import beside, light, signed, stack
from imrep.errors import BadCode, BadImage
from imrep.ops.colour import from_ycbcr, to_ycbcr
from imrep.ops.pooling import means
from imrep.registry.cards import Card
from imrep.represent.multiscale.scattering.inverse import distance, unscatter
from imrep.represent.multiscale.scattering.transform import Plan, paths, plan, scatter
from imrep.represent.multiscale.scattering.wavelets import angles, morlet
from imrep.types import Image, Picture, Vectors

_FLOOR = 1e-3  # of the logarithm; averages of an image in [0, 1] seldom say anything below
_PLANES = {"ycc": ("Y", "Cb", "Cr"), "rgb": ("R", "G", "B")}
_LEAST, _MOST = 16, 32  # pixels of a small map in the picture


class Scattering(Representation[Map]):
    """Averages over 2^J pixels of wavelet moduli |x ∗ ψ|, and of moduli of these moduli.

    A local average (order 0) ignores small shifts and loses all detail. Scattering brings the
    detail back: the modulus of a wavelet's response moves slowly, so its average (order 1) keeps
    how much of each scale and direction there is; a second layer of wavelets catches what that
    average lost in turn (order 2). Nothing is learned, and small deformations of the image move the
    code little. The numbers are those of the literature's software, filters and borders included.

    Each plane goes through alone: a gray image, or luma and chroma. The vector is log(mean + 1e-3)
    of orders 1 and 2 per cell, the plain mean of order 0, which chroma gives a sign.

    A coefficient stands at the top left corner of its 2^J pixels, so mirroring an image does not
    simply mirror its code. Orders 1 and 2 may dip a little below zero.

    Args:
        scales: J: wavelets of J octaves, averages over 2^J pixels, which images need at least.
        orientations: L, the wavelets' directions within half a turn.
        order: 1, or 2 for a second layer of wavelets.
        colour: "ycc" for luma and chroma of colour images, or "rgb".
        cells: Cells per side that the vector averages over.
        pre_pad: Whether images come padded already, with both sides multiples of 2^J: a border of
            2^J pixels is then context, and the image is taken as periodic.

    References:
        J. Bruna and S. Mallat, "Invariant scattering convolution networks", IEEE Trans. PAMI 35(8),
        2013. doi:10.1109/TPAMI.2012.230

    Example:
        >>> import torch, imrep
        >>> code = imrep.get("scattering", scales=2).encode(torch.rand(1, 1, 33, 47))
        >>> tuple(code.values.shape), code.labels[1]
        ((1, 81, 8, 11), 'gray: scale 0 at 68°')
    """

    card = Card(
        title="Scattering transform",
        family="multiscale",
        cite="Bruna & Mallat 2013, doi:10.1109/TPAMI.2012.230",
        inverse="approximate",
        native="kernels",
    )
    example: ClassVar[str] = "scattering:scales=2,orientations=2"

    def __init__(
        self,
        *,
        scales: int = 3,
        orientations: int = 8,
        order: int = 2,
        colour: str = "ycc",
        cells: int = 2,
        pre_pad: bool = False,
    ) -> None:
        checks.between(scales, 1, 12, self.name, "scales")
        checks.between(orientations, 1, 64, self.name, "orientations")
        checks.between(order, 1, 2, self.name, "order")
        checks.one_of(colour, tuple(_PLANES), self.name, "colour")
        checks.between(cells, 1, checks.MAX_CELLS, self.name, "cells")
        super().__init__()
        self.scales, self.orientations, self.order = scales, orientations, order
        self.colour, self.cells, self.pre_pad = colour, cells, pre_pad

    @property
    def meta(self) -> Tensor:
        """One row per path of a plane: order, j1, j2, theta1, theta2, n1, n2; -1 where absent."""
        return paths(self.scales, self.orientations, self.order)

    @property
    def dim(self) -> int:
        """Paths of three planes in every cell."""
        return 3 * len(self.meta) * self.cells**2

    def encode(self, image: Image) -> Map:
        """Coefficients (batch, plane * path, H / 2^J, W / 2^J), rounded down, plane by plane."""
        checks.image(image, self.name, linear=True)
        planes = to_ycbcr(image) if self._mixed(image.shape[1]) else image
        size = image.shape[2], image.shape[3]
        self._check_size(*size)
        values = scatter(planes, self._plan(size, planes)).flatten(1, 2)
        return Map(values, size, self._labels(planes.shape[1]))

    def pool(self, code: Map) -> Vectors:
        """Logarithms of orders 1 and 2 per cell; order 0 as it is."""
        values = means(code.values, self.cells)
        loud = values.unflatten(1, (-1, len(self.meta), self.cells**2))
        rest = (loud[:, :, 1:].clamp_min(0) + _FLOOR).log()
        return torch.cat([loud[:, :, :1], rest], 2).flatten(1)

    def invert(self, code: Map, iterations: int = 150, *, careful: bool = False) -> Image:
        """An image with nearly this code, in [0, 1], found from the code alone by L-BFGS.

        The start is order 0 enlarged. The problem is not convex: other images have nearly the same
        code, the more the more scales there are.

        Args:
            code: As `encode` gives it.
            iterations: Steps per image; 0 gives the start, fast and blurred.
            careful: Search twice, the second time from coarse to fine, and keep the image whose
                code is nearer: twice the time.
        """
        checks.whole(iterations, 0, checks.MAX_ITERATIONS, self.name, "iterations")
        made = self._plan(code.size, code.values)
        planes = [
            unscatter(one.detach(), made, iterations, careful)
            for one in code.values.unflatten(1, (-1, made.paths))
        ]
        image = torch.stack(planes)
        return (from_ycbcr(image) if self._mixed(image.shape[1]) else image).clamp(0, 1)

    def apart(self, image: Image, code: Map) -> Tensor:
        """Relative squared distance of images' codes to `code`, order balanced by order, (batch,).

        This is what `invert` lowers: where two images are candidates, the lesser one is mostly the
        better picture.
        """
        self._check_all(code)
        codecheck.same_images(code, image, self.name)
        made = self._plan(code.size, code.values)
        maps = self.encode(image.to(code.values.dtype)).values
        if maps.shape != code.values.shape:
            raise BadImage(
                f"{self.name} needs images with the code's planes, got {maps.shape[1]} maps for "
                f"{code.values.shape[1]}. Give gray images for the code of gray ones."
            )
        found = maps.unflatten(1, (-1, made.paths))
        wanted = code.values.unflatten(1, (-1, made.paths))
        pairs = zip(found, wanted, strict=True)
        return torch.stack([distance(*pair, made) for pair in pairs])

    def picture(self, code: Map, image: Image | None = None) -> Picture:
        """Order 0 in colour beside order 1, scale by angle; below, order 2, angle by angle.

        The wavelet stands at the head of its column and row. Lightness is the square root, of luma
        or of the planes' mean. Each square of order 2 is a pair of scales, the finer j1 downwards.
        """
        values = code.values.detach().unflatten(1, (-1, len(self.meta)))
        luma = values.mean(1) if self.colour == "rgb" else values[:, 0]
        tiles = _sized(luma.clamp_min(0).sqrt())
        count = self.orientations
        orders = tiles[:, 1:].split(
            [self.scales * count, len(self.meta) - 1 - self.scales * count], 1
        )

        waves = _wavelets(count, tiles)
        above, aside = (_grid(w, signed) for w in (waves.unsqueeze(1), waves.unsqueeze(2)))
        corner = torch.ones_like(above[..., : tiles.shape[3]])
        singles = stack([above, _grid(orders[0].unflatten(1, (-1, count)), light)])
        rows = [beside(self._average(values[:, :, 0], singles.shape[2]), singles)]
        rest = orders[1]
        for deeper in range(self.scales - 1, 0, -1) if self.order == 2 else ():
            pairs, rest = rest[:, : deeper * count**2], rest[:, deeper * count**2 :]
            squares = [
                _grid(pair, light) for pair in pairs.unflatten(1, (count, deeper, count)).unbind(2)
            ]
            headed = [stack([above, square]) for square in squares]
            rows.append(functools.reduce(beside, [stack([corner, aside]), *headed]))
        return stack(rows)

    def _mixed(self, channels: int) -> bool:
        return channels == 3 and self.colour == "ycc"

    def _average(self, averages: Tensor, height: int) -> Picture:
        """Order 0 (batch, plane, m, n) as a small image, enlarged to a height."""
        shown = from_ycbcr(averages) if self._mixed(averages.shape[1]) else averages
        times = max(1, height // shown.shape[2])
        shown = shown.clamp(0, 1).expand(-1, 3, -1, -1)
        return shown.repeat_interleave(times, 2).repeat_interleave(times, 3)

    def _plan(self, size: tuple[int, int], like: Tensor) -> Plan:
        return plan(
            size, self.scales, self.orientations, self.order, self.pre_pad, like.dtype, like.device
        )

    def _labels(self, planes: int) -> tuple[str, ...]:
        turn = [f"{math.degrees(angle):.0f}°" for angle in angles(self.orientations)]
        names = []
        for order, j1, j2, t1, t2, *_ in self.meta.tolist():
            first = f"scale {j1} at {turn[t1]}" if order else "average"
            names.append(first + (f", then {j2} at {turn[t2]}" if order == 2 else ""))
        each = _PLANES[self.colour] if planes == 3 else ("gray",)
        return tuple(f"{plane}: {name}" for plane in each for name in names)

    def _check_size(self, height: int, width: int) -> None:
        step, least = 2**self.scales, min(height, width)
        if self.pre_pad:
            if height % step or width % step or least < 3 * step:
                raise BadImage(
                    f"{self.name} needs padded images with sides of {3 * step}, {4 * step}, … "
                    f"pixels at scales={self.scales}, got {height}×{width}. Leave out pre_pad."
                )
        elif least < step:
            most = int(math.log2(least))
            smaller = f"Use scales={most} or enlarge them." if most else "Enlarge them first."
            raise BadImage(
                f"{self.name} needs images of at least {step}×{step} at scales={self.scales}, "
                f"got {height}×{width}. {smaller}"
            )

    def check_code(self, code: Map) -> None:
        """The coefficients of these scales, orientations and order for an image of this size.

        Raises:
            BadCode: If they are not.
        """
        self._check_size(*code.size)
        made = self._plan(code.size, code.values)
        count, *shape = code.values.shape[1:]
        if count not in (made.paths, 3 * made.paths):
            raise BadCode(
                f"{self.name} needs codes of {made.paths} or {3 * made.paths} maps at "
                f"scales={self.scales}, orientations={self.orientations}, order={self.order}, "
                f"got {count}. Invert with the parameters that encoded."
            )
        if tuple(shape) != made.shape:
            raise BadCode(
                f"{self.name} needs maps of {made.shape[0]}×{made.shape[1]} for images of "
                f"{code.size[0]}×{code.size[1]}, got {shape[0]}×{shape[1]}. "
                "Invert with the parameters that encoded."
            )
        if code.labels and code.labels != (known := self._labels(count // made.paths)):
            odd = next(i for i, label in enumerate(code.labels) if label != known[i])
            raise BadCode(
                f"{self.name} needs map {odd} to be {known[odd]!r}, got {code.labels[odd]!r}. "
                "Invert with the parameters that encoded."
            )


def _sized(maps: Tensor) -> Tensor:
    """Maps (batch, map, m, n) for the eye: neither specks nor posters."""
    rows, columns = maps.shape[2:]
    if max(rows, columns) > _MOST:
        shrink = _MOST / max(rows, columns)
        size = max(1, round(rows * shrink)), max(1, round(columns * shrink))
        return F.adaptive_avg_pool2d(maps, size)
    times = -(-_LEAST // min(rows, columns))
    return maps.repeat_interleave(times, 2).repeat_interleave(times, 3)


def _wavelets(count: int, like: Tensor) -> Tensor:
    """Real parts of the wavelets as they lie in the image, (batch, orientation, rows, columns)."""
    size = like.shape[2:]
    waves = torch.fft.ifft2(morlet(size, 1 if min(size) < _MOST else 2, count)).real
    centred = torch.fft.fftshift(waves, dim=(1, 2)).to(like)
    return centred.expand(len(like), -1, -1, -1)


def _grid(maps: Tensor, colour: Callable[[Tensor], Picture]) -> Picture:
    """Maps (batch, rows, columns, m, n) in one range of colours, thin light lines between them."""
    rows, columns = maps.shape[1:3]
    whole = maps.transpose(2, 3).flatten(3, 4).flatten(1, 2).unsqueeze(1)
    tiles = colour(whole).unflatten(3, (columns, -1)).unflatten(2, (rows, -1))
    lined = F.pad(tiles, (0, 1, 0, 0, 0, 1), value=1.0)
    return lined.flatten(4, 5).flatten(2, 3)[..., :-1, :-1]
