"""Captions by attention and by one context vector, of longer and longer scenes.

    python docs/experiments/alignment.py

The decoders alone: a map has a vector for each object in its cell, and noise elsewhere; a caption
names the objects in a fixed order of colours.
"""

from functools import partial

import page
import torch
from page import Record, Results, Spec
from torch import Tensor

_COLOURS = {
    "red": (215, 40, 40), "green": (40, 170, 60), "blue": (45, 75, 220),
    "yellow": (235, 215, 50), "purple": (160, 50, 190), "white": (245, 245, 245),
}  # fmt: skip
_SHAPES = ("circle", "square", "triangle", "cross")
_WORDS = ("a", "and", *_COLOURS, *_SHAPES)  # whose tokens count from 4
_FIRST, _END = 4, 2
_DECODERS = {
    "transformer": ("transformer", {}),
    "attention": ("GRU with additive attention", {"cell": "gru"}),
    "last": ("GRU with one context vector", {"cell": "gru", "context": "last"}),
}
_INKS = (page.ACCENT, page.SECOND, page.OTHER)
_COUNTS = (1, 2, 3, 4, 5, 6)  # objects
_CELLS, _CHANNELS, _WIDTH, _BATCH = 4, 24, 64, 64  # cells of a side; numbers; images of a step
_NOISE, _RATE = 0.3, 3e-3
_TILE_PX = 40


def measure(quick: bool) -> Record:
    """Each decoder trained on the same scenes, and captions of others."""
    steps, tested = (20, 6) if quick else (1500, 200)
    jobs = [partial(_results, name, steps, tested) for name in _DECODERS]
    decoders = dict(zip(_DECODERS, page.in_parallel(jobs), strict=True))
    pictures = {name: each.pop("picture") for name, each in decoders.items()}
    results: Results = {
        "steps": steps,
        "batch": _BATCH,
        "cells": _CELLS,
        "noise": _NOISE,
        "tested": tested,
        "objects": list(_COUNTS),
        "words": [4 * count - 1 for count in _COUNTS],
        "decoders": decoders,
    }
    return Record(results, {k: v for k, v in pictures.items() if v is not None})


def claims(results: Results) -> dict[str, bool]:
    """What the page says in words."""
    exact = {name: each["exact"] for name, each in results["decoders"].items()}

    def lower(first: list[float], second: list[float]) -> bool:
        gap = page.Interval.of(page.difference(second, first))
        return gap.mean - gap.half > 0

    return {
        "one vector is worse at any length": all(map(lower, exact["last"], exact["attention"])),
        "one vector is worse the longer the caption": lower(exact["last"][-1], exact["last"][0]),
        "attention hardly minds": page.Interval.of(exact["attention"][-1]).mean > 90,
    }


def draw(results: Results) -> dict[str, Spec]:
    """Complete captions by their length."""
    decoders = results["decoders"].values()
    inks = dict(zip([each["title"] for each in decoders], _INKS, strict=True))
    rows = [
        row
        for each in decoders
        for row in page.curve(each["title"], results["words"], each["exact"])
    ]
    x = page.axis("x", "words of the caption", at=results["words"])
    return {"captions": page.curves(rows, inks, x, page.axis("y", "captions right, %"))}


def scenes(count: int, number: int, generator: torch.Generator) -> tuple[Tensor, ...]:
    """Cells, colours and shapes of `number` scenes of `count` objects, each (number, count)."""
    cells = torch.rand(number, _CELLS**2, generator=generator).argsort(1)[:, :count]
    colours = torch.rand(number, len(_COLOURS), generator=generator).argsort(1)[:, :count]
    shapes = torch.randint(len(_SHAPES), (number, count), generator=generator)
    return cells, colours.sort(1).values, shapes


def maps(scene: tuple[Tensor, ...], generator: torch.Generator) -> Tensor:
    """The map of each scene, (number, channels, cells, cells)."""
    cells, colours, shapes = scene
    codes = torch.randn(10, _CHANNELS, generator=torch.Generator().manual_seed(0))
    objects = codes[colours] + codes[len(_COLOURS) + shapes]
    noise = torch.randn(len(cells), _CELLS**2, _CHANNELS, generator=generator)
    index = cells[..., None].expand(-1, -1, _CHANNELS)
    return (_NOISE * noise).scatter_add(1, index, objects).mT.unflatten(2, (_CELLS, _CELLS))


def tokens(scene: tuple[Tensor, ...]) -> Tensor:
    """The caption of each scene: a red circle and a blue square …; (number, t)."""
    _, colours, shapes = scene
    number, count = colours.shape
    words = torch.ones(number, count, 4, dtype=torch.long)  # and
    words[..., 0] = 0  # a
    words[..., 1], words[..., 2] = 2 + colours, 2 + len(_COLOURS) + shapes
    caption = _FIRST + words.flatten(1)[:, :-1]
    ends = [torch.full((number, 1), token) for token in (1, _END)]
    return torch.cat([ends[0], caption, ends[1]], 1)


def _trained(name: str, steps: int):  # noqa: ANN202  # a textual head
    from imrep.represent.language.virtex import pretraining
    from imrep.represent.language.virtex.textual import Sizes, TextualHead

    torch.manual_seed(0)
    vocabulary, length = _FIRST + len(_WORDS), 4 * _COUNTS[-1] + 2
    sizes = (_CHANNELS, vocabulary, length, _WIDTH, 1, 4, 4 * _WIDTH, True, 0.0)
    head = TextualHead(Sizes(*sizes, bidirectional=False, **_DECODERS[name][1]))
    optimiser = torch.optim.AdamW(head.parameters(), lr=_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _RATE, steps)
    generator = torch.Generator().manual_seed(1)
    for step in range(steps):
        scene = scenes(_COUNTS[step % len(_COUNTS)], _BATCH, generator)
        caption = tokens(scene)
        lengths = torch.full((_BATCH,), caption.shape[1])
        loss = pretraining.captioning(
            head, maps(scene, generator), caption, lengths, bidirectional=False
        )
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(head.parameters(), 1.0)
        optimiser.step()
        schedule.step()
    return head.eval()


def _results(name: str, steps: int, tested: int) -> Results:
    """Percent of words and of captions that are right, for each number of objects."""
    from imrep.represent.language.virtex.decoding import beam_search

    torch.set_num_threads(1)
    head = _trained(name, steps)
    generator = torch.Generator().manual_seed(2)
    words, exact = [], []
    for count in _COUNTS:
        scene = scenes(count, tested, generator)
        with torch.no_grad():
            captions = beam_search(head, maps(scene, generator), beam=3, length=head.length)
        target = tokens(scene)[:, 1:]
        short = torch.full((tested, max(0, target.shape[1] - captions.tokens.shape[2])), _END)
        best = torch.cat([captions.tokens[:, 0], short], 1)[:, : target.shape[1]]
        right = (best == target)[:, :-1].double()
        words.append((100 * right.mean(1)).tolist())
        exact.append((100 * (best == target).all(1).double()).tolist())
    return {
        "title": _DECODERS[name][0],
        "parameters": sum(p.numel() for p in head.parameters()),
        "words": words,
        "exact": exact,
        "picture": None if name == "last" else _picture(head),
    }


def _picture(head) -> Tensor:  # noqa: ANN001  # a textual head
    """What the decoder is aligned with, word by word, in a scene of three objects."""
    from imrep.represent.language.virtex.pictures import draw_words

    generator = torch.Generator().manual_seed(5)
    scene = scenes(3, 1, generator)
    caption = tokens(scene)
    with torch.no_grad():
        alignment = head.alignment(maps(scene, generator), caption[:, :-1])[0]
    words = [
        (_WORDS[token - _FIRST], weights.unflatten(0, (_CELLS, _CELLS)))
        for token, weights in zip(caption[0, 1:-1].tolist(), alignment[:-1], strict=True)
    ]
    return draw_words([words], (_CELLS * _TILE_PX,) * 2, _painted(scene))


def _painted(scene: tuple[Tensor, ...]) -> Tensor:
    """A picture of a scene, for the eye."""
    import numpy as np
    from PIL import Image, ImageDraw

    canvas = Image.new("RGB", (_CELLS * _TILE_PX,) * 2, (90,) * 3)
    draw = ImageDraw.Draw(canvas)
    for cell, colour, shape in zip(*(each[0].tolist() for each in scene), strict=True):
        y, x = (_TILE_PX * i + _TILE_PX / 2 for i in divmod(cell, _CELLS))
        ink, r = [*_COLOURS.values()][colour], 0.36 * _TILE_PX
        if _SHAPES[shape] == "circle":
            draw.ellipse((x - r, y - r, x + r, y + r), ink)
        elif _SHAPES[shape] == "square":
            draw.rectangle((x - r, y - r, x + r, y + r), ink)
        elif _SHAPES[shape] == "triangle":
            draw.polygon([(x, y - r), (x - r, y + r), (x + r, y + r)], ink)
        else:
            draw.rectangle((x - r, y - r / 3, x + r, y + r / 3), ink)
            draw.rectangle((x - r / 3, y - r, x + r / 3, y + r), ink)
    return torch.from_numpy(np.asarray(canvas).copy()).permute(2, 0, 1)[None].float() / 255


if __name__ == "__main__":
    page.main(__file__, measure, draw, claims)
