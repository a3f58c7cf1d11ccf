"""Small images, and a run of the tiny denoiser on them."""

import numpy as np
import pytest
import torch
from tiny_denoiser import Tiny

from imrep.training import job
from imrep.training.settings import Settings


def silent(*_):
    """No progress."""


def textures(count, side=24):
    """Smooth noise in colours, no two alike."""
    import cv2

    noise = np.random.default_rng(0).normal(0, 1, (count, side, side, 3)).astype(np.float32)
    smooth = [cv2.GaussianBlur(each, (0, 0), 2) for each in noise]
    return np.stack([cv2.normalize(s, None, 20, 235, cv2.NORM_MINMAX) for s in smooth]) / 255


@pytest.fixture(scope="session")
def dataset():
    """Forty images in two classes."""
    from imrep.datasets import in_memory
    from imrep.images import Reading

    labels = ["a", "b"] * 20
    return in_memory.dataset(textures(40), labels, reading=Reading(), caller="train")


@pytest.fixture
def prepared(dataset, tmp_path):
    """Prepares a run of the tiny denoiser; `recipe` and settings by name."""

    def prepare(rep=None, folder="run", recipe=None, data=dataset, **settings):
        torch.manual_seed(0)
        rep = rep or Tiny()
        chosen = {"recipe": recipe or rep.recipe, **settings}
        return job.prepare(rep, data, Settings(out=tmp_path / folder, **chosen), silent)

    return prepare
