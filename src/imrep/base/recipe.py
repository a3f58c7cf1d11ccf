"""How a learned representation is trained where the command does not say otherwise."""

from dataclasses import dataclass

from imrep import checks
from imrep.errors import BadParameter

OPTIMISERS = ("sgd", "adam", "adamw")
SCHEDULES = ("cosine", "step", "constant", "plateau")
AUGMENTATIONS = ("resized_crop", "crop", "flip", "vertical_flip", "rotate", "jitter")
_CALLER = "train"
_MAX = 10**9
_MIN_SIDE = 8  # pixels


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The numbers of a training run; one that is out of its range is refused.

    Args:
        optimiser: "sgd" (with Nesterov's momentum), "adam" or "adamw".
        learning_rate: The largest of the run.
        momentum: Of "sgd", in [0, 1).
        weight_decay: Of the optimiser; "sgd" and "adam" add it to the gradient.
        schedule: "cosine" falls to 0, "step" divides by ten after 1/2 and 3/4 of the steps behind
            the warm-up, "constant" stays, "plateau" halves each time that 20 epochs do not lower
            the held-out loss, and goes on from the best weights.
        warmup: Share of the steps in which the learning rate rises linearly to its largest.
        clip: Largest norm of the gradient; 0 for no limit.
        batch: Images of a step, over all processes and accumulated parts.
        steps: Steps of the optimiser.
        size: Side in pixels of the squares that files are read at; 0 for their own size. A
            representation with a size of its own is trained at that.
        crop: Side in pixels of the part of a square that a step sees; 0 for all of it.
        augment: Random changes, joined by a plus: "resized_crop" (of 35 to 100 % of the area,
            enlarged to `crop` or `size`), "crop" (anywhere in the square), "flip",
            "vertical_flip", "rotate" (by quarter turns), "jitter" (of colours); "" for none.
        rates: Factors of the learning rate for parts of the network, by the start of their
            weights' names, joined by a plus: "textual=0.005"; "" for none.
        lookahead: Steps of "sgd" after which slow weights follow; 0 for none.

    Raises:
        BadParameter: Naming the value.
    """

    optimiser: str = "adamw"
    learning_rate: float = 1e-3
    momentum: float = 0.9
    weight_decay: float = 1e-4
    schedule: str = "cosine"
    warmup: float = 0.05
    clip: float = 0.0
    batch: int = 64
    steps: int = 2000
    size: int = 64
    crop: int = 0
    augment: str = "resized_crop+flip+jitter"
    rates: str = ""
    lookahead: int = 0

    def __post_init__(self) -> None:
        checks.one_of(self.optimiser, OPTIMISERS, _CALLER, "optimiser")
        checks.one_of(self.schedule, SCHEDULES, _CALLER, "schedule")
        checks.between(self.learning_rate, 0, 1000, _CALLER, "learning_rate")
        checks.between(self.momentum, 0, 0.9999, _CALLER, "momentum")
        checks.between(self.weight_decay, 0, 1000, _CALLER, "weight_decay")
        checks.between(self.warmup, 0, 1, _CALLER, "warmup")
        checks.between(self.clip, 0, _MAX, _CALLER, "clip")
        checks.integer(self.batch, 1, 2**20, _CALLER, "batch")
        checks.integer(self.steps, 1, _MAX, _CALLER, "steps")
        checks.integer(self.size, 0, checks.MAX_SIDE, _CALLER, "size")
        checks.integer(self.crop, 0, self.size or checks.MAX_SIDE, _CALLER, "crop")
        checks.integer(self.lookahead, 0, _MAX, _CALLER, "lookahead")
        for name, factor in self._factors.items():
            checks.between(factor, 0, _MAX, _CALLER, f"the rate of {name}")
        for name in self.augmentations:
            checks.one_of(name, AUGMENTATIONS, _CALLER, "augment")
        if not self.side:
            raise BadParameter(
                "train needs batches of one size, got images at their own. Set crop=64, or a size."
            )
        checks.at_least(self.side, _MIN_SIDE, _CALLER, "the side of its images")

    @property
    def augmentations(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(name.strip() for name in self.augment.split("+") if name.strip())

    @property
    def side(self) -> int:
        """Side in pixels of the images of a step."""
        return self.crop or self.size

    def factor(self, name: str) -> float:
        """Of the learning rate, for the weight of this name."""
        starts = (start for start in self._factors if name.startswith(start))
        return next((self._factors[start] for start in starts), 1.0)

    @property
    def _factors(self) -> dict[str, float]:
        pairs = [each.partition("=") for each in self.rates.split("+") if each.strip()]
        try:
            return {name.strip(): float(value) for name, _, value in pairs}
        except ValueError as error:
            raise BadParameter(
                f"train needs rates as NAME=NUMBER, joined by a plus, got {self.rates!r}."
            ) from error
