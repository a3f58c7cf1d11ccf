"""Several labels: the sections fit every screen, fold open, sort, and name every file."""

import pytest

import imrep
from imrep.embedding import peak_memory
from tests.unit.comparison.test_multi_label import label_sets, write

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    root = tmp_path_factory.mktemp("labels")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IMREP_CACHE", str(root / "cache"))
        patch.setattr(peak_memory, "peaks", lambda specs, threads: {})
        data = write(root / "data", label_sets())
        return imrep.compare(data, ["histogram", "hog"], root / "out", threads=1).report


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_sticks_out_and_every_image_has_its_file_and_labels(
    open_page, labelled, width, scheme
):
    page = open_page(labelled, width, scheme)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") == 0
    images = page.query_selector_all("#rankings .ranked li")
    assert images
    for image in images:
        path, _, labels = image.query_selector(".tile").get_attribute("aria-label").partition(": ")
        assert path.endswith(".png") and labels and path in image.text_content()
        assert image.query_selector(".tile").bounding_box()["width"] > 50
    tops = {round(image.bounding_box()["y"]) for image in images[:4]}
    assert len(tops) <= 2  # four beside one another


def test_the_labels_are_sorted_by_their_heading(open_page, labelled):
    page = open_page(labelled)

    def names():
        cells = page.query_selector_all("#table-by_label tbody th")
        return [cell.text_content().strip() for cell in cells]

    assert sorted(names()) == ["bright", "red", "striped"]
    page.query_selector("#table-by_label thead th button, #table-by_label thead th").click()
    assert names() in (["bright", "red", "striped"], ["striped", "red", "bright"])


def test_the_table_of_all_representations_folds_open(open_page, labelled):
    page = open_page(labelled, 390)
    folded = page.locator("#table-label_precisions")
    assert not folded.is_visible()
    page.get_by_text("Average precision of every label by every representation").first.click()
    assert folded.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") == 0


def test_the_contents_lead_there(open_page, labelled):
    page = open_page(labelled)
    for name, id in (("Labels", "labels"), ("Images ranked wrong", "rankings")):
        page.get_by_role("link", name=name, exact=True).click()
        assert page.url.endswith(f"#{id}")
