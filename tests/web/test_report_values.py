"""A number for each image: its plot and pictures fit every screen and name every file."""

import numpy as np
import pytest

import imrep
from imrep.embedding import peak_memory
from tests.unit.comparison.test_values import folder_of

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def valued(tmp_path_factory):
    root = tmp_path_factory.mktemp("values")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IMREP_CACHE", str(root / "cache"))
        patch.setattr(peak_memory, "peaks", lambda specs, threads: {})
        data = folder_of(root / "data", np.linspace(-5, 100, 70))
        return imrep.compare(data, ["histogram", "edge"], root / "out", size=16, threads=1).report


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_sticks_out_and_every_picture_has_its_numbers(open_page, valued, width, scheme):
    page = open_page(valued, width, scheme)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") == 0
    images = page.query_selector_all("#furthest .captioned li")
    assert len(images) == 12
    for image in images:
        text = image.text_content()
        assert image.query_selector(".tile").get_attribute("aria-label") in text
        assert "true " in text and "predicted " in text
    assert page.query_selector("#predicted svg, #predicted canvas").bounding_box()["height"] > 300


def test_the_contents_lead_there(open_page, valued):
    page = open_page(valued)
    page.get_by_role("link", name="Predicted against true").click()
    assert page.url.endswith("#predicted")


def test_without_scripts_the_plot_is_a_picture(open_page, valued):
    page = open_page(valued, scripts=False)
    assert page.query_selector("#predicted noscript svg, #predicted .static svg") is not None
