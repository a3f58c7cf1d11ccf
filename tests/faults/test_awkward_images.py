"""Every awkward file of the shared data: an image or a reason, soon, and nothing else."""

import csv
import time
import warnings

import pytest
import torch

from imrep import datasets, images
from imrep.errors import BadFile

_SECONDS = 20


@pytest.fixture
def awkward(shared_data):
    return shared_data / "robustness"


def outcome(attempt):
    """'ok' or the reason, with the CPU seconds it took."""
    start = time.thread_time()
    try:
        attempt()
        result = "ok"
    except BadFile as reason:
        result = str(reason)
    return result, time.thread_time() - start


def test_every_file_is_an_image_or_has_a_reason(awkward, capfd):
    with (awkward / "manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 500
    before, read = list(warnings.filters), {}
    for row in rows:
        path = awkward / row["path"]

        def whole(path=path):
            image = images.read(path)
            assert image.shape[:2] == (1, 3) and image.dtype == torch.float32
            low, high = torch.aminmax(image)
            assert low >= 0 and high <= 1

        def canvas(path=path):
            square, facts = images.square(path, 64)
            assert square.shape == (64, 64, 3) and facts.bytes == path.stat().st_size

        (first, seconds), (second, more) = outcome(whole), outcome(canvas)
        assert first == second and "\n" not in first, row["path"]
        assert seconds < _SECONDS and more < _SECONDS, row["path"]
        read[row["path"]] = first
    assert warnings.filters == before
    assert capfd.readouterr().err == ""
    # Loosely: versions of Pillow differ in a few, and we refuse what ends early.
    known = [row["path"] for row in rows if row["pil_status"] == "ok"]
    assert sum(read[path] == "ok" for path in known) > 0.95 * len(known)
    broken = [row["path"] for row in rows if row["pil_status"] != "ok"]
    assert sum(read[path] != "ok" for path in broken) > 0.95 * len(broken)


def test_the_folder_runs_through_the_loader(awkward):
    found = datasets.find(awkward)
    assert len(found.items) > 500 and not found.builtin
    results = list(images.load_squares(found.items, 32))
    assert [result[0] for result in results] == list(range(len(found.items)))
    squares = [result for result in results if not isinstance(result[1], BadFile)]
    assert 0.5 * len(results) < len(squares) < len(results)


def test_names_do_not_matter(awkward):
    """Files without a suffix or with a wrong one are known by their first bytes."""
    paths = {item.path for item in datasets.find(awkward).items}
    misnamed = [p.name for p in (awkward / "misnamed-ext").iterdir()]
    assert misnamed and all(f"misnamed-ext/{name}" in paths for name in misnamed)
    assert any(path.startswith("go-fuzz-png/") for path in paths)


@pytest.mark.slow
def test_every_picture_that_opens_is_saved_as_it_was(shared_data, tmp_path):
    saved, reasons = 0, {}
    for path in sorted(p for p in (shared_data / "robustness").rglob("*") if p.is_file()):
        try:
            before = images.original(path, max_pixels=4_000_000)
        except BadFile as error:
            reasons[path.name] = str(error)
            continue
        for suffix in (".png", ".tif", ".jpg"):
            lost = images.save(tmp_path / f"a{suffix}", before)
            after = images.original(tmp_path / f"a{suffix}")
            assert after.pixels.shape[2:] == before.pixels.shape[2:]
            converted = any("became sRGB" in words for words in lost)
            if converted and suffix != ".jpg":  # other numbers, the same colours
                shown = images.read(path), images.read(tmp_path / f"a{suffix}")
                assert (shown[0] - shown[1]).abs().max() < 3 / 255, path
            elif suffix != ".jpg":
                off = (after.pixels[:, : before.pixels.shape[1]] - before.pixels).abs()
                seen = 1 if before.alpha is None else before.alpha > 0
                assert (off * seen).max() <= 0.51 / (2 ** min(before.bits, 16) - 1), path
        saved += 1
    assert saved > 300 and len(reasons) > 100
    assert all(why.startswith(name) and "\n" not in why for name, why in reasons.items())
