"""A world of coloured shapes, each scene with the one caption that describes it.

One object, or two side by side, on a noisy gray ground: six colours, four shapes, two sizes. Of two
objects the one that comes first in the order of colours is named first, so that an image determines
its caption, and the caption with left and right exchanged is that of the mirrored image. Four pairs
of colour and shape are held out: what a model says of them it must have put together.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

SIDE = 40  # pixels
COLOURS = {
    "red": (215, 40, 40), "green": (40, 170, 60), "blue": (45, 75, 220),
    "yellow": (235, 215, 50), "purple": (160, 50, 190), "white": (245, 245, 245),
}  # fmt: skip
SHAPES = ("circle", "square", "triangle", "cross")
SIZES = {"small": (3.6, 4.6), "large": (7.0, 8.6)}  # radius in pixels
HELD_OUT = (("red", "square"), ("green", "triangle"), ("blue", "cross"), ("yellow", "circle"))
PAIRS = tuple((colour, shape) for colour in COLOURS for shape in SHAPES)
SEEN = tuple(pair for pair in PAIRS if pair not in HELD_OUT)

_SCALE = 4  # at which shapes are painted, before they are reduced
_NOISE = 9.0  # standard deviation, of 255


@dataclass(frozen=True)
class Thing:
    """An object: colour, shape and size by name, and its middle in pixels."""

    colour: str
    shape: str
    size: str
    x: float
    y: float

    def __str__(self) -> str:
        return f"a {self.size} {self.colour} {self.shape}"


@dataclass(frozen=True)
class World:
    """Scenes.

    Args:
        images: (n, side, side, 3), uint8.
        captions: One each.
        pairs: Index in `PAIRS` of the object named first, (n,).
        held_out: Whether an object is of a pair that is held out, (n,).
    """

    images: NDArray[np.uint8]
    captions: tuple[str, ...]
    pairs: NDArray[np.int64]
    held_out: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.captions)

    def write(self, folder: Path) -> Path:
        """Images and captions.csv in a folder; the path of the csv."""
        (folder / "images").mkdir(parents=True, exist_ok=True)
        rows = [["path", "caption"]]
        for number, (image, caption) in enumerate(zip(self.images, self.captions, strict=True)):
            name = f"images/{number:05}.png"
            Image.fromarray(image).save(folder / name)
            rows.append([name, caption])
        path = folder / "captions.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)
        return path


def world(count: int, seed: int, pairs: str = "seen", objects: int | None = None) -> World:
    """Random scenes.

    Args:
        count: Number of scenes.
        seed: Equal seeds give equal scenes.
        pairs: "seen", "held-out" (each scene has one at least) or "all".
        objects: Objects of a scene: 1, 2, or None for either.
    """
    dice = np.random.default_rng(seed)
    allowed = SEEN if pairs == "seen" else PAIRS
    scenes = []
    while len(scenes) < count:
        number = objects or int(dice.integers(1, 3))
        chosen = [allowed[i] for i in dice.choice(len(allowed), number)]
        if len({colour for colour, _ in chosen}) < number:
            continue
        if pairs == "held-out" and not any(pair in HELD_OUT for pair in chosen):
            continue
        scenes.append(_scene(chosen, dice))
    return World(
        np.stack([_painted(scene, dice) for scene in scenes]),
        tuple(map(caption, scenes)),
        np.array([PAIRS.index((_first(scene).colour, _first(scene).shape)) for scene in scenes]),
        np.array([any((t.colour, t.shape) in HELD_OUT for t in scene) for scene in scenes]),
    )


def caption(scene: tuple[Thing, ...]) -> str:
    """The sentence that describes a scene."""
    first = _first(scene)
    if len(scene) == 1:
        return f"{first} on the {'left' if first.x < SIDE / 2 else 'right'}"
    other = next(thing for thing in scene if thing is not first)
    return f"{first} {'left' if first.x < other.x else 'right'} of {other}"


def _first(scene: tuple[Thing, ...]) -> Thing:
    return min(scene, key=lambda thing: [*COLOURS].index(thing.colour))


def _scene(pairs: list[tuple[str, str]], dice: np.random.Generator) -> tuple[Thing, ...]:
    """Objects in the left and the right half."""
    halves = dice.permutation(2)[: len(pairs)]
    things = []
    for (colour, shape), half in zip(pairs, halves, strict=True):
        size = [*SIZES][dice.integers(2)]
        x = SIDE * (0.26 + 0.48 * half) + dice.uniform(-1.2, 1.2)
        things.append(Thing(colour, shape, size, x, float(dice.uniform(0.27, 0.73)) * SIDE))
    return tuple(things)


def _painted(scene: tuple[Thing, ...], dice: np.random.Generator) -> NDArray[np.uint8]:
    ground = int(dice.integers(60, 140))
    canvas = Image.new("RGB", (SIDE * _SCALE,) * 2, (ground,) * 3)
    draw = ImageDraw.Draw(canvas)
    for thing in scene:
        radius = float(dice.uniform(*SIZES[thing.size]))
        colour = np.array(COLOURS[thing.colour]) + dice.integers(-15, 16, 3)
        _paint(draw, thing, radius * _SCALE, tuple(colour.clip(0, 255).tolist()))
    pixels = np.asarray(canvas.resize((SIDE, SIDE), Image.Resampling.BOX), np.float64)
    return (pixels + dice.normal(0, _NOISE, pixels.shape)).clip(0, 255).round().astype(np.uint8)


def _paint(draw: ImageDraw.ImageDraw, thing: Thing, radius: float, colour: tuple) -> None:
    x, y = thing.x * _SCALE, thing.y * _SCALE
    if thing.shape == "circle":
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), colour)
    elif thing.shape == "square":
        half = 0.87 * radius
        draw.rectangle((x - half, y - half, x + half, y + half), colour)
    elif thing.shape == "triangle":
        corners = [(x, y - radius), (x - radius, y + 0.8 * radius), (x + radius, y + 0.8 * radius)]
        draw.polygon(corners, colour)
    else:
        arm = 0.34 * radius
        draw.rectangle((x - radius, y - arm, x + radius, y + arm), colour)
        draw.rectangle((x - arm, y - radius, x + arm, y + radius), colour)
