"""`imrep.matching`: matches, drawing and ranking; views that are known, and what chance gives."""

import csv
import re
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

import imrep
from imrep import datasets, images
from imrep.codes import Points
from imrep.errors import BadCode, BadData, BadImage, BadParameter
from imrep.matching import match as task
from imrep.matching import ranking
from imrep.matching.drawing import draw
from imrep.matching.homography import chance
from imrep.matching.match import SPEC, Match, keypoints, match
from imrep.ops.resize import resize, shrunk

SIZE = (400, 500)


@pytest.fixture(scope="module")
def photo():
    """A photograph, (1, 3, 256, 256)."""
    pixels = torch.from_numpy(data.astronaut()).permute(2, 0, 1)[None] / 255
    return resize(pixels, 256, 256).clamp(0, 1)


@pytest.fixture(scope="module")
def other():
    """Another."""
    pixels = torch.from_numpy(data.coffee()).permute(2, 0, 1)[None] / 255
    return resize(pixels, 200, 300).clamp(0, 1)


def seen(image, view, size=SIZE):
    """An image through a homography, in front of grey."""
    pixels = np.ascontiguousarray(image[0].permute(1, 2, 0).numpy())
    warped = cv2.warpPerspective(pixels, view, size[::-1], borderValue=(0.5, 0.5, 0.5))
    return torch.from_numpy(warped).permute(2, 0, 1)[None].clamp(0, 1)


def made(xy, values, size=SIZE):
    """Points at places (n, 2), float32 as a detector gives them."""
    xy = torch.as_tensor(xy, dtype=torch.float32)
    flat = torch.ones(1, len(xy))
    return Points(xy[None], torch.as_tensor(values)[None].float(), flat, flat, flat.bool(), size)


def random_pairs(count, seed, size=SIZE):
    """As many certain pairs, each anywhere in both pictures."""
    dice = np.random.default_rng(seed)
    places = [dice.uniform((0, 0), size[::-1], (count, 2)) for _ in range(2)]
    return [made(xy, np.eye(count), size) for xy in places]


VIEWS = {
    "moved": [[1, 0, 120.0], [0, 1, 60], [0, 0, 1]],
    "smaller": [[0.6, 0, 40.0], [0, 0.6, 200], [0, 0, 1]],
    "turned": [[0, -1, 400.0], [1, 0, 90], [0, 0, 1]],
    "aslant": [[0.9, 0.2, 90.0], [-0.15, 1.0, 110], [-6e-4, 4e-4, 1]],
}


@pytest.mark.parametrize("name", VIEWS)
def test_a_known_homography_is_estimated_to_a_pixel(photo, name):
    view = np.array(VIEWS[name])
    found = imrep.match(photo, seen(photo, view))
    assert found.is_match and found.inliers > 5 * found.chance
    corners = np.array([[-0.5, -0.5], [255.5, -0.5], [255.5, 255.5], [-0.5, 255.5]])
    expected = cv2.perspectiveTransform(corners[None], view)[0]
    np.testing.assert_allclose(found.outline, expected, atol=1.5)
    low, high = expected.min(0) - 2, expected.max(0) + 2
    assert low[0] <= found.box[0] < found.box[2] <= high[0]
    assert low[1] <= found.box[1] < found.box[3] <= high[1]


def test_an_absent_image_is_no_match(photo, other):
    found = imrep.match(photo, other)
    assert not found.is_match and found.inliers <= found.chance
    assert found.outline is None and found.box is None
    assert re.fullmatch(
        r"Not found: \d+ of \d+ pairs? of points agree on one view; at least 10 are needed, "
        r"chance alone gives up to \d+\.",
        found.sentence,
    )


def test_a_mirrored_picture_is_another(photo):
    mirrored = made([[99.0 - 7 * i % 90, 13 * i % 91] for i in range(40)], np.eye(40))
    straight = made(mirrored.xy[0] * torch.tensor([-1, 1]) + torch.tensor([300, 0]), np.eye(40))
    found = match(mirrored, straight)
    assert found.pairs == 40
    assert found.homography is None and not found.is_match


def test_what_is_crushed_into_a_spot_is_no_view():
    whole = [[37 * i % 399, 53 * i % 397] for i in range(40)]
    spot = np.array(whole) / 200 + 50
    found = match(made(whole, np.eye(40)), made(spot, np.eye(40)))
    assert found.pairs == 40
    assert found.inliers == 0 and not found.is_match


def test_the_same_points_give_the_same_answer(photo):
    rep = imrep.get(SPEC)
    one, two = (rep.encode(x) for x in (photo, seen(photo, np.array(VIEWS["aslant"]))))
    torch.manual_seed(1)
    before = match(one, two)
    torch.manual_seed(2)
    after = match(one, two)
    assert torch.equal(before.homography, after.homography)
    assert torch.equal(before.inlier, after.inlier) and torch.equal(before.first, after.first)


def test_inliers_are_within_the_requested_distance(photo):
    rep = imrep.get(SPEC)
    one, two = (rep.encode(x) for x in (photo, seen(photo, np.array(VIEWS["aslant"]))))
    for within in (0.5, 3.0):
        found = match(one, two, within=within)
        at = torch.cat([found.first, torch.ones(found.pairs, 1)], dim=1) @ found.homography.T
        off = (at[:, :2] / at[:, 2:] - found.second).norm(dim=1)
        assert torch.equal(off <= within, found.inlier)


def test_pairs_are_each_others_nearest_and_clearly_so():
    near = [[0.0, 0], [1, 0], [5, 5], [9, 0]]
    first = made(np.arange(8).reshape(4, 2), near)
    second = made(np.arange(10, 18).reshape(4, 2), [[0.1, 0], [0.9, 0], [5.5, 5], [5, 5.6]])
    assert match(first, second, ratio=1.0).first.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert match(first, second).first.tolist() == [[0, 1], [2, 3]]  # 0.5 is not under 0.8 · 0.6


def test_twice_the_same_descriptor_is_nobodys():
    first = made([[1, 1], [5, 5]], [[1.0, 0], [0, 1]])
    second = made([[1, 1], [2, 2], [5, 5]], [[1.0, 0], [1, 0], [0, 1]])
    assert match(first, second).second.tolist() == [[5, 5]]


def test_a_point_of_several_orientations_counts_once():
    places = np.array([[20.0 * i, 7 * i * i % 300] for i in range(12)])
    twice = made(np.concatenate([places, places]), np.eye(24))
    assert match(twice, twice).inliers == 12


def test_padding_is_no_point(photo):
    code = imrep.get(SPEC).encode(photo)
    half = code.filter(code.xy[..., 0] < 128)
    padded = replace(code, present=code.present & (code.xy[..., 0] < 128))
    assert match(padded, code).points == match(half, code).points
    assert torch.equal(match(padded, code).first, match(half, code).first)


def test_points_with_a_gradient_do_as_well(photo):
    dense = imrep.get("sift").encode(photo.clone().requires_grad_())
    assert dense.values.requires_grad
    found = match(dense, dense)
    assert found.is_match and not found.first.requires_grad


@pytest.mark.parametrize("count", [5, 12, 40])
def test_collinear_points_give_no_homography(count):
    line = made([[7.0 * i, 3 * i + 20] for i in range(count)], np.eye(count))
    found = match(line, line)
    assert found.pairs == count
    assert found.homography is None or bool(found.homography.isfinite().all())


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_points_are_no_match(count):
    few, many = made(np.zeros((count, 2)), np.eye(9)[:count]), made(np.zeros((9, 2)), np.eye(9))
    assert not match(few, many).is_match and not match(many, few).is_match


def test_random_pairs_reach_no_more_than_chance():
    largest = 0
    for seed in range(150):
        found = match(*random_pairs(40, seed))
        assert found.pairs == 40
        assert found.inliers <= found.chance == 7
        largest = max(largest, found.inliers)
    assert largest >= 5  # else the bound would be idle


def test_chance_grows_with_pairs_and_reach_and_never_passes_them():
    given = [chance(n, SIZE) for n in (0, 1, 4, 10, 100, 1000, 10_000)]
    assert given == sorted(given) and given[:3] == [0, 1, 4]
    assert chance(100, SIZE, 1.0) <= chance(100, SIZE, 3.0) <= chance(100, SIZE, 20.0)
    assert chance(50, (8, 8), 8.0) == 50


def test_many_wrong_pairs_do_not_make_ten_enough():
    lucky = replace(match(*random_pairs(40, 0)), chance=12)
    twelve = replace(lucky, inlier=torch.arange(40) < 12)
    assert not twelve.is_match and "at least 13 are needed" in twelve.sentence
    assert replace(twelve, inlier=torch.arange(40) < 13).is_match


def test_other_sizes_say_the_same(photo):
    found = imrep.match(photo, seen(photo, np.array(VIEWS["aslant"])))
    large = found.resized((512, 1024), (200, 1000))
    assert large.sizes == ((512, 1024), (200, 1000)) and large.inliers == found.inliers
    share = torch.tensor([2.0, 0.5], dtype=torch.float64)
    torch.testing.assert_close((large.outline + 0.5) / share, found.outline + 0.5)
    torch.testing.assert_close((large.second + 0.5) / share, found.second + 0.5)
    again = large.resized(*found.sizes)
    torch.testing.assert_close(again.homography, found.homography)
    torch.testing.assert_close(again.first, found.first)


@pytest.mark.parametrize("spec", ["sift", "sift:detector=opencv", "blob", "corner"])
def test_any_points_will_do(photo, spec):
    found = imrep.match(photo[..., :128, :], photo[..., 40:160, :], spec)
    assert isinstance(found, Match) and found.points[0] > 10


def test_refusals_name_what_came(photo):
    rep = imrep.get(SPEC)
    points = rep.encode(photo)
    with pytest.raises(BadParameter, match=r"got hog, whose code is a Map\. Use sift:detector"):
        imrep.match(photo, photo, "hog")
    with pytest.raises(BadImage, match="needs keypoints, got none in the target"):
        imrep.match(photo, torch.full_like(photo, 0.3))
    with pytest.raises(BadImage, match="got 2 of the query"):
        imrep.match(photo.expand(2, -1, -1, -1), photo)
    with pytest.raises(BadImage, match=r"got torch\.uint8"):
        imrep.match((photo * 255).byte(), photo)
    for ratio in (0, 1.01, float("nan")):
        with pytest.raises(BadParameter, match=f"ratio above 0 and up to 1, got {ratio}"):
            match(points, points, ratio=ratio)
    for within in (0, float("inf"), float("nan")):
        with pytest.raises(BadParameter, match=f"above 0 pixels, got {within}"):
            match(points, points, within=within)
    with pytest.raises(BadCode, match="got 128 and 3 numbers"):
        match(points, imrep.get("corner").encode(photo))
    with pytest.raises(BadCode, match="got 1 and 2"):
        match(points, rep.encode(photo.expand(2, -1, -1, -1)))


def test_the_drawing_shows_both_and_the_outline(photo):
    scene = seen(photo, np.array(VIEWS["moved"]))
    found = imrep.match(photo, scene)
    drawn = draw(found, photo, scene)
    assert drawn.shape == (1, 3, 400, 256 + 8 + 500)
    assert drawn.min() >= 0 and drawn.max() <= 1
    yellow = (drawn - torch.tensor([1.0, 0.84, 0.04]).view(1, 3, 1, 1)).abs().amax(1)[0] < 0.02
    rows, columns = yellow[:, 264:].nonzero().unbind(1)
    assert abs(int(rows.min()) - 60) < 4 and abs(int(columns.min()) - 120) < 4
    assert abs(int(rows.max()) - 316) < 4 and abs(int(columns.max()) - 376) < 4
    assert (drawn[0, :, 380:, :64] == 1).all()  # under the smaller one: white


def test_the_drawing_enlarges_what_is_small_and_takes_gray(photo):
    gray = photo[:, :1, :100, :120]
    found = imrep.match(gray, gray)
    assert draw(found, gray, gray).shape == (1, 3, 400, 480 + 8 + 480)
    with pytest.raises(BadImage, match=r"Try match\.resized\(\*\(\(100, 120\), \(99, 120\)\)\)"):
        draw(found, gray, gray[:, :, 1:])


@pytest.fixture
def album(photo, other, tmp_path):
    """Four pictures, two of which show the photograph, and a broken one."""
    root = tmp_path / "album"
    aslant, blank = seen(photo, np.array(VIEWS["aslant"])), torch.full((1, 3, 90, 90), 0.4)
    small = resize(seen(photo, np.array(VIEWS["smaller"])), 300, 375)
    for name, image in {"a": other, "b": blank, "c": small, "d": aslant}.items():
        images.write(root / f"{name}.png", image)
    (root / "e.jpg").write_bytes(b"no picture")
    return root


def ranked(photo, album, out, progress=None, **more):
    items = datasets.find(album).items
    return ranking.rank(photo, items, imrep.get(SPEC), out, ranking.Settings(**more), progress)


def test_a_folder_is_ranked(photo, album, tmp_path):
    found = ranked(photo, album, tmp_path / "new" / "r.csv")
    assert [row.path for row in found.rows] == ["d.png", "c.png", "a.png", "b.png"]
    assert [row.is_match for row in found.rows] == [True, True, False, False]
    assert found.sentence == "Found in 2 of 4 pictures, surest in d.png."
    single = imrep.match(photo, imrep.read(album / "d.png"))
    assert (found.rows[0].inliers, found.rows[0].chance) == (single.inliers, single.chance)
    np.testing.assert_allclose(found.rows[0].outline, single.outline, atol=0.01)
    with (tmp_path / "new" / "r.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert [line["path"] for line in lines] == [row.path for row in found.rows]
    assert [line["found"] for line in lines] == ["yes", "yes", "no", "no"]
    assert len(lines[0]["outline"].split(", ")) == 4 and lines[3]["outline"] == ""
    assert [path for path, _ in found.skipped] == ["e.jpg"]
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == ["r.csv", "r.csv.skipped.csv"]


def test_outlines_are_in_pixels_of_the_file(photo, album, tmp_path):
    found = ranked(photo, album, tmp_path / "r.csv", longest=320)
    whole = ranked(photo, album, tmp_path / "r.csv", longest=None)
    assert found.rows[0].path == whole.rows[0].path == "d.png"
    np.testing.assert_allclose(found.rows[0].outline, whole.rows[0].outline, atol=4)


def test_an_interrupted_ranking_resumes(photo, album, tmp_path):
    def stop(what, done, total):
        if done == 3:
            raise KeyboardInterrupt

    whole = ranked(photo, album, tmp_path / "whole.csv", shard=2)
    with pytest.raises(KeyboardInterrupt):
        ranked(photo, album, tmp_path / "r.csv", stop, shard=2)
    assert not (tmp_path / "r.csv").exists()
    again = ranked(photo, album, tmp_path / "r.csv", shard=2)
    assert again.resumed == 2 and again.rows == whole.rows
    assert (tmp_path / "r.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    with pytest.raises(KeyboardInterrupt):
        ranked(photo, album, tmp_path / "r.csv", stop, shard=2)
    assert ranked(photo, album, tmp_path / "r.csv", shard=2, ratio=0.7).resumed == 0


def test_without_a_match_the_best_candidate_is_named(photo, album, tmp_path):
    for name in "cd":
        (album / f"{name}.png").unlink()
    said = ranked(photo, album, tmp_path / "r.csv").sentence
    assert said.startswith("Found in none of 2 pictures; the nearest, a.png, has ")
    (album / "a.png").unlink()
    assert (
        "none of 1 picture; the nearest, b.png" in ranked(photo, album, tmp_path / "r.csv").sentence
    )


def test_a_ranking_that_cannot_be_leaves_nothing(photo, album, tmp_path):
    with pytest.raises(BadParameter, match=r"written as \.csv, got 'r\.png'\. Try r\.csv\."):
        ranked(photo, album, tmp_path / "r.png")
    with pytest.raises(BadImage, match="none in the query"):
        ranked(torch.full((1, 3, 90, 90), 0.4), album, tmp_path / "r.csv")
    assert [p.name for p in tmp_path.iterdir()] == ["album"]
    for name in "abcd":
        (album / f"{name}.png").unlink()
    with pytest.raises(BadData, match=r"none of the 1 files could be read.*skipped\.csv says why"):
        ranked(photo, album, tmp_path / "r.csv")
    assert not (tmp_path / "r.csv").exists()


def test_pictures_too_small_for_a_representation_are_skipped(photo, tmp_path):
    Image.new("RGB", (1, 1)).save(tmp_path / "dot.png")
    images.write(tmp_path / "same.png", photo)
    found = ranked(photo, tmp_path, tmp_path / "out" / "r.csv")
    assert found.rows[0].path == "same.png"
    assert len(found.rows) + len(found.skipped) == 2


@pytest.mark.slow
def test_correct_pairs_rank_first_and_unrelated_ones_never_match(shared_data):
    """At 512 pixels, where it takes half a minute; at 640 all 44 right pairs have ten inliers."""
    album = [  # 28 photographs of 7 things, 4 of 2 views
        *sorted((shared_data / "retrieval" / "ukbench_a").glob("*.jpg")),
        *sorted((shared_data / "retrieval" / "vlfeat_pairs").glob("*.jpg")),
    ]
    if len(album) != 32:
        pytest.skip(f"needs 28 photographs of UKBench and 4 of VLFeat, got {len(album)}")
    things = [*(i // 4 for i in range(28)), 7, 7, 8, 8]
    rep = imrep.get(SPEC)
    codes = [keypoints(rep, shrunk(imrep.read(p), 512), p.name) for p in album]
    score = np.full((32, 32), -1.0)
    right, wrong = [], []
    for i, first in enumerate(codes):
        for j, second in enumerate(codes[:i]):
            found = task.match(first, second)
            score[i, j] = score[j, i] = found.inliers
            (right if things[i] == things[j] else wrong).append(found)
    firsts = score.argmax(1)
    assert sum(things[i] == things[j] for i, j in enumerate(firsts)) == 32
    assert len(wrong) > 400 and not any(found.is_match for found in wrong)
    assert max(found.inliers for found in wrong) <= 6
    assert all(found.inliers <= found.chance for found in wrong)
    inliers = [found.inliers for found in right]
    assert min(inliers) >= 7 and np.median(inliers) > 200
    assert sum(found.is_match for found in right) >= 43
