"""The map in a real browser: it zooms, moves, lassos to a csv, by pointer, touch and keyboard."""

import csv
import statistics

import numpy as np
import pytest
from PIL import Image

from imrep.projection import page, thumbnails
from imrep.projection.faithfulness import Faithfulness
from imrep.projection.image_map import ImageMap
from imrep.projection.labelled_vectors import LabelledVectors
from imrep.projection.layout import Layout

pytestmark = pytest.mark.browser
COUNT = 60
CORNERS = np.array([[0, 0], [10, 0], [0, 6]], np.float32)  # of three groups: a, b and "c, d"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A map of three groups of twenty images, the last image without a thumbnail."""
    root = tmp_path_factory.mktemp("map")
    rng = np.random.default_rng(0)
    groups = np.arange(COUNT) % 3
    positions = CORNERS[groups] + rng.uniform(-1, 1, (COUNT, 2)).astype(np.float32)
    paths = tuple(f'{"abc"[k]}/"{i}".png' for i, k in enumerate(groups))
    for i in range(COUNT - 1):
        Image.new("RGB", (64, 64), (4 * i, 255 - 4 * i, 90)).save(root / f"{i}.png")
    readable = thumbnails.sources([f"{i}.png" for i in range(COUNT)], None, root)
    vectors = rng.normal(size=(COUNT, 5)).astype(np.float32)
    labels = tuple(("a", "b", "c, d")[k] for k in groups)
    made = ImageMap(
        "v.parquet",
        LabelledVectors(vectors, paths, labels, {"spec": "hog"}),
        Layout(positions, "pacmap"),
        Faithfulness(10, 0.4, 0.17, 0.9, COUNT),
        thumbnails.draw(readable, paths, max_count=100),
    )
    return made.write(root / "map.html")


@pytest.fixture
def open_map(open_page, written):
    def opened(width=1280, scheme="light", path=written):
        page = open_page(path, width, scheme)
        page.wait_for_selector("#points[data-ms]")
        page.locator(".map").scroll_into_view_if_needed()
        return page

    return opened


def settle(page):
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")


def spots(page):
    """Position of each image in the window, px."""
    box = page.locator(".map").bounding_box()
    inside = page.evaluate(
        "() => { const at = layout(); return [...Array(COUNT).keys()].map((i) => onMap(i, at)); }"
    )
    return np.add(inside, [box["x"], box["y"]])


def drag(page, corners):
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*corner, steps=4)
    page.mouse.up()
    settle(page)


def around(points, margin=8):
    """A rectangle around positions, to lasso."""
    (left, top), (right, bottom) = points.min(0) - margin, points.max(0) + margin
    return [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]


def selected(page):
    return page.locator("#selected").inner_text()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_a_lasso_gives_the_csv_of_its_group(open_map, tmp_path, width, scheme):
    page = open_map(width, scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.click("#lasso")
    page.locator(".map").scroll_into_view_if_needed()
    drag(page, around(spots(page)[2::3]))
    assert selected(page) == "20 images selected"
    assert page.locator("#composition").inner_text() == "c, d (20)"
    assert page.locator(".tiles canvas").count() == 19  # the last has none
    with page.expect_download() as download:
        page.click("#csv")
    assert download.value.suggested_filename == "selection.csv"
    download.value.save_as(tmp_path / "selection.csv")
    with (tmp_path / "selection.csv").open(newline="") as file:
        lines = list(csv.reader(file))
    assert lines[0] == ["path", "label"] and len(lines) == 21
    assert lines[1] == ['c/"2".png', "c, d"] and {label for _, label in lines[1:]} == {"c, d"}


def test_keys_alone_do_everything(open_map):
    page = open_map()
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.className").startswith("map"):
            break
    before = page.get_attribute(".map", "data-camera")
    page.keyboard.press("+")
    page.keyboard.press("ArrowRight")
    settle(page)
    x, _, zoom = map(float, page.get_attribute(".map", "data-camera").split())
    assert x > 0 and zoom == 1.5 and ".png" in page.locator("#status").inner_text()
    page.keyboard.press("0")
    settle(page)
    assert page.get_attribute(".map", "data-camera") == before
    page.keyboard.press("Enter")
    assert selected(page) == "1 image selected"
    page.keyboard.press("v")
    assert selected(page) == "60 images selected"
    page.keyboard.press("Escape")
    assert selected(page) == "Nothing selected" and page.locator("#csv").is_disabled()


def test_the_wheel_zooms_at_the_pointer_and_dragging_moves(open_map):
    page = open_map()
    target = spots(page)[0]
    page.mouse.move(*target)
    page.mouse.wheel(0, -300)
    settle(page)
    zoomed = spots(page)
    assert np.abs(zoomed[0] - target).max() < 2  # events have whole pixels
    assert np.ptp(zoomed[:, 0]) > 2 * 500
    drag(page, [target, target + np.array([70, 40])])
    assert np.allclose(spots(page) - zoomed, [70, 40], atol=1)


def test_a_pointer_shows_the_thumbnail_path_and_class(open_map):
    page = open_map()
    lonely, without = spots(page)[[4, COUNT - 1]]
    page.mouse.move(*lonely)
    page.wait_for_selector(".map[data-sheets]", state="attached")
    page.mouse.move(*(lonely + 1))
    name = page.locator(".card b").inner_text()
    assert name.endswith(".png") and page.locator(".card canvas").is_visible()
    i = int(name.split('"')[1])
    colour = page.evaluate(
        "() => [...$('.card canvas').getContext('2d').getImageData(64, 64, 1, 1).data]"
    )
    assert np.abs(np.array(colour[:3]) - (4 * i, 255 - 4 * i, 90)).max() < 8
    page.mouse.move(*without)
    settle(page)
    assert page.locator(".card b").inner_text() == f'c/"{COUNT - 1}".png'
    assert page.locator(".card span").inner_text() == "c, d (no thumbnail)"
    assert not page.locator(".card canvas").is_visible()


def test_a_click_selects_an_image_and_a_class_is_brought_to_the_front(open_map):
    page = open_map()
    page.mouse.click(*spots(page)[7])
    assert selected(page) == "1 image selected"
    page.fill("#search", "C, D")
    assert page.locator(".classes button").count() == 1
    page.click(".classes button")
    assert selected(page) == "Nothing selected"
    page.click("#select-classes")
    assert selected(page) == "20 images selected"
    page.fill("#search", "nothing like it")
    assert "No class" in page.locator("#unlisted").inner_text()


def test_two_fingers_pinch(open_map):
    page = open_map(390)
    page.evaluate(
        """() => {
          const box = map.getBoundingClientRect();
          map.setPointerCapture = () => {};
          const send = (type, pointerId, x) => map.dispatchEvent(new PointerEvent(type, {
            pointerId, pointerType: "touch", button: type === "pointermove" ? -1 : 0, buttons: 1,
            clientX: box.left + x, clientY: box.top + 200, bubbles: true }));
          send("pointerdown", 11, 150); send("pointerdown", 12, 210);
          send("pointermove", 12, 270); send("pointermove", 11, 90);
          send("pointerup", 11, 90); send("pointerup", 12, 270);
        }"""
    )
    settle(page)
    zoom = float(page.get_attribute(".map", "data-camera").split()[2])
    assert zoom == pytest.approx(3)
    assert selected(page) == "Nothing selected"


def test_dark_and_light_have_their_own_colours(open_map):
    corner = "() => [...image.data.data.slice(0, 3)]"
    page = open_map()
    light = page.evaluate(corner)
    page.emulate_media(color_scheme="dark")
    settle(page)
    assert min(light) > 200 and max(page.evaluate(corner)) < 60


@pytest.mark.slow
def test_a_hundred_thousand_points_are_smooth(open_map, tmp_path):
    count = 100_000
    positions = np.random.default_rng(0).normal(size=(count, 2)).astype(np.float32)
    html = page.render(
        "v.npz", Layout(positions, "pacmap"), Faithfulness(10, 0.4, 0.1, 0.9, 1000),
        thumbnails.none(count), paths=[f"{i}.jpg" for i in range(count)],
        labels=[f"class {i % 30}" for i in range(count)], spec="hog", dim=9, seed=0,
    )  # fmt: skip
    (tmp_path / "map.html").write_text(html)
    opened = open_map(path=tmp_path / "map.html")
    times = opened.evaluate(
        """() => new Promise((done) => {
          const times = [];
          const step = () => {
            times.push(Number(canvas.dataset.ms));
            zoom(times.length % 20 < 10 ? 1.05 : 1 / 1.05);
            if (times.length < 60) requestAnimationFrame(step);
            else done(times.slice(10));
          };
          requestAnimationFrame(step);
        })"""
    )
    assert statistics.median(times) < 60, times  # ms; ten on a quiet machine
