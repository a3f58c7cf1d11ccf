"""The few shapes a code can have.

A code is a frozen dataclass of tensors whose first axis is the batch. Consumers (store, probe,
report) know these kinds, never the representations that produce them. `size` is the height and
width of the image in pixels: without it a code could not be inverted.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from imrep.errors import BadParameter
from imrep.ops.pooling import means
from imrep.types import Vectors

_FLOOR = 1e-8  # power below this is rounding: log(power + floor) stays finite
_RINGS = 16


@dataclass(frozen=True)
class Code:
    """Base of all kinds. Fields are tensors, tuples of tensors or of codes, or plain metadata."""

    def tensors(self) -> dict[str, Tensor]:
        """Every tensor by name; members of a tuple become `name.0`, `name.1`."""
        found: dict[str, Tensor] = {}
        for one in fields(self):
            found |= _tensors(one.name, getattr(self, one.name))
        return found

    def map(self, f: Callable[[Tensor], Tensor]) -> "Code":
        """The same code with `f` applied to every tensor."""
        return replace(
            self, **{field.name: _apply(f, getattr(self, field.name)) for field in fields(self)}
        )

    def __len__(self) -> int:
        return len(next(iter(self.tensors().values())))

    def __getitem__(self, which: slice) -> "Code":
        return self.map(lambda t: t[which])

    def pool(self, cells: int = 2) -> Vectors:
        """One vector per image whatever the image's size. Each kind says how."""
        raise TypeError(f"{type(self).__name__} is a base of codes and has no pooling")


def _tensors(name: str, value: Any) -> dict[str, Tensor]:
    if isinstance(value, Tensor):
        return {name: value}
    if isinstance(value, Code):
        return {f"{name}.{key}": tensor for key, tensor in value.tensors().items()}
    if isinstance(value, tuple):
        parts = [_tensors(f"{name}.{i}", part) for i, part in enumerate(value)]
        return {key: tensor for part in parts for key, tensor in part.items()}
    return {}


def _apply(f: Callable[[Tensor], Tensor], value: Any) -> Any:
    if isinstance(value, Tensor):
        return f(value)
    if isinstance(value, Code):
        return value.map(f)
    if isinstance(value, tuple):
        return tuple(_apply(f, part) for part in value)
    return value


@dataclass(frozen=True)
class Vector(Code):
    """Already a vector; it knows its image's size where an inverse needs that."""

    values: Float[Tensor, "batch dim"]
    size: tuple[int, int] | None = None

    def pool(self, cells: int = 2) -> Vectors:
        return self.values


@dataclass(frozen=True)
class Map(Code):
    """Feature maps; pooled per channel on a grid of cells, absolute values where signed."""

    values: Float[Tensor, "batch channel height width"]
    size: tuple[int, int]
    labels: tuple[str, ...] = ()  # one per channel, for eyes
    signed: bool = False

    def pool(self, cells: int = 2) -> Vectors:
        return means(self.values.abs() if self.signed else self.values, cells)


@dataclass(frozen=True)
class Warp(Map):
    """Maps of a region of each image in coordinates of its own, and where the regions lie."""

    rois: Float[Tensor, "batch 4"] = field(kw_only=True)  # x1, y1, x2, y2 in the image's pixels
    angles: Float[Tensor, " batch"] = field(kw_only=True)  # radians, clockwise on screen


@dataclass(frozen=True)
class Pyramid(Code):
    """Bands from fine to coarse and the low-pass rest; pooled band by band."""

    bands: tuple[Float[Tensor, "batch channel _ _"], ...]  # height / 2^i, width / 2^i; signed
    rest: Float[Tensor, "batch channel height width"]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the image."""
        height, width = (self.bands[0] if self.bands else self.rest).shape[2:]
        return height, width

    def pool(self, cells: int = 2) -> Vectors:
        bands = [means(band.abs(), cells) for band in self.bands]
        return torch.cat([*bands, means(self.rest, cells)], dim=1)


@dataclass(frozen=True)
class Tokens(Code):
    """A transformer's output; pooled to its summary."""

    summary: Float[Tensor, "batch dim"]
    patches: Float[Tensor, "batch patch width"]  # row by row
    grid: tuple[int, int]  # rows and columns of patches

    def pool(self, cells: int = 2) -> Vectors:
        return self.summary


@dataclass(frozen=True)
class Points(Code):
    """Keypoints, padded to the most any image of the batch has; pooled over those present."""

    xy: Float[Tensor, "batch point 2"]  # pixels, x to the right, y down, pixel centres at integers
    values: Float[Tensor, "batch point dim"]
    extent: Float[Tensor, "batch point"]  # diameter in pixels
    angle: Float[Tensor, "batch point"]  # degrees, clockwise on screen
    present: Bool[Tensor, "batch point"]
    size: tuple[int, int]
    labels: tuple[str, ...] = ()  # one per number of `values`, for eyes
    response: Float[Tensor, "batch point"] | None = None  # how sure the detector is
    octave: Int[Tensor, "batch point"] | None = None  # halvings of the image; -1 where enlarged

    def pool(self, cells: int = 2) -> Vectors:
        weight = self.present.unsqueeze(2).to(self.values)
        return (self.values * weight).sum(1) / weight.sum(1).clamp_min(1)

    def columns(self) -> dict[str, Tensor]:
        """x, y, extent, angle, what the detector says, and each of `values`; (batch, point).

        `response` and `octave` where the detector gives them; `values` by label, or by number.
        """
        names = self.labels or tuple(f"value{i}" for i in range(self.values.shape[2]))
        own = {"x": self.xy[..., 0], "y": self.xy[..., 1], "extent": self.extent}
        own["angle"] = self.angle
        detected = {"response": self.response, "octave": self.octave}
        own |= {name: column for name, column in detected.items() if column is not None}
        return own | dict(zip(names, self.values.unbind(2), strict=True))

    def filter(self, keep: Bool[Tensor, "batch point"]) -> "Points":
        """Those of the points that `keep` says, in the order they had, and as little padding.

        Example:
            >>> import torch
            >>> xy, ones = torch.tensor([[[3.0, 5.0], [8.0, 1.0]]]), torch.ones(1, 2)
            >>> code = Points(xy, ones[..., None], ones, ones, ones.bool(), (9, 9))
            >>> code.filter(code.columns()["x"] > 4).xy
            tensor([[[8., 1.]]])

        Raises:
            BadParameter: If `keep` is not one truth value per point.
        """
        self._check_per_point(keep, "truth values to filter by")
        kept = self.present & keep.bool()
        order = kept.byte().argsort(dim=1, descending=True, stable=True)
        most = int(kept.sum(1).max()) if len(kept) else 0
        return replace(self, present=kept)._taken(order[:, :most])

    def sort(self, by: str | Float[Tensor, "batch point"], *, descending: bool = True) -> "Points":
        """The points by one of `columns`, or by one number per point, the greatest first.

        Raises:
            BadParameter: If there is no such column, the message lists those there are; or if `by`
                is not one number per point.
        """
        key = self._named(by) if isinstance(by, str) else by
        self._check_per_point(key, "numbers to sort by")
        order = key.detach().argsort(dim=1, descending=descending, stable=True)
        there = self.present.gather(1, order).byte().argsort(dim=1, descending=True, stable=True)
        return self._taken(order.gather(1, there))

    def first(self, count: int) -> "Points":
        """The first `count` points that are present; after `sort`, the best.

        Raises:
            BadParameter: If it is no whole number of at least 0.
        """
        if not isinstance(count, int) or count < 0:
            raise BadParameter(f"points need a count of at least 0, got {count!r}.")
        return self.filter(self.present.cumsum(1) <= count)

    def _check_per_point(self, given: Any, what: str) -> None:
        shape = tuple(self.present.shape)
        if not isinstance(given, Tensor) or tuple(given.shape) != shape or given.is_complex():
            came = tuple(given.shape) if isinstance(given, Tensor) else type(given).__name__
            raise BadParameter(f"points need {what} of shape {shape}, got {came}.")

    def _named(self, name: str) -> Tensor:
        columns = self.columns()
        if name not in columns:
            raise BadParameter(
                f"points need a column to go by, got {name!r}. Use one of {', '.join(columns)}."
            )
        return columns[name]

    def _taken(self, order: Int[Tensor, "batch point"]) -> "Points":
        """Every field in another order, (b, m) indices of points."""

        def taken(field: Tensor) -> Tensor:
            return field[torch.arange(len(order), device=order.device)[:, None], order]

        moved = self.map(taken)
        assert isinstance(moved, Points)
        return moved


@dataclass(frozen=True)
class Grid(Code):
    """A bilateral grid and the guide that slices it; pooled to averages per channel and depth."""

    values: Float[Tensor, "batch channel depth height width"]
    guide: Float[Tensor, "batch 1 rows columns"]

    def pool(self, cells: int = 2) -> Vectors:
        return self.values.mean((3, 4)).flatten(1)


@dataclass(frozen=True)
class Spectrum(Code):
    """Frequencies of the whole image (complex), or of blocks, one tensor per plane.

    `values` is complex (b, c, H, W), zero frequency first, or a tuple of (b, u, v, hᵢ, wᵢ) whose u
    and v are the vertical and horizontal frequency within a block and hᵢ × wᵢ the blocks.
    `sampling` holds the vertical and horizontal sampling factor of each plane where they differ, as
    in a JPEG: a plane with half the greatest factor has half the rows, or columns.
    """

    values: Tensor | tuple[Tensor, ...]
    size: tuple[int, int]
    sampling: tuple[tuple[int, int], ...] = ()

    def pool(self, cells: int = 2) -> Vectors:
        if isinstance(self.values, tuple):
            blocks = [plane.flatten(1, 2) for plane in self.values]
            return torch.cat([(means(b.square(), cells) + _FLOOR).log() for b in blocks], dim=1)
        return (_rings(self.values.abs().square()) + _FLOOR).log()


def _rings(power: Tensor) -> Tensor:
    """Mean power in rings of equal width up to the corner frequency, (b, c * rings)."""
    height, width = power.shape[2:]
    radius = torch.hypot(
        torch.fft.fftfreq(height, device=power.device)[:, None],
        torch.fft.fftfreq(width, device=power.device)[None, :],
    )
    ring = (radius * (_RINGS / math.sqrt(0.5))).long().clamp_max(_RINGS - 1).flatten()
    count = torch.bincount(ring, minlength=_RINGS).clamp_min(1).to(power)
    total = power.new_zeros(*power.shape[:2], _RINGS).index_add(2, ring, power.flatten(2))
    return (total / count).flatten(1)


@dataclass(frozen=True)
class Regions(Code):
    """A partition of the image; pooled to the number of regions, their areas, their borders."""

    labels: Int[Tensor, "batch height width"]  # 0 … count - 1
    count: Int[Tensor, " batch"]
    values: Float[Tensor, "batch region channel"] | None = None  # mean colours, zero past `count`

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the image."""
        height, width = self.labels.shape[1:]
        return height, width

    def pool(self, cells: int = 2) -> Vectors:
        return torch.stack(
            [_areas(one, int(n)) for one, n in zip(self.labels, self.count, strict=True)]
        )


def _areas(labels: Tensor, count: int, largest: int = 16) -> Tensor:
    """The shares of the 16 largest regions, the number of regions, the share of pixel pairs cut."""
    areas = torch.bincount(labels.flatten().long(), minlength=max(count, largest))
    shares = (areas / labels.numel()).sort(descending=True).values[:largest]
    across = (labels[:, 1:] != labels[:, :-1]).float().sum()
    down = (labels[1:] != labels[:-1]).float().sum()
    return torch.cat([shares, shares.new_tensor([count, (across + down) / (2 * labels.numel())])])


@dataclass(frozen=True)
class Fields(Code):
    """Composite fields; pooled to the greatest and the mean confidence of each."""

    confidence: Float[Tensor, "batch field height width"]
    vectors: Float[Tensor, "batch field end 2 height width"]
    spread: Float[Tensor, "batch field end height width"]
    extent: Float[Tensor, "batch field end height width"]
    stride: int
    size: tuple[int, int]

    def pool(self, cells: int = 2) -> Vectors:
        return torch.cat([self.confidence.amax((2, 3)), self.confidence.mean((2, 3))], dim=1)


@dataclass(frozen=True)
class Views(Code):
    """Several codes of the same images; pooled side by side, each vector of length one."""

    codes: tuple[Code, ...]

    def pool(self, cells: int = 2) -> Vectors:
        return side_by_side([code.pool(cells) for code in self.codes])


def side_by_side(vectors: list[Float[Tensor, "batch _"]]) -> Vectors:
    """Vectors (b, dᵢ) each divided by its length, joined to (b, Σ dᵢ); a zero vector stays zero."""
    return torch.cat([torch.nn.functional.normalize(v, dim=1) for v in vectors], dim=1)
