"""`imrep match`: a verdict and a drawing for two pictures, a ranking for a folder."""

import json
import re

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

from imrep import images
from imrep.cli import match as command
from imrep.matching import homography, ranking
from imrep.matching import match as task
from imrep.ops.resize import resize


@pytest.fixture
def scenes(tmp_path):
    """A thing, a folder of three pictures of which one shows it, and a file that is none."""
    astronaut = torch.from_numpy(data.astronaut()).permute(2, 0, 1)[None] / 255
    coffee = torch.from_numpy(data.coffee()).permute(2, 0, 1)[None] / 255
    thing = resize(astronaut, 256, 256).clamp(0, 1)
    street = resize(coffee, 320, 480).clamp(0, 1)
    images.write(tmp_path / "street" / "without.png", street)
    street[..., 40:296, 150:406] = thing
    images.write(tmp_path / "street" / "with.png", street)
    images.write(tmp_path / "street" / "blank.png", torch.full((1, 3, 64, 64), 0.5))
    images.write(tmp_path / "thing.png", thing)
    (tmp_path / "street" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    return tmp_path


def test_a_match_is_reported_and_drawn(installed, scenes):
    said = installed("match", "thing.png", "street/with.png", cwd=scenes)
    sentence, written = said.stdout.splitlines()
    figures = re.fullmatch(
        r"Found, between \((\d+), (\d+)\) and \((\d+), (\d+)\): ([\d,]+) of ([\d,]+) pairs of "
        r"points agree on one view, where chance would give at most (\d+)\.",
        sentence,
    )
    x1, y1, x2, y2 = map(int, figures.groups()[:4])
    assert 148 <= x1 < 200 and 350 < x2 <= 408 and 38 <= y1 < 90 and 240 < y2 <= 298
    assert written == "thing.with.match.png  inliers and outline"
    assert said.stderr == ""
    with Image.open(scenes / "thing.with.match.png") as drawn:
        assert drawn.size == (256 + 8 + 480, 320)


def test_json_says_where_in_pixels_of_the_files(inside, scenes):
    big = images.read(scenes / "street" / "with.png").repeat_interleave(2, 2)
    images.write(scenes / "big.png", big.repeat_interleave(2, 3))
    said = inside("match", "thing.png", "big.png", "-o", "new/m.png", "--longest", 480, "--json")
    found = json.loads(said.stdout)
    assert found["found"] is True and found["inliers"] > 30 > found["chance"]
    expected = [[299.5, 79.5], [811.5, 79.5], [811.5, 591.5], [299.5, 591.5]]
    np.testing.assert_allclose(found["outline"], expected, atol=3)
    corner = np.array(found["homography"]) @ [-0.5, -0.5, 1]
    np.testing.assert_allclose(corner[:2] / corner[2], found["outline"][0], atol=1e-6)
    assert found["out"] == "new/m.png"
    with Image.open("new/m.png") as drawn:
        assert drawn.size == (256 + 8 + 480, 320)


def test_no_match_is_a_result(inside, scenes):
    said = inside("match", "thing.png", "street/without.png", "-v", "--device", "cpu")
    assert said.stdout.startswith("Not found: ")
    assert re.fullmatch(r"sift:detector=opencv, \d+ threads, cpu\n", said.stderr)
    found = json.loads(inside("match", "thing.png", "street/without.png", "--json").stdout)
    assert found["found"] is False
    assert found["outline"] is found["homography"] is found["box"] is None
    assert (scenes / "thing.without.match.png").is_file()


def test_a_folder_is_ranked(inside, scenes):
    said = inside("match", "thing.png", "street").stdout.splitlines()
    assert said[0] == "Found in 1 of 3 pictures, surest in with.png."
    assert [line.split()[1] for line in said[2:3]] == ["with.png"]
    assert re.search(r"^  blank\.png +0 +0 +0$", "\n".join(said), re.M)
    assert "1 skipped, with reasons in thing.street.match.csv.skipped.csv" in said
    assert re.fullmatch(r"thing\.street\.match\.csv  3 pictures, \d+\.\d s", said[-1])
    lines = (scenes / "thing.street.match.csv").read_text().splitlines()
    assert lines[0] == "path,found,inliers,pairs,chance,outline"
    assert lines[1].startswith("with.png,yes,")
    assert sorted(p.name for p in scenes.iterdir()) == [
        "street", "thing.png", "thing.street.match.csv", "thing.street.match.csv.skipped.csv",
    ]  # fmt: skip


def test_a_pattern_is_no_part_of_a_name(inside, scenes):
    inside("match", "thing.png", "street/w*.png")
    assert (scenes / "thing.street.match.csv").is_file()


def test_a_ranking_in_json_and_strict(inside, scenes):
    said = inside("match", "thing.png", "street", "-o", "r.csv", "--json", "--strict", expect=3)
    found = json.loads(said.stdout)
    assert found["found"] == 1
    assert found["ranking"][0]["path"] == "with.png"
    assert [row["found"] for row in found["ranking"]] == [True, False, False]
    assert [one["path"] for one in found["skipped"]] == ["broken.jpg"]


def test_the_query_is_not_looked_for_in_itself(inside, scenes):
    said = inside("match", "street/with.png", "street")
    assert "with.png is A itself and left out" in said.stderr
    assert "Found in 1 of 2 pictures, surest in without.png." in said.stdout  # they share a cup
    (scenes / "alone").mkdir()
    (scenes / "thing.png").rename(scenes / "alone" / "thing.png")
    said = inside("match", "alone/thing.png", "alone", expect=1)
    assert said.stderr.endswith(
        "needs other pictures than A, got only alone/thing.png in alone. Give another B.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["nothing.png", "thing.png"], "nothing.png"),
        (["thing.png", "nothing"], "got nothing at nothing"),
        (["thing.png", "street/broken.jpg"], "broken.jpg"),
        (["street/blank.png", "thing.png"], "keypoints, got none in blank.png"),
        (["thing.png", "street/blank.png"], "keypoints, got none in blank.png"),
        (["street/blank.png", "street"], "keypoints, got none in the query"),
        (["thing.png", "street/with.png", "-r", "hog"], "got hog, whose code is a Map"),
        (["thing.png", "street/with.png", "-o", "m.gif"], "got 'm.gif'. Try m.png."),
        (["thing.png", "street", "-o", "m.png"], "written as .csv, got 'm.png'. Try m.csv."),
        (["thing.png", "street/with.png", "-o", "thing.png"], "would write over thing.png"),
        (["thing.png", "street/with.png", "-o", "thing.png/m.png"], "cannot be written: "),
        (["thing.png", "street", "-o", "thing.png/m.csv"], "cannot be written: "),
        (
            ["thing.png", "street/with.png", "-o", "street/"],
            "street cannot be written: Is a directory.",
        ),
    ],
)
def test_what_cannot_be_done_is_one_line_and_writes_nothing(inside, scenes, arguments, reason):
    before = {path: path.stat().st_mtime_ns for path in scenes.rglob("*")}
    said = inside("match", *arguments, "-q", expect=1)
    assert said.stdout == "" and said.stderr.count("\n") == 1
    assert reason in said.stderr
    assert {path: path.stat().st_mtime_ns for path in scenes.rglob("*")} == before


def test_its_defaults_are_the_librarys():
    assert task.SPEC == command._SPEC and ranking.LONGEST == command._LONGEST
    options = {option.name: option.default for option in command.command.params}
    assert options["ratio"] == ranking.Settings().ratio == task._RATIO
    assert options["within"] == ranking.Settings().within == homography.WITHIN
