"""What the classes hang on: bars by loss, tables of all, and who was judged."""

import pytest
import report_fixture as fixture

from imrep import results
from imrep.comparison.diagnostics.cues import variants
from imrep.report import cues
from imrep.report.findings import Findings

NETWORK = "cnn:arch=resnet50.a1_in1k,weights=random,layer=-1"


@pytest.fixture
def findings():
    return Findings(fixture.rows("tied", cues=("",)))


@pytest.fixture
def both():
    return Findings(fixture.rows("tied", cues=("", NETWORK)))


def layers(chart, form="wide"):
    return [layer for layer in getattr(chart, form)["layer"] if "data" in layer]


def test_without_numbers_there_is_no_section():
    none = Findings(fixture.rows())
    assert cues.charts(none) == [] and not cues.table(none)
    assert cues.context(none)["judged"] == []


def test_the_variants_are_those_that_are_measured():
    assert tuple(cues.VARIANTS) == variants.VARIANTS
    assert cues.ORIGINAL == variants.ORIGINAL


def test_bars_are_sorted_by_loss_and_have_their_intervals(findings):
    (chart,) = cues.charts(findings)
    bars, ends, dots = layers(chart)
    points = bars["data"]["values"]
    assert points == ends["data"]["values"] == dots["data"]["values"]
    assert [point["row"] for point in points] == sorted(fixture.LOSSES, key=fixture.LOSSES.get)
    losses = sorted(round(100 * loss) for loss in fixture.LOSSES.values())
    assert [point["x"] for point in points] == losses
    assert (points[0]["lo"], points[0]["hi"]) == (-51, -43)
    assert "blocks shuffled −47 (−51 to −43)" in chart.alt


def test_a_network_stands_beside_the_combination(both):
    (chart,) = cues.charts(both)
    first, second = layers(chart)[0], layers(chart)[3]
    assert first["data"]["values"][0]["of"] == "combination"
    assert second["data"]["values"][0]["of"] == both.short[NETWORK]
    assert first["mark"]["yOffset"] < second["mark"]["yOffset"]
    for narrow in layers(chart, "narrow")[:6]:
        assert narrow["mark"]["yOffset"] > 0  # below the name
    titles = [column.title for column in cues.table(both).columns]
    assert titles[0] == "combination: accuracy" and titles[3].startswith(both.short[NETWORK])


def test_the_table_has_accuracy_difference_and_test(findings):
    table = cues.table(findings)
    assert [line.name for line in table.lines] == ["as it is", *fixture.LOSSES]
    assert [cell.text for cell in table.lines[0].cells] == ["84% (77–91%)", "–", "–"]
    shuffled = next(line for line in table.lines if line.name == "blocks shuffled")
    assert [cell.text for cell in shuffled.cells] == [
        "37% (30–44%)", "−47 (−51 to −43)", "< 0.001"
    ]  # fmt: skip


def test_the_section_says_who_was_judged_on_what(both):
    context = cues.context(both)
    assert context["judged"] == ["", NETWORK]
    assert context["images"] == {"": 479, NETWORK: 200}
    assert "dct" in context["parts"] and "scattering" not in context["parts"]
    assert dict(context["legend"])["together"] == "combination"


def test_the_page_has_the_section(tmp_path):
    from imrep import report

    page = report.write(fixture.write(tmp_path, cues=("", NETWORK), count=60)).read_text("utf-8")
    assert 'id="image-cues"' in page and "sheet-variants" in page
    assert page.count("looks at texture") == 1
    assert "variant" in results.__doc__
