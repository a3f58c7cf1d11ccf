"""The loop that fills shards: every image once, resumed where it stopped."""

import numpy as np
import PIL.Image
import pytest

from imrep import datasets
from imrep.embedding import shards
from imrep.embedding.checkpoints import WorkFolder
from imrep.embedding.shards import Settings, fill

KEY = {"spec": "means"}


@pytest.fixture
def items(tmp_path):
    """Eleven plain images whose gray level is their number, and broken files at 2 and 5."""
    folder = tmp_path / "data"
    folder.mkdir()
    for i in range(11):
        if i in (2, 5):
            (folder / f"{i:02}.png").write_bytes(b"no image")
        else:
            PIL.Image.new("RGB", (8, 8 + i % 2), (i, i, i)).save(folder / f"{i:02}.png")
    return datasets.find(str(folder)).items


def means(image):
    return (255 * image.mean((1, 2, 3), keepdim=False)).round()[:, None].numpy()


def run(tmp_path, items, function=means, *, size=8, batch=3, shard=4, progress=None):
    settings = Settings(size=size, batch=batch, shard=shard)
    with WorkFolder(tmp_path / "out.npz", KEY) as work:
        start = fill(work, items, function, settings, progress or (lambda done, total: None))
        stored = [work.load(number) for number in range(work.count())]
        return start, stored, shards.skipped(work, items)


@pytest.mark.parametrize("size", [8, None])
@pytest.mark.parametrize(("batch", "shard"), [(1, 1), (3, 4), (64, 100), (5, 2)])
def test_every_image_is_in_one_shard_in_its_row(tmp_path, items, size, batch, shard):
    start, stored, skipped = run(tmp_path, items, size=size, batch=batch, shard=shard)
    assert start == 0 and len(stored) == -(-11 // shard)
    rows = [row for part in stored for row in part.rows]
    assert rows == [0, 1, 3, 4, 6, 7, 8, 9, 10]
    values = [value for part in stored for value in part.vectors.reshape(-1)]
    assert values == rows
    assert [path for path, _ in skipped] == ["02.png", "05.png"] and all(why for _, why in skipped)


def test_a_run_that_was_interrupted_goes_on_at_the_first_missing_shard(tmp_path, items):
    encoded = []

    def interrupted(image):
        if image.max() * 255 > 8.5:
            raise KeyboardInterrupt
        return means(image)

    def noted(image):
        encoded.extend(means(image)[:, 0].tolist())
        return means(image)

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, items, interrupted)
    start, stored, skipped = run(tmp_path, items, noted)
    assert start == 8 and min(encoded) == 8
    assert [row for part in stored for row in part.rows] == [0, 1, 3, 4, 6, 7, 8, 9, 10]
    assert len(skipped) == 2


def test_progress_ascends_to_the_number_of_images(tmp_path, items):
    calls = []
    run(tmp_path, items, progress=lambda done, total: calls.append((done, total)))
    done = [n for n, _ in calls]
    assert done == sorted(done) and calls[-1] == (11, 11) and {t for _, t in calls} == {11}


def test_a_finished_run_encodes_nothing(tmp_path, items):
    _, first, _ = run(tmp_path, items)
    start, again, _ = run(tmp_path, items, lambda image: pytest.fail("encoded again"))
    assert start == 11
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a.vectors, b.vectors)


def test_a_shard_of_broken_files_is_stored_without_vectors(tmp_path, items):
    _, stored, skipped = run(tmp_path, [items[2], items[5], items[6]], shard=2)
    assert stored[0].rows == () and stored[0].vectors.shape == (0, 0)
    assert stored[1].rows == (2,) and len(skipped) == 2
