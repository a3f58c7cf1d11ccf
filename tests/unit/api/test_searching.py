"""`imrep.search`: a folder by words or by an image."""

import numpy as np
import pytest
import tiny_bilingual
import torch
from PIL import Image
from tiny_bilingual import Tiny, write_photos

import imrep
from imrep import api
from imrep.errors import BadData, BadFile, BadParameter


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """Four squares of each of three colours."""
    monkeypatch.setenv("IMREP_CACHE", str(tmp_path / "cache"))
    return write_photos(tmp_path / "photos")


def test_words_rank_the_folder_exactly(photos):
    result = imrep.search(photos, "a blue thing", Tiny(), count=20)
    assert len(result) == result.images == 12
    assert all(hit.path.startswith("blue/") for hit in result.hits[:4])
    images = torch.cat([imrep.read(photos / hit.path) for hit in result.hits])
    exact = Tiny().embed(images) @ Tiny().embed_text(["a blue thing"])[0]
    assert np.allclose([hit.score for hit in result.hits], exact, atol=2e-3)  # 12 px are enlarged
    assert result.is_match and result.above == 4 == sum(hit.above for hit in result.hits)
    assert result.sentence.startswith("4 of 12 images score above what unrelated pictures do (")


def test_the_second_search_embeds_nothing(photos):
    tiny_bilingual.COUNTS.update(images=0, texts=0)
    assert imrep.search(photos, "red", Tiny()).computed == 12
    count = tiny_bilingual.COUNTS["images"]
    assert imrep.search(photos, "red", Tiny()).computed == 0
    assert {"images": count, "texts": 1} == tiny_bilingual.COUNTS


def test_nothing_that_shows_it_is_said(photos):
    for path in (photos / "blue").iterdir():
        path.unlink()
    result = imrep.search(photos, "a blue thing", Tiny())
    assert not result.is_match and not any(hit.above for hit in result.hits)
    assert result.sentence.startswith('Nothing here clearly shows "a blue thing": the best of 8')
    assert " of 100 unrelated pictures do" in result.sentence and result.hits[0].unrelated > 0.2


def test_an_image_is_a_query_and_is_not_its_own_answer(photos):
    path = photos / "red" / "r2.png"
    result = imrep.search(photos, path, Tiny(), count=3)
    assert [hit.path[:4] for hit in result.hits] == ["red/"] * 3 and result.images == 11
    assert "red/r2.png" not in {hit.path for hit in result.hits}
    assert any(note.endswith("r2.png is the query itself and left out.") for note in result.notes)
    picture = Image.open(path)
    for query in (str(path), imrep.read(path)[0], np.asarray(picture), picture):
        assert imrep.search(photos, query, Tiny(), count=3).hits[0].path.startswith("red/")
    assert imrep.search(photos, path, "pixels:side=2").hits[0].path.startswith("red/")


def test_equal_scores_go_by_path(photos):
    for path in photos.rglob("*.png"):
        Image.new("RGB", (8, 8), (200, 0, 0)).save(path)
    paths = [hit.path for hit in imrep.search(photos, "red", Tiny()).hits]
    assert paths == sorted(paths)


def test_a_sheet_shows_the_hits(photos, tmp_path):
    result = imrep.search(photos, "red 红", Tiny(), count=5)
    sheet = api.sheet(result)
    assert sheet.shape[:2] == (1, 3) and sheet.min() >= 0 and sheet.max() <= 1
    reds = ((sheet[0, 0] > 0.7) & (sheet[0, 1] < 0.4) & (sheet[0, 2] < 0.4)).float().mean()
    assert reds > 0.2  # four of five thumbnails
    (photos / result.hits[0].path).unlink()  # still drawn, without that thumbnail
    assert api.sheet(result).shape == sheet.shape


def test_what_cannot_be_searched_is_refused(photos, tmp_path):
    with pytest.raises(BadParameter, match="search needs a representation that embeds text"):
        imrep.search(photos, "a dog", "pixels")
    with pytest.raises(BadData, match="got an empty text"):
        imrep.search(photos, "  ", Tiny())
    with pytest.raises(BadData, match=r"got no file nosuch\.jpg"):
        imrep.search(photos, "nosuch.jpg", Tiny())
    (tmp_path / "broken.png").write_bytes(b"\x89PNG and no more")
    with pytest.raises(BadFile):
        imrep.search(photos, tmp_path / "broken.png", Tiny())
    with pytest.raises(BadData, match="search needs pictures as"):
        imrep.search(photos, 3, Tiny())
    with pytest.raises(BadParameter, match="count from 1"):
        imrep.search(photos, "red", Tiny(), count=0)
    only = photos / "red" / "r0.png"
    with pytest.raises(BadData, match="other images than the query"):
        imrep.search([only], only, Tiny())
