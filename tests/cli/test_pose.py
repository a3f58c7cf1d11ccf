"""`imrep pose`: skeletons over an image and in COCO's form, of one image or of a folder."""

import json

import numpy as np
import pytest
from PIL import Image
from scenes import person

import imrep
from imrep.cli import pose_folder
from imrep.represent.spatial.composite import COCO, Composite


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Random weights."""
    rep = imrep.get("composite:weights=random,arch=test_resnet")
    return rep.save(tmp_path_factory.mktemp("weights") / "model")


@pytest.fixture(autouse=True)
def perfect(monkeypatch):
    """In place of trained weights: a person in every image, as high as most of it."""

    def encode(self, image):
        height, width = image.shape[2:]
        return self.draw_up([person(0.3 * width, 0.1 * height, 0.8 * height)], (height, width))

    monkeypatch.setattr(Composite, "encode", encode)


@pytest.fixture
def frames(tmp_path):
    """Three frames of a video, one of them broken."""
    folder = tmp_path / "frames"
    folder.mkdir()
    for name, width in (("001.png", 160), ("002.jpg", 200)):
        Image.new("RGB", (width, 128), (90, 120, 60)).save(folder / name)
    (folder / "003.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    return tmp_path


def spec(weights):
    return f"composite:weights='{weights}'"


def test_an_image_gets_a_picture_and_a_list(inside, frames, weights):
    done = inside("pose", "frames/001.png", "-r", spec(weights))
    sentence, *lines, written = done.stdout.splitlines()
    assert sentence == "1 pose in 001.png" and len(lines) == 1
    assert written == "001.pose.png  001.pose.json"
    content = json.loads((frames / "001.pose.json").read_text())
    assert content["images"] == [{"id": 1, "file_name": "001.png", "width": 160, "height": 128}]
    assert content["categories"][0]["keypoints"] == list(COCO.joints)
    for annotation in content["annotations"]:
        assert len(annotation["keypoints"]) == 51 and len(annotation["bbox"]) == 4
        assert annotation["image_id"] == annotation["category_id"] == 1
        assert annotation["num_keypoints"] > 3 and 0 < annotation["score"] <= 1
    with Image.open(frames / "001.pose.png") as drawn:
        pixels = np.asarray(drawn.convert("RGB"))
    assert pixels.shape == (128, 160, 3) and len(np.unique(pixels.reshape(-1, 3), axis=0)) > 20


def test_json_has_positions_in_pixels_of_the_file(inside, frames, weights):
    large = frames / "large.png"
    with Image.open(frames / "frames" / "001.png") as image:
        image.resize((1280, 1024)).save(large)
    options = ["-r", spec(weights), "--json"]
    small = json.loads(inside("pose", "frames/001.png", *options, "-o", "a.png").stdout)
    again = inside("pose", large, *options, "-o", "b.png", "--longest", 160)
    both = json.loads(again.stdout)
    assert both["images"][0]["width"] == 1280
    first, other = (
        np.array(c["annotations"][0]["keypoints"]).reshape(-1, 3) for c in (small, both)
    )
    present = first[:, 2] > 0
    assert np.allclose((first[present, :2] + 0.5) * 8 - 0.5, other[present, :2], atol=0.1)


def test_a_folder_becomes_a_folder(inside, frames, weights):
    done = inside("pose", "frames", "-r", spec(weights), "-o", "out")
    content = json.loads((frames / "out" / "poses.json").read_text())
    assert [image["file_name"] for image in content["images"]] == ["001.png", "002.jpg"]
    assert {a["image_id"] for a in content["annotations"]} == {1, 2}
    assert done.stdout.startswith("2 poses in 2 images\n")
    assert "1 file skipped, with reasons in out.skipped.csv" in done.stdout
    assert sorted(p.name for p in (frames / "out").glob("*.png")) == ["001.png", "002.jpg.png"]
    assert not (frames / "out.parts").exists()
    inside("pose", "frames", "-r", spec(weights), "-o", "out", "--strict", expect=3)


def test_several_images_and_a_threshold(inside, frames, weights):
    names = ["frames/001.png", "frames/002.jpg"]
    done = inside("pose", *names, "-r", spec(weights), "--at-least", 0.99, "--json")
    content = json.loads(done.stdout)
    assert content["annotations"] == [] and len(content["images"]) == 2
    assert (frames / "poses.pose" / "poses.json").is_file()


def test_an_interrupted_run_continues(inside, frames, weights, monkeypatch):
    for i in range(4):
        Image.new("RGB", (160, 128), (60 * i, 120, 60)).save(frames / "frames" / f"1{i:02}.png")
    arguments = ["pose", "frames", "-r", spec(weights), "--json", "-o"]
    pose, calls = pose_folder.pose, []

    def interrupted(*both):
        calls.append(both)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return pose(*both)

    monkeypatch.setattr(pose_folder, "pose", interrupted)
    stopped = inside(*arguments, "out", expect=130)
    assert "To resume: imrep" in stopped.stderr
    done = json.loads(inside(*arguments, "out").stdout)
    assert len(done["images"]) == 6 and done["resumed"] == 4  # with the file that is none
    assert len(calls) == 7
    whole = json.loads(inside(*arguments, "again").stdout)
    assert whole["annotations"] == done["annotations"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["frames/001.png"], "composite needs trained weights, and none are published"),
        (["frames/001.png", "-r", "hog"], "pose needs a representation with poses, got hog"),
        (["frames/003.png"], "003.png"),
        (["frames", "-o", "frames/out"], "pose would write among the images it reads"),
        (["frames/001.png", "-o", "out.txt"], "pose needs a name ending in"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(inside, frames, weights, arguments, message):
    given = [] if "-r" in arguments or "none are" in message else ["-r", spec(weights)]
    done = inside("pose", *arguments, *given, expect=1)
    assert message in done.stderr and done.stderr.count("\n") == 1


def test_no_list_of_others_is_written_over(inside, frames, weights):
    (frames / "001.pose.json").write_text("{}")
    done = inside("pose", "frames/001.png", "-r", spec(weights), expect=1)
    assert "pose would write over 001.pose.json, which it did not write" in done.stderr
    assert (frames / "001.pose.json").read_text() == "{}"
