"""The map of the images in a real browser: it opens on the pick, zooms, moves and colours."""

import pytest
import report_fixture as fixture

from imrep import report

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def second_is_picked(tmp_path_factory):
    """A run whose pick is not the most accurate."""
    specs = {spec: fixture.SPECS[spec] for spec in ("scattering", "dct", "hog")}
    return report.write(fixture.write(tmp_path_factory.mktemp("map"), specs=specs, count=60))


def spots(page):
    """Left and top of each image, relative to the map."""
    return page.evaluate(
        """() => {
          const map = document.querySelector(".map").getBoundingClientRect();
          const boxes = [...document.querySelectorAll(".map .tile")].map((tile) =>
            tile.getBoundingClientRect());
          return boxes.map((box) => [box.left + box.width / 2 - map.left,
            box.top + box.height / 2 - map.top]);
        }"""
    )


def extent(page):
    """Width of the cloud of images, px."""
    lefts = [left for left, _ in spots(page)]
    return max(lefts) - min(lefts)


def test_it_opens_on_the_pick_and_says_the_variance(open_page, second_is_picked):
    page = open_page(second_is_picked)
    assert page.locator("#map-of option").first.text_content() == "dct"  # the most accurate
    assert page.locator("#map-of").input_value() == "scattering"
    said = page.locator("#map-variance").text_content()
    assert "38% (25% and 13%) of the variance of scattering" in said
    assert "of scattering" in page.locator(".map").get_attribute("aria-label")


def test_every_image_lies_within_the_whole_map(open_page, second_is_picked):
    for width in (1280, 390):
        page = open_page(second_is_picked, width)
        box = page.locator(".map").bounding_box()
        for left, top in spots(page):
            assert 0 < left < box["width"] and 0 < top < box["height"]


def test_classes_have_colours_and_one_comes_to_the_front(open_page, second_is_picked):
    page = open_page(second_is_picked)
    colours = page.eval_on_selector_all(
        ".map .tile", "all => all.map((e) => getComputedStyle(e).outlineColor)"
    )
    assert len(set(colours[1:6])) == 1  # the first is selected
    assert len(set(colours[1:])) >= 10
    chip = page.locator(".map-classes button").nth(2)
    chip.click()
    assert chip.get_attribute("aria-pressed") == "true"
    assert page.locator(".map .front").count() == 6
    dimmed = page.locator(".map .tile:not(.front):not(.selected)").first
    assert float(dimmed.evaluate("(e) => getComputedStyle(e).opacity")) < 0.5
    chip.click()
    assert page.locator(".map .front").count() == 0


def test_it_zooms_by_button_key_wheel_and_double_click(open_page, second_is_picked):
    page = open_page(second_is_picked)
    whole = extent(page)
    assert page.locator("#zoom-out").is_disabled()
    page.locator("#zoom-in").click()
    assert extent(page) == pytest.approx(1.5 * whole, rel=0.01)
    page.locator("#zoom-fit").click()
    assert extent(page) == pytest.approx(whole)
    page.locator(".map").focus()
    page.keyboard.press("+")
    page.keyboard.press("+")
    assert extent(page) == pytest.approx(2.25 * whole, rel=0.01)
    page.keyboard.press("-")
    page.keyboard.press("0")
    assert extent(page) == pytest.approx(whole)
    box = page.locator(".map").bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.wheel(0, -300)
    assert extent(page) > 2 * whole
    page.keyboard.press("0")
    page.mouse.dblclick(box["x"] + 8, box["y"] + 8)
    assert extent(page) == pytest.approx(2 * whole, rel=0.01)


def test_the_wheel_moves_the_page_until_the_map_is_chosen(open_page, second_is_picked):
    page = open_page(second_is_picked)
    whole = extent(page)
    page.locator(".map").scroll_into_view_if_needed()
    box = page.locator(".map").bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.wheel(0, -100)
    assert extent(page) == pytest.approx(whole)


def test_it_moves_by_arrows_and_by_dragging(open_page, second_is_picked):
    page = open_page(second_is_picked)
    page.locator("#zoom-in").click()
    page.locator(".map").focus()
    before = spots(page)[0]
    page.keyboard.press("ArrowRight")
    assert spots(page)[0][0] == pytest.approx(before[0] - 60, abs=1)
    before = spots(page)[0]
    box = page.locator(".map").bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 140, box["y"] + 120, steps=4)
    page.mouse.up()
    assert spots(page)[0] == pytest.approx([before[0] + 40, before[1] + 20], abs=1)


def test_it_follows_the_choice_and_asks(open_page, second_is_picked):
    page = open_page(second_is_picked)
    before = spots(page)
    page.select_option("#map-of", "hog")
    assert spots(page) != before
    page.locator(".map .tile[data-i='33']").dispatch_event("click")
    assert page.locator(".query-image .note").text_content().endswith("0033.png")
    assert page.locator(".map .selected").get_attribute("data-i") == "33"
