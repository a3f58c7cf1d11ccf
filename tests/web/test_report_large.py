"""A page of 2,000 images and nineteen representations stays small, and does little at a time."""

import pytest
import report_fixture as fixture

from imrep import report
from imrep.assets import THUMBNAILS

pytestmark = pytest.mark.browser

MAX_BYTES, MAX_ELEMENTS, MAX_TILES = 6_500_000, 9_000, 100
NAMES = [f"hog:cell={cell}" for cell in range(2, 21)]


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    specs = dict.fromkeys(NAMES, fixture.SPECS["hog"])
    folder = tmp_path_factory.mktemp("large")
    return report.write(fixture.write(folder, specs=specs, classes=2, count=THUMBNAILS))


def elements(page):
    return page.evaluate("document.querySelectorAll('*').length")


def test_it_is_small_and_has_few_elements(open_page, large):
    assert large.stat().st_size < MAX_BYTES
    page = open_page(large)
    assert page.locator(".sheet [role=option]").count() == THUMBNAILS
    assert elements(page) < MAX_ELEMENTS
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") == 0


def test_a_large_cell_opens_in_parts(open_page, large):
    page = open_page(large)
    before = elements(page)
    page.locator("#matrix button").first.click()
    tiles = page.locator("#cell-images .tile")
    assert tiles.count() == MAX_TILES
    assert elements(page) - before < 20 * MAX_TILES
    more = page.get_by_role("button", name="more images")
    remainder = int(more.text_content().split()[1].replace(",", ""))
    more.press("Enter")
    assert tiles.count() == MAX_TILES + remainder and more.count() == 0
    focused = "document.activeElement.matches('.cell-tiles li:nth-child(101)')"
    assert page.evaluate(focused)  # one goes on where one was
    page.keyboard.press("Escape")
    assert elements(page) == before


def test_the_map_is_painted_once_a_frame_and_changes_no_element(open_page, large):
    page = open_page(large)
    page.wait_for_selector(".map[data-painted]")
    assert page.locator(".map *").count() == 1
    page.locator(".map").scroll_into_view_if_needed()
    page.evaluate(
        """() => {
          window.changes = 0;
          new MutationObserver((all) => { window.changes += all.length; }).observe(
            document.querySelector(".map"), { subtree: true, childList: true });
          window.paints = 0;
          const { scale } = CanvasRenderingContext2D.prototype;
          CanvasRenderingContext2D.prototype.scale = function (...all) {
            window.paints += 1;
            return scale.apply(this, all);
          };
        }"""
    )
    paints = page.evaluate(
        """() => new Promise((done) => {
          const map = document.querySelector(".map");
          for (let i = 0; i < 50; i++) {
            map.dispatchEvent(new KeyboardEvent("keydown", { key: i % 2 ? "+" : "ArrowRight" }));
          }
          requestAnimationFrame(() => setTimeout(() => done(window.paints)));
        })"""
    )
    assert paints == 1
    assert page.evaluate("window.changes") == 0


def test_choosing_a_query_changes_its_own_elements_alone(open_page, large):
    page = open_page(large)
    before = elements(page)
    page.locator(".sheet [role=option]").nth(1_234).click()
    assert elements(page) == before
    assert page.locator(".sheet [aria-selected=true]").count() == 1
    assert page.locator(".answers button").count() == 5 * len(NAMES)
