"""Keypoints: a code whose length differs from image to image."""

from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from imrep.codes.code import Code
from imrep.errors import BadParameter
from imrep.types import Vectors


@dataclass(frozen=True, repr=False)
class Points(Code):
    """Keypoints, padded to the longest list of the batch; pooled over those present."""

    xy: Float[Tensor, "batch point 2"]  # pixels, x to the right, y down, pixel centres at integers
    values: Float[Tensor, "batch point dim"]
    extent: Float[Tensor, "batch point"]  # diameter in pixels
    angle: Float[Tensor, "batch point"]  # degrees, clockwise on screen
    present: Bool[Tensor, "batch point"]
    size: tuple[int, int]
    labels: tuple[str, ...] = ()  # one per number of `values`, for eyes
    response: Float[Tensor, "batch point"] | None = None  # the detector's strength
    octave: Int[Tensor, "batch point"] | None = None  # halvings of the image; -1 where enlarged

    def pool(self, cells: int = 2) -> Vectors:
        weight = self.present.unsqueeze(2).to(self.values)
        return (self.values * weight).sum(1) / weight.sum(1).clamp_min(1)

    def columns(self) -> dict[str, Tensor]:
        """x, y, extent, angle, response, octave and each of `values`, (batch, point).

        `response` and `octave` where the detector has them; `values` by label, or by number.
        """
        names = self.labels or tuple(f"value{i}" for i in range(self.values.shape[2]))
        columns = {"x": self.xy[..., 0], "y": self.xy[..., 1], "extent": self.extent}
        columns["angle"] = self.angle
        detected = {"response": self.response, "octave": self.octave}
        columns |= {name: column for name, column in detected.items() if column is not None}
        return columns | dict(zip(names, self.values.unbind(2), strict=True))

    def filter(self, keep: Bool[Tensor, "batch point"]) -> "Points":
        """The points at which `keep` is true, in their order, with as little padding as possible.

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
        present = self.present & keep.bool()
        order = present.byte().argsort(dim=1, descending=True, stable=True)
        longest = int(present.sum(1).max()) if len(present) else 0
        return replace(self, present=present)._reordered(order[:, :longest])

    def sort(self, by: str | Float[Tensor, "batch point"], *, descending: bool = True) -> "Points":
        """The points sorted by one of `columns`, or by one number per point, the greatest first.

        Raises:
            BadParameter: If there is no such column (the message lists the columns), or if `by` is
                not one number per point.
        """
        key = self._column(by) if isinstance(by, str) else by
        self._check_per_point(key, "numbers to sort by")
        order = key.detach().argsort(dim=1, descending=descending, stable=True)
        present = self.present.gather(1, order).byte()
        padding_last = present.argsort(dim=1, descending=True, stable=True)
        return self._reordered(order.gather(1, padding_last))

    def first(self, count: int) -> "Points":
        """The first `count` points that are present; after `sort`, the best.

        Raises:
            BadParameter: If `count` is not a whole number of at least 0.
        """
        if not isinstance(count, int) or count < 0:
            raise BadParameter(f"points need a count of at least 0, got {count!r}.")
        return self.filter(self.present.cumsum(1) <= count)

    def _check_per_point(self, value: Any, role: str) -> None:
        shape = tuple(self.present.shape)
        if not isinstance(value, Tensor) or tuple(value.shape) != shape or value.is_complex():
            actual = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
            raise BadParameter(f"points need {role} of shape {shape}, got {actual}.")

    def _column(self, name: str) -> Tensor:
        columns = self.columns()
        if name not in columns:
            raise BadParameter(
                f"points need the name of a column, got {name!r}. Use one of {', '.join(columns)}."
            )
        return columns[name]

    def _reordered(self, order: Int[Tensor, "batch point"]) -> "Points":
        """Every field in another order, (b, m) indices of points."""
        batch = torch.arange(len(order), device=order.device)[:, None]
        points = self.map(lambda field: field[batch, order])
        assert isinstance(points, Points)
        return points
