"""The arguments of `train`, as the settings of a run."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from imrep import checks, images
from imrep.base import Learned, Recipe
from imrep.errors import BadParameter
from imrep.io.names import as_path

if TYPE_CHECKING:
    from imrep.training.settings import Settings

_LENGTHS = ("steps", "epochs", "minutes")


@dataclass(frozen=True, kw_only=True)
class Request:
    """The arguments of `train`, which explains them; those of None are the recipe's."""

    out: str | Path = "trained"
    steps: int | None = None
    epochs: float | None = None
    minutes: float | None = None
    batch: int | None = None
    size: int | None = None
    crop: int | None = None
    augment: str | None = None
    recipe: str | None = None
    optimiser: str | None = None
    learning_rate: float | None = None
    momentum: float | None = None
    weight_decay: float | None = None
    schedule: str | None = None
    warmup: float | None = None
    clip: float | None = None
    held_out: float = 0.1
    choose: Mapping[str, Sequence[Any]] | None = None
    groups: str | Path | None = None
    seed: int = 0
    threads: int | None = None
    device: str = "cpu"
    precision: str = "32"
    accumulate: int = 1
    devices: int = 1
    nodes: int = 1
    deterministic: bool = False
    resume: bool = False
    download: bool = False
    max_pixels: int = images.MAX_PIXELS
    data_range: tuple[float, float] | None = None
    logger: Any = False

    def settings(self, rep: Learned) -> "Settings":
        """Settings with the representation's recipe where nothing else was requested.

        Raises:
            BadParameter: An argument is out of its range, two lengths are set, or no recipe of the
                representation has the name.
        """
        from imrep.training.settings import Settings

        lengths = [name for name in _LENGTHS if getattr(self, name) is not None]
        if len(lengths) > 1:
            raise BadParameter(f"train needs one length, got {' and '.join(lengths)}.")
        if self.choose and self.devices * self.nodes > 1:
            raise BadParameter(
                "train chooses settings on one process, got several. Choose first, without them."
            )
        named = {f.name: getattr(self, f.name, None) for f in fields(Recipe)}
        recipe = rep.recipe
        if self.recipe is not None:
            if not rep.recipes:
                raise BadParameter(f"{rep.name} has one recipe, got {self.recipe}. Leave it out.")
            checks.one_of(self.recipe, [*rep.recipes], rep.name, "recipe")
            recipe = rep.recipes[self.recipe]
        recipe = replace(recipe, **{name: v for name, v in named.items() if v is not None})
        names = {f.name for f in fields(Settings)} & {f.name for f in fields(Request)}
        shared = {name: getattr(self, name) for name in names - {"out", "recipe", "threads"}}
        return Settings(
            out=as_path(self.out, "train", "a folder", empty=False),
            recipe=recipe,
            threads=torch.get_num_threads() if self.threads is None else self.threads,
            reading=self.reading,
            **shared,
        )

    @property
    def reading(self) -> images.Reading:
        """How files are read."""
        return images.Reading(max_pixels=self.max_pixels, data_range=self.data_range)

    @property
    def trainings(self) -> int:
        """How often it trains: once, or once for each setting to choose from and once more."""
        return 1 + math.prod(map(len, self.choose.values())) if self.choose else 1
