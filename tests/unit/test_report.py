"""The page: everything in it, nothing beside it, and nobody's file name runs in it."""

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest
import report_fixture as fixture
import vl_convert
from hypothesis import given
from hypothesis import strategies as st

from imrep import report, results
from imrep.assets import Assets
from imrep.errors import BadData
from imrep.report import (
    curves,
    differences,
    frame,
    heat,
    labels,
    method,
    page,
    scatter,
    tables,
    words,
)
from imrep.report.findings import Findings
from imrep.results import Row

EVIL = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7*7 }}"
RANKED = ("nothing", "noise", "one", "too few", "none", "solved", "clear", "tied")


class Page(HTMLParser):
    """Elements with their attributes, and the text that stands outside scripts and styles."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.text, self.blocks, self._inside = [], "", {}, None
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag in ("script", "style"):
            self._inside = dict(attributes).get("id", tag)

    def handle_endtag(self, tag):
        self._inside = None if tag in ("script", "style") else self._inside

    def handle_data(self, data):
        if self._inside:
            self.blocks[self._inside] = self.blocks.get(self._inside, "") + data
        else:
            self.text += data

    def count(self, tag):
        return sum(name == tag for name, _ in self.elements)


FEW = {spec: fixture.SPECS[spec] for spec in ("dct", "scattering", "fourier", "histogram", "hog")}


def drawn(folder, *args, **more):
    more = {"count": 20, "specs": FEW, **more}
    return Page(report.write(fixture.write(folder, *args, **more)).read_text())


@pytest.fixture(scope="module")
def tied(tmp_path_factory):
    return drawn(tmp_path_factory.mktemp("tied"), specs=fixture.SPECS)


def test_only_the_page_is_added_and_it_needs_nothing_else(tmp_path):
    fixture.write(tmp_path, count=20, specs=FEW)
    before = {path.name for path in tmp_path.iterdir()}
    written = report.write(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} - before == {"index.html"}
    for tag, attributes in Page(written.read_text()).elements:
        for name in ("src", "href", "srcset", "action", "data", "poster"):
            assert (attributes.get(name) or "#").startswith("#"), (tag, attributes)
    styles = "".join(re.findall(r"<style>.*?</style>", written.read_text(), re.S))
    assert set(re.findall(r"url\((.{5})", styles)) == {"data:"}
    assert "@import" not in styles


def test_every_number_of_the_table_is_read_without_scripts(tied):
    findings = Findings(fixture.rows())
    for spec in [*findings.contenders, *findings.controls]:
        assert spec in tied.text
    for table in (tables.main(findings), tables.differences(findings), tables.spread(findings)):
        for line in table.lines:
            for cell in line.cells:
                assert cell.text in tied.text
    assert tied.count("svg") == tied.count("figure") == 6  # each plot has its static copy


@pytest.mark.parametrize("sentence", RANKED)
def test_every_verdict_has_its_page(tmp_path, sentence):
    lines = fixture.rows(sentence, specs=FEW)
    verdict = Findings(lines).verdict
    html = drawn(tmp_path, sentence)
    said = verdict["text"].replace("**", "")
    assert said in html.text
    assert ("recommended" in html.text) is (sentence in ("clear", "tied", "solved"))


def test_without_labels_nothing_is_ranked(tmp_path):
    findings = Findings(fixture.rows("unlabelled"))
    assert findings.contenders == sorted(fixture.SPECS)
    html = drawn(tmp_path, "unlabelled", sizes=True)
    assert "nothing is ranked" in html.text
    shown = {attributes.get("data-chart") for _, attributes in html.elements} - {None}
    assert shown == {"stability", "similarity", "size-costs"}
    for word in ("recommended", "tied", "guessing gives", "Difference to the best", "same class"):
        assert word not in html.text


def test_names_of_files_classes_and_specs_stay_names(tmp_path):
    specs = {f"cnn:weights='{EVIL}'": fixture.SPECS["dct"], "hog": fixture.SPECS["hog"]}
    folder = fixture.write(
        tmp_path,
        "tied",
        specs=specs,
        count=14,
        classes=3,
        name=EVIL,
        failed=[(EVIL, "error", EVIL)],
        warnings=[{"id": "file", "text": EVIL}],
        notes=[{"id": "single", "text": EVIL}],
    )
    index = folder / "assets" / "assets.json"
    known = json.loads(index.read_text())
    known["labels"] = known["paths"] = [EVIL] * 14
    known["classes"] = [EVIL, EVIL + "2", EVIL + "3"]
    known["pairs"] = [([EVIL, EVIL], [EVIL, "b"]), *known["pairs"][1:]]
    known["skipped"] = [[EVIL, EVIL]]
    index.write_text(json.dumps(known))
    html = Page(report.write(folder).read_text())
    assert html.count("script") == 3
    assert html.count("img") == 0
    assert not [a for _, attributes in html.elements for a in attributes if a.startswith("on")]
    assert "49" not in {attributes.get("title") for _, attributes in html.elements}
    assert json.loads(html.blocks["data"])["paths"] == [EVIL] * 14
    assert EVIL in html.text


def test_a_failed_one_and_one_left_out_are_named_with_the_way_in(tmp_path):
    failed = [
        ("sift:words=256", "error", "sift needs at least 256 descriptors, got 90."),
        ("vit", "weights", "its tag is not in the cache. Add --download."),
    ]
    html = drawn(tmp_path, "tied", failed=failed)
    assert all(text in html.text for spec, _, reason in failed for text in (spec, reason))
    assert "2 files could not be read" in html.text
    assert "could not run" in html.text
    assert "needs weights" in html.text


def test_an_exact_inverse_stands_with_the_length_of_its_code(tied):
    assert "exact inverse of the code (16,383 numbers): 142.3 dB" in tied.text


def test_older_results_have_no_length_of_the_code(tmp_path):
    folder = fixture.write(tmp_path, count=20, specs=fixture.SPECS)
    rows = results.read(folder / results.FILENAME)
    results.write(folder / results.FILENAME, [r for r in rows if r.metric != "code_numbers"])
    assert "exact inverse of the code: 142.3 dB" in Page(report.write(folder).read_text()).text


def test_pairs_with_two_labels_come_first_and_in_words(tied):
    assert "1 near-identical pair carries different labels" in tied.text
    classes = [attributes.get("class") for tag, attributes in tied.elements if tag == "li"]
    assert classes.index("conflict") < classes.index("")


def test_what_the_run_says_of_copies_stands_once_beside_their_pictures(tmp_path):
    said = "7 images look like near-copies, but are patches that do not overlap."
    html = drawn(tmp_path, notes=[{"id": "copies", "text": said}, {"id": "single", "text": "One."}])
    assert html.text.count(said) == 1
    assert html.text.index("One.") < html.text.index("Near-duplicates") < html.text.index(said)


def test_the_page_stays_under_eight_megabytes(tmp_path):
    many = {f"filterbank:bank=random,size={i}": fixture.SPECS["sift"] for i in range(25)}
    folder = fixture.write(tmp_path, specs=many, classes=100, count=600)
    known = Assets.load(folder)
    kept = {name: getattr(known, name) for name in Assets.__dataclass_fields__}
    noise = np.random.default_rng(0).integers(0, 256, known.thumbnails.shape, np.uint8)
    Assets(**{**kept, "thumbnails": noise}).save(folder)  # nothing compresses worse
    assert report.write(folder).stat().st_size < 8_000_000


def test_a_page_too_large_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(page, "_MAX_BYTES", 1000)
    fixture.write(tmp_path, count=10)
    with pytest.raises(BadData, match="at most 1,000 bytes"):
        report.write(tmp_path)
    assert not (tmp_path / "index.html").exists()


def test_no_verdict_no_page(tmp_path):
    Assets().save(tmp_path)
    results.write(tmp_path / "results.jsonl", [Row(kind="cost", metric="ms", value=1.0)])
    with pytest.raises(BadData, match="one verdict among 1 rows"):
        report.write(tmp_path)


def test_the_least_that_can_be_reported(tmp_path):
    """One representation that ran, no pictures: as after `--max 0` of everything optional."""
    Assets().save(tmp_path)
    rows = [
        Row(kind="cost", metric="ms", value=1.0, unit="ms", spec="hog", role="contender"),
        Row(kind="verdict", metric="sentence", detail={"sentence": "nothing", "text": "Nothing"}),
    ]
    results.write(tmp_path / "results.jsonl", rows)
    assert "hog" in Page(report.write(tmp_path).read_text()).text


def test_same_rows_same_page(tmp_path):
    fixture.write(tmp_path, count=20, specs=FEW)
    assert report.write(tmp_path).read_bytes() == report.write(tmp_path).read_bytes()


def test_torch_is_not_imported():
    code = "import sys, imrep.report.page; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# findings


@pytest.mark.parametrize(
    ("specs", "short"),
    [
        (["hog", "dct"], ["hog", "dct"]),
        (["hog:cell=4", "dct"], ["hog", "dct"]),
        (["hog", "hog:cell=4"], ["hog", "hog cell=4"]),
        (["hog", "hog+dct"], ["hog", "hog + dct"]),
        (
            ["cnn:arch=resnet50.a1_in1k,weights=random,layer=-1"],
            ["cnn resnet50.a1_in1k (random)"],
        ),
        (["cnn:weights='/a,b+c',layer=2", "cnn"], ["cnn weights='/a,b+c' layer=2", "cnn"]),
        (
            ["cnn:arch=r18,weights=random", "cnn:arch=r18,weights=random,layer=-2"],
            ["cnn r18 (random)", "cnn r18 (random) layer=-2"],
        ),
    ],
)
def test_short_names_tell_apart(specs, short):
    rows = [Row(kind="cost", metric="ms", value=1, spec=s, role="contender") for s in specs]
    names = Findings(rows).short
    assert [names[spec] for spec in specs] == short


def test_contenders_are_ordered_by_accuracy_and_the_failed_left_out():
    findings = Findings(fixture.rows(failed=[("hog", "error", "x")]))
    accuracy = [findings.value("accuracy", "probe", spec) for spec in findings.contenders]
    assert accuracy == sorted(accuracy, reverse=True)
    assert "hog" not in findings.contenders


def test_standings_are_those_of_the_verdict():
    findings = Findings(fixture.rows("tied"))
    found = {spec: findings.standing(spec) for spec in ("dct", "scattering", "hog", "noise")}
    assert found == {"dct": "pick", "scattering": "tied", "hog": "other", "noise": "control"}
    assert Findings(fixture.rows("noise")).standing("dct") == "other"


@pytest.mark.parametrize(
    ("name", "said"),
    [("noise", "random"), ("frame", "outer"), ("file bytes", "bytes"), ("file facts", "format")],
)
def test_every_control_is_explained(name, said):
    rows = [Row(kind="accuracy", metric="probe", value=0.1, spec=name, role="control")]
    [(spec, meaning)] = method.controls(Findings(rows))
    assert spec == name
    assert said in meaning


# words


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (words.percent(0.842), "84%"),
        (words.percent(None), "–"),
        (words.interval(0.77, 0.912), "77–91%"),
        (words.points(-0.142), "−14"),
        (words.points(0.06), "+6"),
        (words.points(-0.001), "0"),
        (words.probability(0.0004), "< 0.001"),
        (words.probability(0.0042), "0.004"),
        (words.probability(0.37), "0.37"),
        (words.digits(0.0834), "0.083"),
        (words.digits(0.0004), "0.00040"),
        (words.digits(2.64), "2.6"),
        (words.digits(1953.4), "1,953"),
        (words.kilobytes(3120), "3.1"),
        (words.decibels(17.32), "17.3 dB"),
        (words.decibels(200.0), "no error"),
        (words.several(1, "image", "images"), "1 image"),
        (words.several(1000, "image", "images"), "1,000 images"),
    ],
)
def test_numbers_in_words(said, expected):
    assert said == expected


# labels


_pixels = st.floats(0, 400, allow_nan=False)
_dots = st.builds(
    lambda x, y, up, down, name: labels.Dot(x, y, y - up, y + down, name),
    _pixels,
    _pixels,
    st.floats(0, 60),
    st.floats(0, 60),
    st.text("abcdef", min_size=1, max_size=40),
)


@given(st.lists(_dots, max_size=12))
def test_names_cover_no_other_name_and_no_dot_and_stay_inside(dots):
    places = labels.placed(dots, 400, 400)
    assert len(places) == len(dots)
    boxes = [labels._box(d, p) for d, p in zip(dots, places, strict=True) if p is not None]
    for i, (left, top, right, bottom) in enumerate(boxes):
        assert left >= 0
        assert top >= 0
        assert right <= 400
        assert bottom <= 400
        for other in boxes[:i]:
            assert right <= other[0] or left >= other[2] or bottom <= other[1] or top >= other[3]
        for dot in dots:
            assert not (left < dot.x < right and top < dot.y < bottom)


def test_a_lone_name_stands_beside_its_dot():
    [place] = labels.placed([labels.Dot(100, 100, 80, 120, "hog")], 400, 400)
    assert place == labels.Label("left", labels.GAP, 100)


@given(st.lists(st.tuples(_pixels, st.floats(1, 40)), min_size=1, max_size=25))
def test_spread_keeps_order_and_distance_and_moves_nothing_without_need(things):
    wanted, sizes = zip(*things, strict=True)
    placed = labels.spread(wanted, sizes)
    order = sorted(range(len(wanted)), key=wanted.__getitem__)
    for i, j in pairwise(order):
        assert placed[j] - placed[i] >= (sizes[i] + sizes[j]) / 2 - 1e-6
    far = [1000.0 * i for i in range(len(wanted))]
    assert labels.spread(far, sizes) == pytest.approx(far)


# plots


CHARTS = {
    "cost": scatter.accuracy_and_cost,
    "differences": differences.differences,
    "labels": lambda run: curves.curves(run, "probe_curve", "labels", "labels a class"),
    "sizes": lambda run: curves.curves(run, "probe_size", "sizes", "side"),
    "size-costs": lambda run: curves.curves(run, "ms_size", "size-costs", "side"),
    "stability": heat.stability,
    "similarity": heat.similarity,
    "confusion": lambda _: heat.confusion(["a", "b" * 70], [[3, 1], [0, 4]]),
}


@pytest.mark.parametrize("form", ["wide", "narrow"])
@pytest.mark.parametrize("id", CHARTS)
def test_plots_are_valid_and_coloured_by_the_page_alone(id, form):
    chart = CHARTS[id](Findings(fixture.rows("tied", sizes=True)))
    assert chart.id == id
    spec = getattr(chart, form)
    svg = vl_convert.vegalite_to_svg({**spec, "width": 500}, vl_version=frame.VEGA_LITE)
    colours = set(re.findall(r'(?:fill|stroke)="([^"]*)"', svg))
    assert colours - {"none", "transparent", "#000"} == {c for c in colours if "var(" in c}
    assert chart.alt


def test_of_many_classes_the_most_confused_are_shown():
    counts = (10 * np.eye(100, dtype=int)).tolist()
    counts[70][3], counts[5][90] = 9, 8
    cells = heat.confusion([f"class {i}" for i in range(100)], counts).wide["data"]["values"]
    shown = {cell["spec"] for cell in cells}
    assert {"class 70", "class 3", "class 5", "class 90"} <= shown
    assert len(cells) == 16 * 16
    worst = next(c for c in cells if (c["spec"], c["predicted"]) == ("class 70", "class 3"))
    assert worst["value"] == pytest.approx(9 / 19)


@given(st.text("ab _-", max_size=80), st.integers(4, 30))
def test_wrapped_lines_are_short_and_lose_nothing_before_the_third(name, width):
    lines = frame.wrapped(name, width).split("\n")
    assert len(lines) <= 3
    assert all(len(line) <= width + 1 for line in lines)
    kept = "".join(lines).removesuffix("…").replace(" ", "")
    assert name.replace(" ", "").startswith(kept)
    if not lines[-1].endswith("…"):
        assert kept == name.replace(" ", "")


@pytest.mark.slow
def test_writing_takes_few_seconds_of_processor_time(tmp_path):
    """Four on a quiet machine, most of them Vega's bundle; twice that is a fault of ours."""
    fixture.write(tmp_path)
    code = (
        "import sys, time; from imrep import report; report.write(sys.argv[1]);"
        "print(time.process_time())"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    ran = subprocess.run(command, check=True, capture_output=True, text=True)
    assert float(ran.stdout) < 8


def test_what_was_made_from_files_stands_with_its_fingerprint():
    facts = dict(method.facts(Findings(fixture.rows())))
    assert facts["fingerprints"] == "cnn:arch=resnet50.a1_in1k,weights=random,layer=-1 0005"
    assert "fingerprints" not in dict(method.facts(Findings(fixture.rows(specs=FEW))))
