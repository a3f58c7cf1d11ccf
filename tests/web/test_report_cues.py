"""The section on what the classes hang on, in a real browser: its bars, pictures and numbers."""

import pytest
import report_fixture as fixture

from imrep import report

pytestmark = pytest.mark.browser
NETWORK = "cnn:arch=resnet50.a1_in1k,weights=random,layer=-1"


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cues")
    return report.write(fixture.write(folder, cues=("", NETWORK), count=60))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_bars_of_both_are_drawn_side_by_side_within_the_page(open_page, both, width, scheme):
    page = open_page(both, width, scheme)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") == 0
    section = page.locator("#image-cues")
    dots = section.locator("svg g.mark-symbol path")
    assert dots.count() == 2 * len(fixture.LOSSES)
    boxes = [dot.bounding_box() for dot in dots.all()]
    half = len(fixture.LOSSES)
    for first, second in zip(boxes[:half], boxes[half:], strict=True):
        assert 8 < second["y"] - first["y"] < 16  # one below the other, neither covered
    assert section.locator(".variants li").count() == 8
    assert section.locator(".legend span").count() == 2


def test_hovering_a_bar_tells_its_numbers(open_page, both):
    page = open_page(both)
    page.locator("#image-cues svg g.mark-symbol path").first.hover()
    told = page.locator("#vg-tooltip-element")
    told.wait_for(state="visible")
    text = told.text_content()
    assert "blocks shuffled" in text and "−51 to −43" in text and "37%" in text


def test_the_table_sorts_by_loss(open_page, both):
    page = open_page(both)
    section = page.locator("#image-cues")
    section.get_by_text("Table of these numbers").click()
    section.get_by_role("button", name="combination: difference, points").click()
    names = section.locator("#table-cues tbody .spec").all_text_contents()
    assert names[0] == "fine detail only" and names[-1] == "as it is"  # unknown values are last
