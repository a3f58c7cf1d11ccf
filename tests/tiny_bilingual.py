"""A tiny representation of images and text, for tests: both are colours, so answers are certain."""

import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from PIL import Image

from imrep import checks
from imrep.base import Bilingual
from imrep.codes import Vector
from imrep.registry.cards import Card

COLOURS = {
    "red": (1, 0, 0), "green": (0, 1, 0), "blue": (0, 0, 1), "yellow": (1, 1, 0),
    "white": (1, 1, 1), "rot": (1, 0, 0), "红": (1, 0, 0),
}  # fmt: skip
COUNTS = {"images": 0, "texts": 0}


class Tiny(Bilingual[Vector]):
    """Mean colours of images, and the colours that a text names.

    Args:
        sharp: Factor of cosines before the softmax.

    References:
        A. Radford et al., "Learning transferable visual models", 2021.
        https://arxiv.org/abs/2103.00020
    """

    card = Card(
        title="Tiny colours",
        family="language",
        cite="Radford et al. 2021, https://arxiv.org/abs/2103.00020",
        text=True,
    )
    name = "tinycolours"

    def __init__(self, *, sharp: float = 20.0) -> None:
        super().__init__()
        self.sharp = sharp

    @property
    def similarity_scale(self):
        """The parameter."""
        return self.sharp

    def encode(self, image):
        """The mean colour less gray, and what is bright."""
        mean = checks.image(image, self.name).expand(-1, 3, -1, -1).mean((2, 3))
        COUNTS["images"] += len(image)
        return Vector(self._vector(mean))

    def embed_text(self, texts):
        """The mean of the colours that are named; gray for none."""
        COUNTS["texts"] += len(texts)
        rows = []
        for text in texts:
            named = [rgb for word, rgb in COLOURS.items() if word in text.lower()]
            rows.append(torch.tensor(named or [(0.5, 0.5, 0.5)]).float().mean(0))
        return self._vector(torch.stack(rows))

    def caption(self, image, **_):
        """The nearest colour's name in a sentence."""
        names = ["red", "green", "blue", "yellow", "white"]
        vectors = self.embed_text(names)
        best = (self.embed(image) @ vectors.T).argmax(1)
        return [[SimpleNamespace(text=f"a {names[i]} square", score=0.0)] for i in best]

    @staticmethod
    def _vector(rgb):
        chroma = rgb - rgb.mean(1, keepdim=True)
        vector = torch.cat([chroma, 0.3 * rgb.mean(1, keepdim=True) + 0.01], 1)
        return vector / vector.norm(dim=1, keepdim=True)


def write_photos(root, count=4, classes=("red", "green", "blue")):
    """Noisy squares in folders of their colours; returns the folder."""
    rng = np.random.default_rng(0)
    for name in classes:
        (root / name).mkdir(parents=True)
        for i in range(count):
            noise = rng.normal(0, 20, (12, 12, 3))
            pixels = (30 + 200 * np.array(COLOURS[name]) + noise).clip(0, 255)
            Image.fromarray(pixels.astype(np.uint8)).save(root / name / f"{name[0]}{i}.png")
    return root


def as_plugin(folder):
    """The environment in which it is a representation of somebody's package."""
    info = folder / "tinycolours-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tinycolours\n")
    entry = "[imrep.representations]\ntinycolours = tiny_bilingual:Tiny\n"
    (info / "entry_points.txt").write_text(entry)
    paths = [os.environ.get("PYTHONPATH", ""), str(folder), str(Path(__file__).parent)]
    return {"PYTHONPATH": os.pathsep.join(filter(None, paths)), "NO_COLOR": "1"}
