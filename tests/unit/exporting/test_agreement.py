"""The comparison of a graph with imrep's own numbers."""

import numpy as np
import pytest

from imrep import datasets, images
from imrep.errors import BadData, BadParameter
from imrep.exporting import agreement


def means(squares):
    return squares.mean((1, 2), dtype=np.float32) / 255


def test_photographs_are_real_and_differ():
    pixels = agreement.squares(None, 24, images.DEFAULT_READING)
    assert pixels.shape == (8, 24, 24, 3) and pixels.dtype == np.uint8
    assert len({each.tobytes() for each in pixels}) == 8 and (pixels.std((1, 2, 3)) > 2).all()


def test_own_images_are_taken_and_broken_ones_left_out(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no image")
    with pytest.raises(BadData, match="images to check on"):
        agreement.squares(datasets.find(tmp_path).items, 8, images.DEFAULT_READING)


def test_errors_are_measured():
    pixels = agreement.squares(None, 16, images.DEFAULT_READING)
    measured = agreement.measure(pixels, means, lambda x: means(x) + np.float32(1e-5), "mean")
    assert measured.absolute == pytest.approx(1e-5, rel=0.02) and measured.dim == 3
    assert measured.relative == pytest.approx(1e-5 / means(pixels).max(), rel=0.02)


@pytest.mark.parametrize(
    "actual",
    [
        lambda x: means(x) + 1e-2,
        lambda x: means(x) * np.nan,
        lambda x: means(x)[:, :2],
        lambda x: means(x) if len(x) > 1 else means(x) + 1,  # of one image alone
    ],
)
def test_disagreement_is_refused(actual):
    pixels = agreement.squares(None, 16, images.DEFAULT_READING)
    with pytest.raises(BadParameter, match="Nothing was written"):
        agreement.measure(pixels, means, actual, "mean")
