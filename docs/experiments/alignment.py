"""Captions by attention and by one context vector, of longer and longer scenes.

    python docs/experiments/alignment.py

Scenes are one to four objects in a row, of benchmarks/caption_world.py; a caption names them from
left to right.
"""

from functools import partial

import numpy as np
import page
import torch
from page import Record, Results, Spec
from torch import Tensor

_SPEC = (
    "virtex:weights=random,arch=resnet8,side=32,hidden=96,heads=4,norm_first=true,dropout=0.0,"
    "vocabulary=120"
)
_DECODERS = {
    "transformer": ("transformer", ""),
    "attention": ("GRU with additive attention", "decoder=recurrent"),
    "last": ("GRU with one context vector", "decoder=recurrent,context=last"),
}
_INKS = (page.ACCENT, page.SECOND, page.OTHER)
_COUNTS = (1, 2, 3, 4)  # objects
_HALF, _SIDE = 20, 40  # pixels of an object's part of the row, and of a scene
_GRAY = 100  # where there is no object


def measure(quick: bool) -> Record:
    """Each decoder trained on the same scenes, and captions of others."""
    steps, trained, tested = (8, 200, 8) if quick else (350, 4000, 150)
    jobs = [partial(_results, name, steps, trained, tested) for name in _DECODERS]
    decoders = dict(zip(_DECODERS, page.in_parallel(jobs), strict=True))
    pictures = {name: each.pop("picture") for name, each in decoders.items()}
    results: Results = {
        "steps": steps,
        "trained": trained,
        "tested": tested,
        "objects": list(_COUNTS),
        "words": [4 * count - 1 for count in _COUNTS],
        "decoders": decoders,
    }
    return Record(results, {k: v for k, v in pictures.items() if v is not None})


def claims(results: Results) -> dict[str, bool]:
    """What the page says in words."""
    words = {name: each["words"] for name, each in results["decoders"].items()}

    def gaps(first: str, second: str) -> list[page.Interval]:
        pairs = zip(words[first], words[second], strict=True)
        return [page.Interval.of(page.difference(*pair)) for pair in pairs]

    one = gaps("attention", "last")
    return {
        "attention is better in long captions": one[-1].mean - one[-1].half > 0,
        "the gap grows": one[-1].mean > one[0].mean,
    }


def draw(results: Results) -> dict[str, Spec]:
    """Words at their place by the length of the caption."""
    decoders = results["decoders"].values()
    inks = dict(zip([each["title"] for each in decoders], _INKS, strict=True))
    rows = [
        row
        for each in decoders
        for row in page.curve(each["title"], results["words"], each["words"])
    ]
    x = page.axis("x", "words of the caption", at=results["words"])
    return {"words": page.curves(rows, inks, x, page.axis("y", "words right, %"))}


def _results(name: str, steps: int, trained: int, tested: int) -> Results:
    """Percent of words and of captions that are right, for each number of objects."""
    import virtex_world

    torch.set_num_threads(1)
    title, changes = _DECODERS[name]
    parts = [_scenes(count, trained // len(_COUNTS), 100 + count) for count in _COUNTS]
    spec = f"{_SPEC},{changes}".rstrip(",")
    rep, _ = virtex_world.trained(spec, _joined(parts), steps)
    words, exact = [], []
    for count in _COUNTS:
        scenes = _scenes(count, tested, count)
        written = virtex_world.captions(rep, scenes)
        pairs = list(zip(written, scenes.captions, strict=True))
        words.append([_words_right(*pair) for pair in pairs])
        exact.append([100.0 * (text == target) for text, target in pairs])
    return {
        "title": title,
        "parameters": sum(p.numel() for p in rep.parameters()),
        "words": words,
        "exact": exact,
        "picture": None if name == "last" else _picture(rep),
    }


def _words_right(text: str, target: str) -> float:
    """Percent of the target's words that stand at their place."""
    words, targets = text.split(), target.split()
    return 100 * sum(a == b for a, b in zip(words, targets, strict=False)) / len(targets)


def _scenes(count: int, number: int, seed: int):  # noqa: ANN202  # of benchmarks
    """Rows of `count` large objects, and captions that name them from left to right."""
    from caption_world import World, world
    from PIL import Image

    pool = world(3 * count * number + 40, seed, "all", objects=1)
    large = [i for i, text in enumerate(pool.captions) if " large " in text][: count * number]
    halves, names = [], []
    for i in large:
        is_left = pool.captions[i].endswith("left")
        halves.append(pool.images[i][:, :_HALF] if is_left else pool.images[i][:, _HALF:])
        _, _, colour, shape, *_ = pool.captions[i].split()
        names.append(f"a {colour} {shape}")
    rows, captions = [], []
    for start in range(0, len(large), count):
        row = np.full((_SIDE, _HALF * _COUNTS[-1], 3), _GRAY, np.uint8)
        for j, half in enumerate(halves[start : start + count]):
            row[:, j * _HALF : (j + 1) * _HALF] = half
        rows.append(np.asarray(Image.fromarray(row).resize((_SIDE, _SIDE), Image.Resampling.BOX)))
        captions.append(" and ".join(names[start : start + count]))
    none = np.zeros(len(rows), np.int64)
    return World(np.stack(rows), tuple(captions), none, none.astype(bool))


def _joined(parts):  # noqa: ANN001, ANN202  # of benchmarks
    from caption_world import World

    return World(
        np.concatenate([part.images for part in parts]),
        tuple(text for part in parts for text in part.captions),
        np.concatenate([part.pairs for part in parts]),
        np.concatenate([part.held_out for part in parts]),
    )


def _picture(rep) -> Tensor:  # noqa: ANN001  # a representation
    """What the decoder is aligned with, word by word, in a scene of three objects."""
    from imrep import images

    rep.show = "words"
    scene = images.batch(_scenes(3, 1, 7).images)
    return rep.picture(rep.encode(scene), scene)


if __name__ == "__main__":
    page.main(__file__, measure, draw, claims)
