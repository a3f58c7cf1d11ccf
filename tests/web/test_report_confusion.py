"""A cell of the confusion matrix opens its images: by mouse, by keyboard, on a phone, on paper."""

import numpy as np
import pytest
import report_fixture as fixture

from imrep import report

pytestmark = pytest.mark.browser

PANEL = "#cell-images"


def first_error():
    """(true, predicted, paths with a thumbnail, paths without) of the first wrong answer."""
    paths, truth, predicted = fixture.answered(120, 10)
    i = next(i for i in range(120) if truth[i] != predicted[i])
    same = np.flatnonzero((truth == truth[i]) & (predicted == predicted[i])).tolist()
    return (
        *(truth[i], predicted[i]),
        [paths[j] for j in same if j < 120],
        [paths[j] for j in same if j >= 120],
    )


def cell(page, true, predicted):
    return page.locator(f'#matrix [data-cell="{true},{predicted}"] button')


def focused(page):
    return page.evaluate("document.activeElement.dataset.cell")


@pytest.mark.parametrize("width", [1280, 390])
def test_a_click_opens_the_images_of_a_cell(open_page, tied, width):
    true, predicted, with_tile, without = first_error()
    page = open_page(tied, width)
    button = cell(page, true, predicted)
    assert not page.locator(PANEL).is_visible()
    button.click()
    titles = page.eval_on_selector_all(
        f"{PANEL} .tile", "all => all.map(e => [e.title, e.getAttribute('aria-label')])"
    )
    assert [title.split(", ")[-1] for title, _ in titles] == with_tile
    assert all(title == label for title, label in titles)
    captions = page.locator(".cell-tiles li").all_text_contents()
    assert all(path in caption for path, caption in zip(with_tile, captions, strict=True))
    names = page.locator(".cell-names li").all_text_contents()
    assert len(names) == len(without) and all(path in "".join(names) for path in without)
    assert f"{len(without)} image" in page.locator(PANEL).text_content()
    assert button.get_attribute("aria-expanded") == "true"
    name = fixture.class_names(10)[true]
    assert page.locator("#status").text_content().startswith(f"{name}, predicted ")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") == 0
    button.click()
    assert not page.locator(PANEL).is_visible()


def test_cells_are_reached_and_left_by_keys(open_page, tied):
    page = open_page(tied)
    assert page.locator("#matrix button[tabindex='0']").count() == 1
    page.locator("#matrix button").first.focus()
    assert focused(page) == "0,0"
    page.keyboard.press("ArrowRight")
    right = focused(page)
    assert right.startswith("0,") and right != "0,0"
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")  # there is none: stays
    assert focused(page) == "0,0"
    page.keyboard.press("ArrowDown")
    assert focused(page).endswith(",0") and focused(page) != "0,0"
    page.keyboard.press("Enter")
    assert page.locator(PANEL).is_visible()
    opened = focused(page)
    page.keyboard.press("Escape")
    assert not page.locator(PANEL).is_visible() and focused(page) == opened
    page.keyboard.press("Space")
    page.get_by_role("button", name="Close").press("Enter")
    assert not page.locator(PANEL).is_visible() and focused(page) == opened


def test_a_line_of_the_errors_opens_its_images_too(open_page, tmp_path):
    page = open_page(report.write(fixture.write(tmp_path, classes=40, count=160)), 390)
    line = page.locator("#table-errors tbody tr").last
    true, predicted = line.locator("th, td").all_text_contents()[:2]
    line.get_by_role("button").click()
    assert f"{true}, predicted {predicted}: " in page.locator(f"{PANEL} h3").text_content()
    page.locator("#table-errors thead button").last.click()
    page.locator("#table-errors thead button").last.click()  # sorted anew, buttons stay theirs
    for row in page.locator("#table-errors tbody tr").all()[:3]:
        names = row.locator("th, td").all_text_contents()[:2]
        label = row.get_by_role("button").get_attribute("aria-label")
        assert label.startswith(f"{names[0]}, predicted {names[1]}: ")


def test_every_tile_names_its_file(open_page, tied):
    page = open_page(tied)
    cell(page, 0, 0).click()
    nameless = page.eval_on_selector_all(
        ".tile", "all => all.filter(e => !/[.]png/.test(e.title)).map(e => e.className)"
    )
    assert nameless == []


def test_on_paper_the_matrix_stays_and_an_open_cell_is_printed(open_page, tied):
    page = open_page(tied, 690)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.locator("#matrix").is_visible() and not page.locator(PANEL).is_visible()
    assert page.locator("#matrix td[data-cell]").first.text_content() == "83"
    cell(page, 0, 0).evaluate("button => button.click()")
    assert page.locator(f"{PANEL} .cell-tiles").is_visible()
    assert not page.locator(f"{PANEL} header button").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_without_scripts_the_numbers_are_read(open_page, tied):
    page = open_page(tied, scripts=False)
    assert page.locator("#matrix button").count() == 0
    assert page.locator("#matrix tbody td").count() == 100
    assert page.locator("#table-errors tbody tr").count() == 10
