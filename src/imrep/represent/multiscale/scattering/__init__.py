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
from imrep.drawing import beside, diverging, sequential, stack
from imrep.errors import BadCode, BadImage
from imrep.ops.colour import from_ycbcr, to_ycbcr
from imrep.ops.pooling import means
from imrep.registry.cards import Card
from imrep.represent.multiscale.scattering.inverse import distance, unscatter
from imrep.represent.multiscale.scattering.transform import Plan, path_rows, paths, plan, scatter
from imrep.represent.multiscale.scattering.wavelets import angles, morlet
from imrep.types import Image, Picture, Vectors

_LOG_OFFSET = 1e-3  # averages of an image in [0, 1] carry little information below it
_PLANES = {"ycc": ("Y", "Cb", "Cr"), "rgb": ("R", "G", "B")}
_MIN_TILE_PX, _MAX_TILE_PX = 16, 32  # side of one map in the picture


class Scattering(Representation[Map]):
    """Averages over 2^J pixels of wavelet moduli |x ∗ ψ|, and of moduli of these moduli.

    A local average (order 0) is stable to small shifts and discards detail. The modulus of a
    wavelet's response varies slowly, so its average (order 1) holds the energy at each scale and
    orientation. A second layer of wavelets recovers what that average discards (order 2). Nothing
    is learned; the code is Lipschitz-continuous to small deformations.

    Each plane is transformed alone: a gray image, or luma and chroma. The vector is log(mean +
    1e-3) of orders 1 and 2 per cell, and the mean of order 0, which is signed for chroma.

    A coefficient stands at the top left corner of its 2^J pixels, so mirroring an image does not
    mirror its code exactly. Orders 1 and 2 may be slightly negative.

    Args:
        scales: J: wavelets of J octaves, averages over 2^J pixels; images must be at least that
            large.
        orientations: L, the wavelets' orientations within 180°.
        order: 1, or 2 for a second layer of wavelets.
        colour: "ycc" for luma and chroma of colour images, or "rgb".
        cells: Cells per side that the vector averages over.
        pre_pad: Whether images are padded already, with both sides multiples of 2^J: a border of
            2^J pixels is then context, and the image is treated as periodic.

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

    @property
    def periodic(self) -> str:  # type: ignore[override]  # a constant elsewhere
        """With `pre_pad` no border is added here."""
        return "pre_pad takes the image as periodic" if self.pre_pad else ""

    def encode(self, image: Image) -> Map:
        """Coefficients (batch, plane · path, ⌊H / 2^J⌋, ⌊W / 2^J⌋), plane by plane."""
        checks.image(image, self.name, linear=True)
        planes = to_ycbcr(image) if self._luma_chroma(image.shape[1]) else image
        size = image.shape[2], image.shape[3]
        self._check_size(*size)
        values = scatter(planes, self._plan(size, planes)).flatten(1, 2)
        return Map(values, size, self._labels(planes.shape[1]))

    def pool(self, code: Map) -> Vectors:
        """Logarithms of orders 1 and 2 per cell; order 0 as it is."""
        values = means(code.values, self.cells)
        paths = values.unflatten(1, (-1, len(self.meta), self.cells**2))
        logs = (paths[:, :, 1:].clamp_min(0) + _LOG_OFFSET).log()
        return torch.cat([paths[:, :, :1], logs], 2).flatten(1)

    def invert(self, code: Map, iterations: int = 150, *, careful: bool = False) -> Image:
        """An image in [0, 1] whose code approximates this one, by L-BFGS from the code alone.

        It starts from order 0, enlarged. The problem is not convex: several images have nearly the
        same code, more so with more scales.

        Args:
            code: As `encode` gives it.
            iterations: Per image; 0 gives the start, fast and blurred.
            careful: Search twice, the second time from coarse to fine, and return the image whose
                code is nearer: twice the time.
        """
        checks.integer(iterations, 0, checks.MAX_ITERATIONS, self.name, "iterations")
        filters = self._plan(code.size, code.values)
        planes = [
            unscatter(target.detach(), filters, iterations, careful)
            for target in code.values.unflatten(1, (-1, filters.paths))
        ]
        image = torch.stack(planes)
        return (from_ycbcr(image) if self._luma_chroma(image.shape[1]) else image).clamp(0, 1)

    def distance(self, image: Image, code: Map) -> Tensor:
        """Relative squared distance of images' codes to `code`, weighted by order, (batch,).

        It is the objective of `invert`.
        """
        self._check_all(code)
        codecheck.same_images(code, image, self.name)
        filters = self._plan(code.size, code.values)
        maps = self.encode(image.to(code.values.dtype)).values
        if maps.shape != code.values.shape:
            raise BadImage(
                f"{self.name} needs images with the code's planes, got {maps.shape[1]} maps for "
                f"{code.values.shape[1]}. Give gray images for the code of gray ones."
            )
        pairs = zip(
            maps.unflatten(1, (-1, filters.paths)),
            code.values.unflatten(1, (-1, filters.paths)),
            strict=True,
        )
        return torch.stack([distance(*pair, filters) for pair in pairs])

    def picture(self, code: Map, image: Image | None = None) -> Picture:
        """Order 0 in colour, beside order 1 as scale × angle; below, order 2 as angle × angle.

        Wavelets head their columns and rows. Lightness is the square root of luma or of the planes'
        mean. Each square of order 2 is a pair of scales; j1 grows coarser downwards.
        """
        values = code.values.detach().unflatten(1, (-1, len(self.meta)))
        luma = values.mean(1) if self.colour == "rgb" else values[:, 0]
        tiles = _sized(luma.clamp_min(0).sqrt())
        count = self.orientations
        orders = tiles[:, 1:].split(
            [self.scales * count, len(self.meta) - 1 - self.scales * count], 1
        )

        waves = _wavelets(count, tiles)
        above, aside = (_grid(w, diverging) for w in (waves.unsqueeze(1), waves.unsqueeze(2)))
        corner = torch.ones_like(above[..., : tiles.shape[3]])
        singles = stack([above, _grid(orders[0].unflatten(1, (-1, count)), sequential)])
        rows = [beside(self._average(values[:, :, 0], singles.shape[2]), singles)]
        remaining = orders[1]
        for deeper in range(self.scales - 1, 0, -1) if self.order == 2 else ():
            length = deeper * count**2
            pairs, remaining = remaining[:, :length], remaining[:, length:]
            squares = [
                _grid(pair, sequential)
                for pair in pairs.unflatten(1, (count, deeper, count)).unbind(2)
            ]
            headed = [stack([above, square]) for square in squares]
            rows.append(functools.reduce(beside, [stack([corner, aside]), *headed]))
        return stack(rows)

    def _luma_chroma(self, channels: int) -> bool:
        return channels == 3 and self.colour == "ycc"

    def _average(self, averages: Tensor, height: int) -> Picture:
        """Order 0 (batch, plane, m, n) as a small image, enlarged to a height."""
        image = from_ycbcr(averages) if self._luma_chroma(averages.shape[1]) else averages
        times = max(1, height // image.shape[2])
        image = image.clamp(0, 1).expand(-1, 3, -1, -1)
        return image.repeat_interleave(times, 2).repeat_interleave(times, 3)

    def _plan(self, size: tuple[int, int], like: Tensor) -> Plan:
        return plan(
            size, self.scales, self.orientations, self.order, self.pre_pad, like.dtype, like.device
        )

    def _labels(self, planes: int) -> tuple[str, ...]:
        degrees = [f"{math.degrees(angle):.0f}°" for angle in angles(self.orientations)]
        names = []
        rows = path_rows(self.scales, self.orientations, self.order)  # numbers also while tracing
        for order, j1, j2, t1, t2, *_ in rows:
            first = f"scale {j1} at {degrees[t1]}" if order else "average"
            names.append(first + (f", then {j2} at {degrees[t2]}" if order == 2 else ""))
        each = _PLANES[self.colour] if planes == 3 else ("gray",)
        return tuple(f"{plane}: {name}" for plane in each for name in names)

    def _check_size(self, height: int, width: int) -> None:
        step, shorter = 2**self.scales, min(height, width)
        if self.pre_pad:
            if height % step or width % step or shorter < 3 * step:
                raise BadImage(
                    f"{self.name} needs padded images with sides of {3 * step}, {4 * step}, … "
                    f"pixels at scales={self.scales}, got {height}×{width}. Leave out pre_pad."
                )
        elif shorter < step:
            largest = int(math.log2(shorter))
            smaller = f"Use scales={largest} or enlarge them." if largest else "Enlarge them first."
            raise BadImage(
                f"{self.name} needs images of at least {step}×{step} at scales={self.scales}, "
                f"got {height}×{width}. {smaller}"
            )

    def check_code(self, code: Map) -> None:
        """Refuse coefficients of other scales, orientations, order or image size.

        Raises:
            BadCode: Naming what is needed and what came.
        """
        self._check_size(*code.size)
        filters = self._plan(code.size, code.values)
        count, *shape = code.values.shape[1:]
        if count not in (filters.paths, 3 * filters.paths):
            raise BadCode(
                f"{self.name} needs codes of {filters.paths} or {3 * filters.paths} maps at "
                f"scales={self.scales}, orientations={self.orientations}, order={self.order}, "
                f"got {count}. Invert with the parameters that encoded."
            )
        if tuple(shape) != filters.shape:
            raise BadCode(
                f"{self.name} needs maps of {filters.shape[0]}×{filters.shape[1]} for images of "
                f"{code.size[0]}×{code.size[1]}, got {shape[0]}×{shape[1]}. "
                "Invert with the parameters that encoded."
            )
        expected = self._labels(count // filters.paths)
        if code.labels and code.labels != expected:
            i = next(i for i, label in enumerate(code.labels) if label != expected[i])
            raise BadCode(
                f"{self.name} needs map {i} to be {expected[i]!r}, got {code.labels[i]!r}. "
                "Invert with the parameters that encoded."
            )


def _sized(maps: Tensor) -> Tensor:
    """Maps (batch, map, m, n) resized to tiles of 16 to 32 pixels."""
    rows, columns = maps.shape[2:]
    if max(rows, columns) > _MAX_TILE_PX:
        shrink = _MAX_TILE_PX / max(rows, columns)
        size = max(1, round(rows * shrink)), max(1, round(columns * shrink))
        return F.adaptive_avg_pool2d(maps, size)
    times = -(-_MIN_TILE_PX // min(rows, columns))
    return maps.repeat_interleave(times, 2).repeat_interleave(times, 3)


def _wavelets(count: int, like: Tensor) -> Tensor:
    """Real parts of the wavelets in space, (batch, orientation, rows, columns)."""
    size = like.shape[2:]
    waves = torch.fft.ifft2(morlet(size, 1 if min(size) < _MAX_TILE_PX else 2, count)).real
    centred = torch.fft.fftshift(waves, dim=(1, 2)).to(like)
    return centred.expand(len(like), -1, -1, -1)


def _grid(maps: Tensor, colour: Callable[[Tensor], Picture]) -> Picture:
    """Maps (batch, rows, columns, m, n) as one image on a shared colour scale."""
    rows, columns = maps.shape[1:3]
    joined = maps.transpose(2, 3).flatten(3, 4).flatten(1, 2).unsqueeze(1)
    tiles = colour(joined).unflatten(3, (columns, -1)).unflatten(2, (rows, -1))
    lined = F.pad(tiles, (0, 1, 0, 0, 0, 1), value=1.0)
    return lined.flatten(4, 5).flatten(2, 3)[..., :-1, :-1]
