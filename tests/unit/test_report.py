"""The page: everything in it, nothing beside it, and nobody's file name runs in it."""

import dataclasses
import json
import re
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
import report_fixture as fixture

from imrep import answers, report, results
from imrep.assets import Assets
from imrep.errors import BadData
from imrep.report import page, results_table, tables
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
    main, spread = results_table.main(findings), results_table.spread(findings)
    for table in (main, tables.differences(findings), spread):
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
    known["pairs"] = [([EVIL, EVIL], [EVIL, "b"], EVIL), *known["pairs"][1:]]
    known["skipped"] = [[EVIL, EVIL]]
    index.write_text(json.dumps(known))
    table = fixture.answer_table(specs, 14, 3)
    table = dataclasses.replace(table, names=known["classes"], paths=[EVIL] * 28)
    answers.write(folder, table)
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
    assert "the same picture in two classes, look at the labels" in tied.text
    assert tied.text.index("mirrored, agreement 0.99") < tied.text.index("darker ×0.64")
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
