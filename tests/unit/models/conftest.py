"""One comparison of every sort of part, and the classifiers that it can fit."""

import numpy as np
import PIL.Image
import pytest

import imrep

SPECS = ["gradient", "histogram", "sift:words=8", "gradient+histogram", "mine+gradient"]


def stripes(rng, angle, side=24):
    """Stripes at an angle, of random phase and period, with noise: no two alike."""
    y, x = np.mgrid[:side, :side]
    period, phase = rng.uniform(0.8, 1.2), rng.uniform(0, 6)
    wave = np.sin((x * np.cos(angle) + y * np.sin(angle)) * period + phase)
    pixels = 128 + 60 * wave[..., None] + rng.normal(0, 25, (side, side, 3))
    return pixels.clip(0, 255).astype(np.uint8)


def write_stripes(folder, count, seed):
    """Three classes of stripes, and six numbers of each image that tell a little of its class."""
    rng, vectors = np.random.default_rng(seed), {}
    for c, name in enumerate(("across", "down", "slanted")):
        (folder / name).mkdir(parents=True)
        for i in range(count):
            PIL.Image.fromarray(stripes(rng, c * np.pi / 3)).save(folder / name / f"{i:02}.png")
            vectors[f"{name}/{i:02}.png"] = rng.normal(size=6) + (np.arange(6) == c)
    return vectors


class Compared:
    """What the comparison gave, its images, and new ones."""

    def __init__(self, root):
        self.photos, self.new, self.out = root / "photos", root / "new", root / "report"
        self.vectors = write_stripes(self.photos, 24, 0)
        self.new_vectors = write_stripes(self.new, 8, 1)
        self.comparison = imrep.compare(
            self.photos, SPECS, self.out, size=24, vectors={"mine": self.vectors}
        )

    def own(self, name):
        """The vectors that a classifier needs."""
        return {"mine": self.new_vectors} if name in ("mine", "mine+gradient") else None


@pytest.fixture(scope="session")
def compared(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        root = tmp_path_factory.mktemp("classifiers")
        patch.setenv("IMREP_CACHE", str(root / "cache"))
        patch.setattr("imrep.embedding.peak_memory.peaks", lambda specs, threads: {})
        yield Compared(root)
