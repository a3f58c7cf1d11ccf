"""The map of the images in a real browser: it opens on the pick, zooms, moves and colours."""

import io

import numpy as np
import PIL.Image
import pytest
import report_fixture as fixture

from imrep import report

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def second_is_picked(tmp_path_factory):
    """A run whose pick is not the most accurate."""
    specs = {spec: fixture.SPECS[spec] for spec in ("scattering", "dct", "hog")}
    return report.write(fixture.write(tmp_path_factory.mktemp("map"), specs=specs, count=60))


@pytest.fixture
def open_map(open_page):
    def opened(path, width=1280, scheme="light"):
        page = open_page(path, width, scheme)
        page.wait_for_selector(".map[data-painted]")
        page.locator(".map").scroll_into_view_if_needed()
        return page

    return opened


def spots(page):
    """Left and top of each image, px, relative to the map; the pointer checks them below."""
    return page.evaluate(
        """() => {
          const map = document.querySelector(".map");
          const data = JSON.parse(document.querySelector("#data").textContent);
          const spec = document.querySelector("#map-of").value;
          const points = data.neighbours.find((view) => view.spec === spec).map;
          const [x, y, zoom] = map.dataset.camera.split(" ").map(Number);
          const [width, height] = [map.clientWidth, map.clientHeight];
          const fit = (side, axis) =>
            (side / 2 - 22) / Math.max(...points.map((point) => Math.abs(point[axis])));
          const unit = zoom * Math.min(fit(width, 0), fit(height, 1));
          return points.map((point) => [width / 2 + (point[0] - x) * unit,
            height / 2 + (point[1] - y) * unit]);
        }"""
    )


def extent(page):
    """Width of the cloud of images, px."""
    lefts = [left for left, _ in spots(page)]
    return max(lefts) - min(lefts)


def lonely(page):
    """The image that lies farthest from all others."""
    xy = np.array(spots(page))
    distances = np.linalg.norm(xy[:, None] - xy, axis=2) + 1e9 * np.eye(len(xy))
    return int(distances.min(1).argmax())


def painted(page):
    """The pixels of the map, (rows, columns, 3), once it is painted again."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    return np.asarray(PIL.Image.open(io.BytesIO(page.locator(".map").screenshot())).convert("RGB"))


def around(pixels, spot, radius=8):
    left, top = (round(value) for value in spot)
    return pixels[top - radius : top + radius, left - radius : left + radius].astype(int)


def point(page, i):
    """Move the pointer over an image."""
    box, (left, top) = page.locator(".map").bounding_box(), spots(page)[i]
    page.mouse.move(box["x"] + left, box["y"] + top)


def test_it_opens_on_the_pick_and_says_the_variance(open_map, second_is_picked):
    page = open_map(second_is_picked)
    assert page.locator("#map-of option").first.text_content() == "dct"  # the most accurate
    assert page.locator("#map-of").input_value() == "scattering"
    said = page.locator("#map-variance").text_content()
    assert "38% (25% and 13%) of the variance of scattering" in said
    assert "of scattering" in page.locator(".map").get_attribute("aria-label")


@pytest.mark.parametrize("width", [1280, 390])
def test_every_image_lies_within_the_whole_map_and_is_painted(open_map, second_is_picked, width):
    page = open_map(second_is_picked, width)
    box, pixels = page.locator(".map").bounding_box(), painted(page)
    panel = pixels[3, 3]
    for left, top in spots(page):
        assert 0 < left < box["width"] and 0 < top < box["height"]
        differs = (around(pixels, (left, top)) != panel).any(axis=2)
        assert differs.mean() > 0.9


def test_the_pointer_names_the_image_under_it(open_map, second_is_picked):
    page = open_map(second_is_picked)
    i = lonely(page)
    point(page, i)
    assert page.locator(".map").get_attribute("title").endswith(f"{i:04d}.png")
    page.locator("#zoom-in").hover()
    assert page.locator(".map").get_attribute("title") == ""


def test_the_tile_of_an_image_is_that_of_the_sheet(open_map, second_is_picked):
    page = open_map(second_is_picked)
    i = lonely(page)
    page.locator(".map").focus()
    point(page, i)
    for _ in range(4):  # at the pointer, where the image stays
        page.mouse.wheel(0, -300)
    expected = fixture.assets(count=60).thumbnails[i]
    inside = around(painted(page), spots(page)[i], 20)
    small = np.asarray(PIL.Image.fromarray(expected).resize((64, 64)))[12:52, 12:52]
    assert abs(inside - small.astype(int)).mean() < 12


def test_classes_have_colours_and_one_comes_to_the_front(open_map, second_is_picked):
    page = open_map(second_is_picked)
    chips = page.locator(".map-classes button")
    colours = page.eval_on_selector_all(
        ".map-classes i", "all => all.map((e) => getComputedStyle(e).backgroundColor)"
    )
    assert len(set(colours)) == chips.count() == 10
    i = lonely(page)
    label = i // 6  # six of each class, in order
    plain = around(painted(page), spots(page)[i])
    chips.nth((label + 1) % 10).click()
    assert chips.nth((label + 1) % 10).get_attribute("aria-pressed") == "true"
    dimmed = around(painted(page), spots(page)[i])
    assert dimmed.std() < 0.5 * plain.std()
    chips.nth(label).click()
    assert page.locator(".map-classes [aria-pressed=true]").count() == 1
    assert np.array_equal(around(painted(page), spots(page)[i]), plain)


def test_frames_follow_the_colours_of_the_scheme(open_map, second_is_picked):
    page = open_map(second_is_picked)
    i = lonely(page)
    light = around(painted(page), spots(page)[i], 9)
    page.emulate_media(color_scheme="dark")
    dark = around(painted(page), spots(page)[i], 9)
    assert abs(light[1, 4:14] - dark[1, 4:14]).mean() > 10  # its frame


def test_it_zooms_by_button_key_wheel_and_double_click(open_map, second_is_picked):
    page = open_map(second_is_picked)
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


def test_the_wheel_moves_the_page_until_the_map_is_chosen(open_map, second_is_picked):
    page = open_map(second_is_picked)
    whole = extent(page)
    box = page.locator(".map").bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.wheel(0, -100)
    assert extent(page) == pytest.approx(whole)


def test_it_moves_by_arrows_and_by_dragging(open_map, second_is_picked):
    page = open_map(second_is_picked)
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


def query(page):
    return page.locator(".query-image .note").text_content()


def test_it_follows_the_choice_and_asks_by_click_and_by_key(open_map, second_is_picked):
    page = open_map(second_is_picked)
    before = spots(page)
    page.select_option("#map-of", "hog")
    assert spots(page) != before
    i = lonely(page)
    point(page, i)
    page.mouse.down()
    page.mouse.up()
    assert query(page).endswith(f"{i:04d}.png")
    box = page.locator(".map").bounding_box()
    middle = np.array([box["width"], box["height"]]) / 2
    central = int(np.linalg.norm(np.array(spots(page)) - middle, axis=1).argmin())
    page.locator("#zoom-fit").focus()
    unframed = painted(page)
    page.keyboard.press("Tab")
    framed = painted(page)
    assert page.evaluate("document.activeElement.matches('.map')")
    spot = spots(page)[central]
    assert not np.array_equal(around(framed, spot, 12), around(unframed, spot, 12))
    page.keyboard.press("Enter")
    assert query(page).endswith(f"{central:04d}.png")
