"""The strongest patches: what was planted is found, in order, with its box."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

import imrep
from imrep import datasets, images
from imrep.base import Representation
from imrep.codes import Map
from imrep.embedding.vector_file import Settings
from imrep.errors import BadData, BadParameter
from imrep.registry.cards import Card
from imrep.visualisation.patches import sheet, strongest_patches


class Redness(Representation[Map]):
    """The sum of red over 3 × 3 pixels, and of blue, at every second."""

    card = Card(title="Redness", family="test", cite="")

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 3, stride=2, padding=1, bias=False).requires_grad_(False)
        self.conv.weight.zero_()
        self.conv.weight[0, 0] = 1
        self.conv.weight[1, 2] = 1

    def encode(self, image):
        return Map(self.conv(image), tuple(image.shape[2:]))


@pytest.fixture
def folder(tmp_path):
    """Twelve black images with one red square of 3 × 3, ever brighter, ever further right."""
    for i in range(12):
        image = torch.zeros(1, 3, 32, 32)
        image[:, 0, 9:12, 2 * i + 1 : 2 * i + 4] = (i + 1) / 12
        images.write(tmp_path / f"{i:02}.png", image)
    (tmp_path / "broken.png").write_bytes(b"no image")
    return tmp_path


def best(folder, channel=0, **more):
    items = datasets.find(folder).items
    settings = Settings(size=32, threads=1, batch=5)
    return strongest_patches(Redness(), items, channel, settings, **more)


def test_the_strongest_come_first_with_their_receptive_fields(folder):
    found = best(folder)
    assert [patch.path for patch in found] == [f"{i:02}.png" for i in range(11, 2, -1)]
    assert found[0].activation == pytest.approx(9)
    assert found[1].activation == pytest.approx(9 * 11 / 12, abs=0.05)
    assert (found[0].row, found[0].column) == (5, 12)
    assert found[0].box == (9, 23, 12, 26)
    assert_close(found[0].pixels[:, 0], torch.ones(1, 3, 3))
    assert_close(found[0].projection[:, 0] > 0, torch.ones(1, 3, 3, dtype=torch.bool))
    assert not found[0].projection[:, 1:].any()


def test_progress_is_told_and_the_count_is_obeyed(folder):
    calls = []
    found = best(folder, count=2, progress=lambda *call: calls.append(call))
    assert len(found) == 2
    assert [done for _, done, _ in calls] == sorted(done for _, done, _ in calls)
    assert calls[-1][1:] == (12, 13)


def test_the_sheet_shows_nine_and_nine(folder):
    shown = sheet(best(folder))
    assert shown.shape[:2] == (1, 3) and shown.min() >= 0 and shown.max() <= 1
    assert shown.shape[3] == 2 * shown.shape[2] + 1
    assert torch.equal(imrep.picture(folder, Redness(), channel=0, size=32), shown)
    assert torch.equal(imrep.picture(str(folder), Redness(), channel=0, size=32), shown)


def test_fewer_images_make_a_smaller_sheet(folder):
    assert len(best(folder, 0, count=1)) == 1
    assert sheet(best(folder, count=1)).shape[3] < sheet(best(folder)).shape[3]


def test_what_cannot_be_done_is_refused(folder, tmp_path):
    with pytest.raises(BadParameter, match="channel from 0 to 1, got 2"):
        best(folder, 2)
    with pytest.raises(BadParameter, match="needs a channel for the patches of a folder, got none"):
        imrep.picture(folder, Redness())
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "a.png").write_bytes(b"no image")
    with pytest.raises(BadData):
        best(tmp_path / "none")
