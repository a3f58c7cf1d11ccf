"""Images with captions: nothing sticks out, every image names its file, the contents link to it."""

import pytest
import report_fixture as fixture

from imrep import report

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def suspected(tmp_path_factory):
    return report.write(fixture.write(tmp_path_factory.mktemp("suspected"), suspects=60))


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_image_has_its_caption_and_its_file(open_page, suspected, width, scheme):
    page = open_page(suspected, width, scheme)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") == 0
    images = page.query_selector_all("#label-errors .captioned li")
    assert len(images) == 48
    for image in images[:3]:
        label = image.query_selector(".tile").get_attribute("aria-label")
        assert label.endswith(".png") and label in image.text_content()
        assert image.query_selector(".tile").bounding_box()["width"] > 60
    assert "The first 48 of 60" in page.text_content("#label-errors")
    assert page.text_content("#remarkable").count(".png") >= 48


def test_the_contents_lead_there(open_page, suspected):
    page = open_page(suspected)
    page.get_by_role("link", name="Suspected label errors").click()
    assert page.url.endswith("#label-errors")


def test_a_run_without_it_has_no_section(open_page, tied):
    assert open_page(tied).query_selector("#label-errors") is None
