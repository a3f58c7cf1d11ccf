"""Pictures and neighbours of a report: saved, loaded, and the same."""

import numpy as np
import pytest

from imrep import assets as module
from imrep.assets import Assets, Pair, Remark
from imrep.errors import BadData


def smooth(count, side, seed=0):
    """Slow waves: pictures that a lossy format keeps closely."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side] / side
    angle = rng.uniform(0, 6, (count, 1, 1, 3))
    wave = np.sin(2 * (x + y)[None, :, :, None] + angle)
    return np.uint8(128 + 100 * wave)


def whole(count=30):
    rng = np.random.default_rng(1)
    return Assets(
        thumbnails=smooth(count, 48),
        paths=[f"a/{i}.png" for i in range(count)],
        labels=["a" if i % 2 else None for i in range(count)],
        objects=[f"thing {i // 4}" if i % 4 else None for i in range(count)],
        neighbours={"hog": rng.integers(0, count, (count, 5))},
        queries=[0, 3, 4],
        maps={"hog": rng.normal(size=(count, 2)).round(4)},
        variances={"hog": (0.31, 0.12)},
        copies=smooth(4, 64, 2),
        pairs=[
            Pair(paths=("x", "y"), labels=("a", "b"), reason="mirrored"),
            Pair(paths=("x", "z")),
        ],
        remarked=smooth(3, 64, 7),
        remarks={
            "suspects": [Remark("a/1.png", "a", "b", 0.02)],
            "hardest": [],
            "typical": [Remark("a/2.png", "b", "a", 0.98), Remark("a/3.png", "a", "b", 0.97)],
        },
        originals=smooth(7, 32, 3),
        rebuilt={"hog": smooth(7, 32, 4), "dct": smooth(7, 32, 5)},
        perturbed={"original": smooth(1, 64)[0], "shift": smooth(1, 64, 6)[0]},
        classes=["a", "b"],
        confusions={"hog": np.array([[3, 1], [0, 4]])},
        skipped=[("<broken>.jpg", "truncated")],
    )


@pytest.mark.parametrize("count", [7, 25, 30, 2_000])
def test_what_is_saved_is_loaded(tmp_path, count):
    saved = whole(count)
    saved.save(tmp_path)
    loaded = Assets.load(tmp_path)
    for name in (
        "paths",
        "labels",
        "objects",
        "queries",
        "variances",
        "pairs",
        "remarks",
        "classes",
        "skipped",
    ):
        assert getattr(loaded, name) == getattr(saved, name), name
    for name in ("neighbours", "maps", "rebuilt", "confusions"):
        ours, theirs = getattr(loaded, name), getattr(saved, name)
        assert list(ours) == list(theirs)
        assert all(np.array_equal(ours[key], theirs[key]) for key in theirs), name
    assert np.array_equal(loaded.originals, saved.originals)
    for name in ("thumbnails", "copies"):
        ours, theirs = np.int16(getattr(loaded, name)), np.int16(getattr(saved, name))
        assert ours.shape == theirs.shape
        assert abs(ours - theirs).mean() < 8, name  # WebP; a wrong tile gives 60
    assert list(loaded.perturbed) == ["original", "shift"]


def test_a_tile_of_the_sheet_is_where_the_page_looks_for_it():
    tiles = smooth(30, 8)
    drawn = module.sheet(tiles)
    assert drawn.shape == (16, 200, 3)
    assert np.array_equal(drawn[8:16, 8 * 4 : 8 * 5], tiles[29])
    assert not drawn[8:, 8 * 5 :].any()


def test_nothing_to_draw_is_no_fault(tmp_path):
    Assets().save(tmp_path)
    loaded = Assets.load(tmp_path)
    assert len(loaded.thumbnails) == len(loaded.originals) == 0
    assert sorted(p.name for p in (tmp_path / "assets").iterdir()) == ["assets.json"]


def test_a_folder_without_index_says_what_to_run(tmp_path):
    with pytest.raises(BadData, match="Run imrep compare"):
        Assets.load(tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"paths": ["one"]}, "paths and labels"),
        ({"objects": ["one"]}, "objects"),
        ({"neighbours": {"hog": np.zeros((2, 5), int)}}, "neighbours of hog"),
        ({"neighbours": {"hog": np.full((30, 5), 30)}}, "indices below 30"),
        ({"maps": {"hog": np.zeros((30, 3))}}, "map of hog"),
        ({"copies": smooth(3, 64)}, "copies"),
        ({"rebuilt": {"hog": smooth(6, 32)}}, "rebuilt of hog"),
        ({"confusions": {"hog": np.zeros((3, 3), int)}}, "confusions of hog"),
        ({"thumbnails": np.zeros((2001, 48, 48, 3), np.uint8)}, "at most 2,000"),
    ],
)
def test_shapes_that_do_not_fit_are_refused_by_name(change, said):
    kept = {name: getattr(whole(), name) for name in Assets.__dataclass_fields__}
    with pytest.raises(BadData, match=said):
        Assets(**{**kept, **change})


@pytest.mark.parametrize(
    ("labels", "conflict"), [(("a", "b"), True), (("a", "a"), False), ((None, "a"), False)]
)
def test_a_pair_conflicts_only_with_two_labels(labels, conflict):
    assert Pair(paths=("x", "y"), labels=labels).conflict is conflict


def test_frames_tell_objects_from_classes():
    pictures = Assets(
        thumbnails=smooth(5, 48), paths=list("abcde"), labels=["x", "x", "x", "y", None],
        objects=["thing", "thing", None, None, "thing"],
    )  # fmt: skip
    assert [pictures.frame(0, i) for i in range(1, 5)] == ["object", "same", "different", "object"]
    assert [pictures.frame(2, i) for i in (0, 3, 4)] == ["same", "different", ""]
    without = Assets(thumbnails=smooth(2, 48), paths=["a", "b"], labels=["x", "x"])
    assert without.frame(0, 1) == "same"


def test_a_sheet_of_noise_is_compressed_until_it_fits_the_page(tmp_path, monkeypatch):
    noise = np.random.default_rng(0).integers(0, 256, (50, 48, 48, 3), np.uint8)
    assets = Assets(thumbnails=noise, paths=[""] * 50, labels=[None] * 50)
    sizes = []
    for limit in (10**9, 50_000):
        monkeypatch.setattr(module, "_MAX_SHEET", limit)
        assets.save(tmp_path)
        sizes.append((tmp_path / "assets" / "thumbnails.webp").stat().st_size)
    assert sizes[1] <= 50_000 < sizes[0]
    assert Assets.load(tmp_path).thumbnails.shape == noise.shape
