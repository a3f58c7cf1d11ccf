"""Training from poses: what a batch holds, what is measured, and runs that are cut off."""

import json

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from scenes import person
from training_fixture import NEEDS_LIGHTNING

import imrep
from imrep.api import training
from imrep.api.training_request import Request
from imrep.base import Change
from imrep.errors import BadData
from imrep.represent.spatial.composite import COCO, Pose
from imrep.represent.spatial.composite.training import evaluation

SPEC = "composite:arch=test_resnet"
CATEGORY = {
    "id": 1,
    "name": "person",
    "keypoints": list(COCO.joints),
    "skeleton": (COCO.pairs + 1).tolist(),
}


class PowerCutError(Exception):
    """Ends a run at a step, as a crash would."""


def silent(*_):
    """No progress."""


def cut(line, steps):
    if line.step == 3:
        raise PowerCutError


@pytest.fixture
def content():
    """Ten images, in each but the last one a person whose joints are white dots."""
    images = [{"id": i, "file_name": f"{i}.png", "height": 100, "width": 140} for i in range(10)]
    people = [person(20 + 5 * i, 10, 80, seed=i) for i in range(9)]
    annotations = [
        {"id": 100 + i, "image_id": i, "category_id": 1, "bbox": list(own.box), "iscrowd": 0,
         "keypoints": own.keypoints.ravel().tolist()}
        for i, own in enumerate(people)
    ]  # fmt: skip
    return {"images": images, "categories": [CATEGORY], "annotations": annotations}


@pytest.fixture
def file(tmp_path, content):
    return written(tmp_path, content)


def written(folder, content):
    (folder / "images").mkdir(exist_ok=True)
    for i in range(10):
        image = Image.new("RGB", (140, 100), (20 * i, 40, 60))
        draw = ImageDraw.Draw(image)
        own = [a for a in content["annotations"] if a.get("image_id") == i]
        for x, y, _ in np.array([a["keypoints"] for a in own if a["keypoints"]]).reshape(-1, 3):
            draw.ellipse((x - 2, y - 2, x + 2, y + 2), "white")
        image.save(folder / "images" / f"{i}.png")
    path = folder / "people.json"
    path.write_text(json.dumps(content))
    return path


def request(out, **more):
    return Request(out=out, **{"held_out": 0.3, "steps": 6, "batch": 4, "crop": 65} | more)


def prepared(file, out, spec=SPEC, **more):
    own = request(out, **more)
    return training.prepare(training.find(str(file), spec, own), spec, own, silent)


@pytest.mark.slow
@NEEDS_LIGHTNING
def test_a_run_that_is_cut_off_ends_like_an_unbroken_one(file, tmp_path):
    def run(name, watch, **more):
        own = request(tmp_path / name, **more)
        return training.run(training.find(str(file), SPEC, own), SPEC, own, silent, watch)

    unbroken = run("unbroken", silent)
    with pytest.raises(PowerCutError):
        run("resumed", cut)
    resumed = run("resumed", silent, resume=True)
    states = [each.representation.state_dict().values() for each in (unbroken, resumed)]
    assert all(torch.equal(a, b) for a, b in zip(*states, strict=True))
    assert resumed.evaluation == unbroken.evaluation
    assert "instances detected" in resumed.evaluation
    assert resumed.run.captions == ("annotated", "detected")
    again = imrep.get(f"composite:weights='{resumed.model}'")
    assert again.joints.joints == COCO.joints
    image = torch.rand(1, 3, 65, 97)
    assert torch.equal(again.embed(image), resumed.representation.embed(image))


@pytest.mark.parametrize("size", [0, 80])
def test_a_batch_holds_squares_whose_joints_are_where_its_fields_point(file, tmp_path, size):
    job = prepared(file, tmp_path / "run", size=size)
    examples = job.rep.training_examples(job.data)
    names = ("resized_crop", "flip", "rotate")
    stride = job.rep.stride
    for row in range(len(job.data)):
        torch.manual_seed(row)
        for example in (examples.random(row, Change(names, 65)), examples.plain(row, 65)):
            image, field = example["image"].float().mean(0), example["intensity"]
            joint, rows, columns = (field[:, 0] == 1).nonzero().T
            x = (columns + field[joint, 1, rows, columns]) * stride
            y = (rows + field[joint, 2, rows, columns]) * stride
            inside = (x > 2) & (x < 62) & (y > 2) & (y < 62)
            values = image[y[inside].round().int(), x[inside].round().int()]
            assert inside.sum() > 10 and values.median() > 180


def test_images_without_a_joint_are_left_out(file, tmp_path):
    dataset = training.find(str(file), SPEC, request(tmp_path / "run"))
    assert len(dataset.items) == 9
    assert dataset.notes == ("1 image without a joint left out",)
    assert dataset.annotations.parameters == {"skeleton": str(file)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"keypoints": []}, "people.json needs, in annotation 102, 51 numbers as keypoints"),
        ({"keypoints": [1.0] * 50}, "annotation 102, 51 numbers .*got 50 numbers"),
        ({"keypoints": [500, 1, 2] * 17}, "annotation 102, nose inside the image of 140 × 100"),
        ({"image_id": 77}, "annotation 102, the id of an image in the file as image_id, got 77"),
    ],
)
def test_bad_annotations_are_refused_before_the_training(tmp_path, content, change, message):
    file = written(tmp_path, content)
    content["annotations"][2] |= change
    file.write_text(json.dumps(content))
    with pytest.raises(BadData, match=message):
        training.find(str(file), SPEC, request(tmp_path / "run"))


def test_images_of_another_size_than_said_are_refused_by_name(file, tmp_path):
    Image.new("RGB", (50, 40)).save(tmp_path / "images" / "3.png")
    with pytest.raises(BadData, match=r"image 3 \(3\.png\) to be of 140 × 100 .* got 50 × 40"):
        training.find(str(file), SPEC, request(tmp_path / "run"))


def test_broken_images_are_skipped(file, tmp_path):
    (tmp_path / "images" / "3.png").write_bytes(b"no image")
    (tmp_path / "images" / "4.png").unlink()
    job = prepared(file, tmp_path / "run")
    assert {path for path, _ in job.data.skipped} == {"3.png", "4.png"}


def test_a_folder_is_not_what_it_is_trained_on(tmp_path):
    with pytest.raises(BadData, match="composite needs a COCO file of keypoints to be trained on"):
        training.find(str(tmp_path), SPEC, request(tmp_path / "run"))


def test_annotations_of_another_skeleton_than_the_weights_are_refused(file, tmp_path, content):
    saved = imrep.get(f"{SPEC},weights=random").save(tmp_path / "model")
    content["categories"] = [CATEGORY | {"keypoints": ["tail", *COCO.joints[1:]]}]
    file.write_text(json.dumps(content))
    job = prepared(file, tmp_path / "run", f"composite:weights='{saved}'")
    with pytest.raises(BadData, match="needs annotations of nose, left_eye, right_eye, …"):
        job.loading  # noqa: B018


def test_training_goes_on_from_weights(file, tmp_path):
    saved = imrep.get(f"{SPEC},weights=random").save(tmp_path / "model")
    job = prepared(file, tmp_path / "run", f"composite:weights='{saved}'")
    assert job.loading.random(job.order.draw(0))["intensity"].shape[:3] == (4, 17, 5)


def test_similarity_is_one_for_the_same_pose_and_falls_with_distance():
    joints = np.column_stack([np.ones(17), person(20, 10, 80).keypoints[:, :2], np.full(17, 3.0)])
    annotated = Pose(joints, COCO)
    far, half = joints + np.array([0, 500, 0, 0]), joints.copy()
    half[8:, 0] = 0

    def measured(*detected):
        return evaluation(iter([([annotated], [Pose(d, COCO) for d in detected])])).numbers

    assert measured(joints)["mean similarity of joints"] == pytest.approx(1)
    assert measured(far)["instances detected"] == measured()["instances detected"] == 0
    assert measured(half)["mean similarity of joints"] == pytest.approx(8 / 17)
    moved = measured(joints + np.array([0, 6, 0, 0]))["mean similarity of joints"]  # two scales
    assert moved == pytest.approx(np.exp(-0.5), rel=1e-6)
    assert measured(far, joints)["poses per instance"] == 2
