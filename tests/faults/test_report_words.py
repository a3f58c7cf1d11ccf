"""What a report says is what its rows hold: every figure, label and word, case by case."""

import html
import re

import cv2
import numpy as np
import PIL.Image
import pytest
import torch

import imrep
from imrep.base import Representation, Sum
from imrep.codes import Vector
from imrep.embedding import peak_memory
from imrep.registry.cards import Card
from imrep.results import Row

SPECS = ["hog", "histogram"]
CLASS_WORDS = ("class", "label", "linear classifier", "folds", "guessing", "accura")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("IMREP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(peak_memory, "peaks", lambda specs, threads: {})


def stripes(rng, angle, side=48):
    y, x = np.mgrid[:side, :side]
    wave = np.sin(
        (x * np.cos(angle) + y * np.sin(angle)) * rng.uniform(0.3, 0.8) + rng.uniform(0, 6)
    )
    pixels = 128 + 60 * wave[..., None] + rng.normal(0, 50, (side, side, 3))
    return pixels.clip(0, 255).astype(np.uint8)


def folder(root, classes, each, seed=0):
    rng = np.random.default_rng(seed)
    for c, name in enumerate(classes):
        (root / name).mkdir(parents=True, exist_ok=True)
        for i in range(each):
            PIL.Image.fromarray(stripes(rng, c * np.pi / 5)).save(root / name / f"{i:02}.png")
    return root


def objects(root, count, each):
    """Objects of random colours on random ground, seen at several places."""
    rng, groups = np.random.default_rng(0), {}
    root.mkdir()
    for thing in range(count):
        color, ground = rng.integers(0, 256, (2, 3)).tolist()
        for view in range(each):
            image = np.full((48, 48, 3), ground, np.uint8)
            x, y = rng.integers(12, 36, 2).tolist()
            cv2.circle(image, (x, y), 9, color, -1)
            noisy = np.clip(image + rng.normal(0, 12, image.shape), 0, 255).astype(np.uint8)
            PIL.Image.fromarray(noisy).save(root / f"{thing:02}_{view}.png")
            groups[f"{thing:02}_{view}.png"] = f"thing {thing}"
    return groups


def page(found, without=r"\b\B"):
    """The page's words, without scripts, styles and marks, and without the marks that match."""
    text = re.sub(without, " ", found.report.read_text(), flags=re.S)
    text = re.sub(r"<(script|style|svg|noscript)\b.*?</\1>", " ", text, flags=re.S)
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text)))


def value(found, kind, metric, spec, detail="") -> Row | None:
    rows = (row for row in found.rows if (row.kind, row.metric, row.spec) == (kind, metric, spec))
    return next((row for row in rows if str(row.detail) == detail), None)


def check_sides(found):
    """Every side that the page names is one that a row was measured at."""
    main = {row.S for row in found.rows if (row.kind, row.metric) == ("cost", "ms")}
    sized = {int(row.detail) for row in found.rows if row.metric == "ms_size"}
    text = found.report.read_text()
    words = page(
        found, r'<section id="image-cues".*?</section>|<table class="numbers criteria".*?</table>'
    )
    said = {int(number) for number in re.findall(r"(?<!× )\b(\d+) (?:pixels|px)\b", words)}
    tooltips = {int(number) for number in re.findall(r'"row":"[^"]*, (\d+) px"', text)}
    assert main <= said <= main | sized
    assert tooltips <= sized
    for side in re.findall(r"read at (\d+) pixels", page(found)):
        assert int(side) in main
    for row in found.rows:
        if row.metric.endswith("_size") or (row.kind, row.metric) == ("difference", "size"):
            assert int(row.detail) == row.S


def check_counts(found):
    """Counts of images, groups and classes in the sentences are those of the rows."""
    rows = found.rows
    images = {row.n for row in rows} | {int(r.value) for r in rows if r.unit == "images"}
    groups = {row.groups for row in rows} | {int(r.value) for r in rows if r.unit == "groups"}
    for number in re.findall(r"(\d+) images?\b", found.sentence):
        assert int(number) in images
    for number in re.findall(r"in (\d+) groups", found.sentence):
        assert int(number) in groups


def check_numbers(found):
    """One is one: no plural after 1, no singular after others."""
    text = page(found) + " ".join(note["text"] for note in found.verdict["notes"])
    nouns = "image|group|class|file|pair|vector|object|picture"
    assert not re.search(rf"\b1 ({nouns})(s|es)\b", text)
    assert not re.search(r"\b(0|[2-9]|[1-9]\d+) (image|group|file|pair|vector|object)\b", text)


def check_kilobytes(found):
    for line in found.table():
        for number in re.findall(r"([\d.]+) KB", found.sentence):
            if found.pick == line["spec"]:
                assert float(number) == pytest.approx(line["bytes"] / 1000, rel=0.06)


def check(found):
    check_sides(found)
    check_counts(found)
    check_numbers(found)
    check_kilobytes(found)
    text = page(found)
    assert "".join(found.sentence.split()) in "".join(text.split())
    marked = len(found.verdict["equals"]) > 1 and bool(found.pick)
    assert ("tied with the best" in text.replace("contenders are tied with the best", "")) is marked
    if not any(row.metric == "probe" and row.kind == "accuracy" for row in found.rows):
        lowered = re.sub(r"nothing can be tested.*?\.", "", text.lower())
        lowered = lowered.replace("there are no labels here", "").replace("label-free", "")
        for word in CLASS_WORDS:
            assert word not in lowered, (word, lowered[lowered.index(word) - 80 :][:160])


def test_several_sizes_are_each_named_and_answered(tmp_path):
    data = folder(tmp_path / "data", ["a", "b", "c"], 24)
    found = imrep.compare(data, SPECS, tmp_path / "out", size=32, sizes=(16, 48))
    check(found)
    assert "Image size, for " in found.sentence
    assert page(found).count("read at") == 0  # one size only in the main table, named below it
    assert "size 32 pixels" in page(found)
    for spec in SPECS:
        base = value(found, "accuracy", "probe", spec)
        own = value(found, "accuracy", "probe_size", spec, "32")
        assert (own.value, own.lo, own.hi) == pytest.approx((base.value, base.lo, base.hi))
        assert own.S == 32
        gain = value(found, "difference", "size", spec, "16")
        other = value(found, "accuracy", "probe_size", spec, "16")
        assert other.S == 16
        assert gain.value == pytest.approx(other.value - base.value)
        assert gain.lo <= gain.value <= gain.hi


class Thumbnail(Representation[Vector]):
    """Reads images at a size of its own, as networks do."""

    card = Card(title="Thumbnail", family="test", cite="none")
    canvas = 40

    def encode(self, image):
        assert image.shape[-2:] == (40, 40)
        return Vector(torch.nn.functional.avg_pool2d(image, 8).flatten(1))


def test_every_row_says_the_side_that_was_read(tmp_path):
    """One of a size of its own, alone and in a sum, beside one of each requested size."""
    data = folder(tmp_path / "data", ["a", "b", "c"], 20)
    specs = ["hog", Thumbnail(), Sum([Thumbnail(), imrep.get("hog")])]
    found = imrep.compare(data, specs, tmp_path / "out", size=24, sizes=(17, 33))
    check(found)
    sides: dict[str, set[int]] = {}
    for row in found.rows:
        if row.spec and row.kind not in ("verdict", "failed"):
            sides.setdefault(row.spec, set()).add(row.S)
    assert sides.pop("hog") == {17, 24, 33}
    assert [sides.pop(spec.spec) for spec in specs[1:]] == [{40}, {40}]
    assert all(side == {24} for side in sides.values())  # the controls
    assert {line["spec"] for line in found.by_size()} == {"hog"}
    text = page(found)
    assert "size 24 or 40 pixels (see the table)" in text
    assert "read at 40 pixels" in text


def test_a_size_that_helps_is_said_to_help(tmp_path):
    """Fine lines of two directions: at 8 pixels they are gray."""
    rng, root = np.random.default_rng(0), tmp_path / "data"
    y, x = np.mgrid[:64, :64]
    for name, axis in (("across", x), ("down", y)):
        (root / name).mkdir(parents=True)
        for i in range(40):
            wave = 128 + 90 * np.sin(axis * 1.6 + rng.uniform(0, 6))
            noisy = np.clip(wave[..., None] + rng.normal(0, 70, (64, 64, 3)), 0, 255)
            PIL.Image.fromarray(noisy.astype(np.uint8)).save(root / name / f"{i:02}.png")
    found = imrep.compare(root, ["hog:cell=4"], tmp_path / "out", size=8, sizes=(64,))
    gain = r"64 px gives \d+ points more than 8 \(95% interval \+\d+ to \+\d+\) at [\d.]+ times"
    assert re.search(gain + " the cost; more than chance explains", found.sentence)
    check(found)


def test_retrieval_of_the_same_object_is_the_answer(tmp_path):
    groups = objects(tmp_path / "data", 14, 4)
    specs = ["hog", "histogram", "bilateral"]
    found = imrep.compare(tmp_path / "data", specs, tmp_path / "out", size=32, same_object=groups)
    check(found)
    assert found.pick
    assert "finds the" in found.sentence
    assert "mean average precision" in found.sentence
    scores = [line["object"] for line in found.table()]
    assert scores == sorted(scores, reverse=True)
    text = page(found)
    for line in found.table():
        assert f"{100 * line['object']:.0f}%" in text
        assert f"{100 * line['object_lo']:.0f}–{100 * line['object_hi']:.0f}%" in text
        assert line["object_lo"] <= line["object"] <= line["object_hi"]
    assert "Solid frame: same object" in text
    assert 'data-chart="cost"' in found.report.read_text()
    drawn = [
        line for line in found.report.read_text().splitlines() if "sheet-thumbnails same" in line
    ]
    assert drawn
    best = max(found.table(), key=lambda line: line["object"])
    difference = value(found, "difference", "retrieval", "hog", best["spec"])
    assert best["spec"] == found.verdict["leader"]
    assert difference is None or difference.lo <= difference.value <= difference.hi


def test_beside_classes_retrieval_has_its_own_sentence_and_section(tmp_path):
    """Objects of two classes: accuracy leads, and the verdict on objects is another."""
    groups = objects(tmp_path / "flat", 16, 4)
    for path in groups:
        (tmp_path / "data" / "ab"[int(path[:2]) % 2]).mkdir(parents=True, exist_ok=True)
        (tmp_path / "flat" / path).rename(tmp_path / "data" / "ab"[int(path[:2]) % 2] / path)
    groups = {f"{'ab'[int(path[:2]) % 2]}/{path}": name for path, name in groups.items()}
    specs = ["hog", "histogram", "gradient"]
    found = imrep.compare(tmp_path / "data", specs, tmp_path / "out", size=32, same_object=groups)
    check(found)
    own = found.verdict["retrieval"]
    assert found.sentence.endswith(
        f"For images of the same object: {own['text']}".replace("**", "")
    )
    table = found.table()
    assert [line["accuracy"] for line in table] == sorted(
        (line["accuracy"] for line in table), reverse=True
    )
    best = max(table, key=lambda line: line["object"])
    assert own["leader"] == best["spec"] and own["leader"] in own["equals"]
    text = found.report.read_text()
    assert 'data-chart="object-cost"' in text and 'data-chart="object-differences"' in text
    assert "Retrieval of the same object" in page(found)
    assert "Double frame: same object" in page(found) and "sheet-thumbnails object" in text
    for spec in set(specs) - {own["leader"]}:
        row = value(found, "difference", "retrieval", spec, own["leader"])
        assert row.lo <= row.value <= row.hi <= 0 or row.hi > 0


def test_without_labels(tmp_path):
    objects(tmp_path / "data", 5, 4)
    found = imrep.compare(tmp_path / "data", SPECS, tmp_path / "out", size=32)
    check(found)
    assert found.verdict["sentence"] == "unlabelled"
    assert all("kept" not in line for line in found.table())  # 20 pictures are too few


def test_one_class_is_called_one_class(tmp_path):
    found = imrep.compare(folder(tmp_path / "data", ["disc"], 9), SPECS, tmp_path / "out", size=32)
    check(found)
    assert "one class only, disc, with 9 images" in found.sentence
    assert "no labels" not in page(found)


def test_one_picture(tmp_path):
    found = imrep.compare(folder(tmp_path / "data", ["disc"], 1), SPECS, tmp_path / "out", size=32)
    check(found)
    assert all("moves" not in line for line in found.table())


def test_one_contender(tmp_path):
    data = folder(tmp_path / "data", ["a", "b"], 32)
    found = imrep.compare(data, SPECS[:1], tmp_path / "out", size=32)
    check(found)
    assert found.verdict["sentence"] == "one"


def test_tied(tmp_path):
    data = folder(tmp_path / "data", ["a", "b", "c"], 24)
    found = imrep.compare(data, ["hog", "hog:cell=4"], tmp_path / "out", size=32)
    check(found)


def test_too_few_counts_what_was_tested(tmp_path):
    """Bursts: 48 images, but six shots of each of eight scenes."""
    rng = np.random.default_rng(1)
    for name, angle in (("a", 0.0), ("b", 0.8)):
        (tmp_path / "data" / name).mkdir(parents=True)
        for scene in range(4):
            picture = stripes(rng, angle)
            for shot in range(6):
                noisy = picture + rng.normal(0, 2, picture.shape)
                image = PIL.Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))
                image.save(tmp_path / "data" / name / f"{scene}_{shot}.png")
    found = imrep.compare(tmp_path / "data", SPECS, tmp_path / "out", size=32)
    check(found)
    assert found.verdict["sentence"] == "too few"
    assert "(48 in 8 groups; smallest class 4 groups)" in found.sentence
    need = int(re.search(r"about (\d+) groups a class", found.sentence)[1])
    assert need > 4


def test_a_class_of_copies_is_left_out_by_name_with_a_pair_to_look_at(tmp_path):
    data = folder(tmp_path / "data", ["a", "b"], 30)
    (data / "same").mkdir()
    picture = stripes(np.random.default_rng(9), 1.2)
    for i in range(6):
        PIL.Image.fromarray(picture).save(data / "same" / f"{i}.png", compress_level=i)
    found = imrep.compare(data, SPECS[:1], tmp_path / "out", size=32)
    check(found)
    said = next(note["text"] for note in found.verdict["notes"] if note["id"] == "joined")
    assert said.startswith("All 6 images of same are joined as near-duplicates")
    assert "same/0.png and same/" in said


@pytest.mark.slow
def test_the_built_in_photographs(tmp_path):
    found = imrep.compare(None, ["dct", "hog"], tmp_path / "out")
    check(found)
    assert all(note["id"] != "repeats" for note in found.verdict["notes"])


def test_one_picture_has_no_neighbours(tmp_path):
    root = folder(tmp_path / "data", ["disc"], 1)
    found = imrep.compare(root / "disc" / "00.png", SPECS, tmp_path / "out", size=32)
    check(found)
    assert found.sentence.startswith("There is one image only")
    words = page(found)
    for absent in ("Nearest neighbours", "Principal components", "Similarity of representations"):
        assert absent not in words


def test_a_folder_with_some_labels_is_not_one_without(tmp_path):
    root = folder(tmp_path / "data", ["disc", "wave"], 6)
    for number in range(4):
        (root / "disc" / f"{number:02}.png").rename(root / f"{number}.png")
    found = imrep.compare(root, SPECS, tmp_path / "out", size=32)
    assert "8 of 12 images have a label" in found.sentence
    assert "no labels" not in page(found)


def test_the_legend_names_the_rest_only_where_there_is_one(tmp_path):
    groups = objects(tmp_path / "data", 4, 3)
    found = imrep.compare(tmp_path / "data", SPECS, tmp_path / "out", size=32, same_object=groups)
    tied = {found.pick, *found.verdict["equals"]}
    assert ("● others" in page(found)) == (len(tied) < len(SPECS))
