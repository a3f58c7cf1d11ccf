"""The page of a training run in a browser: plots are drawn, nothing is wider than the screen."""

import pytest
import training_fixture

from imrep.report import training_page

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def training(tmp_path_factory):
    return training_page.write(training_fixture.write(tmp_path_factory.mktemp("training")))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "form"), [(1280, "wide"), (390, "narrow")])
def test_it_is_drawn_at_every_width(open_page, training, width, form, scheme):
    page = open_page(training, width=width, scheme=scheme)
    assert page.locator("figure.plot svg").count() == 2
    forms = page.eval_on_selector_all("figure.plot", "all => all.map(x => x.dataset.drawn)")
    assert forms == [form, form]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("#contents a").count() == page.locator("main > section").count()


def test_it_is_read_without_scripts(open_page, training):
    page = open_page(training, scripts=False)
    assert page.locator("noscript svg, .static svg").count() == 2


def test_the_evaluations_are_sorted_by_a_heading(open_page, training):
    page = open_page(training)
    page.locator("summary", has_text="Table of the evaluations").click()
    head = page.locator("#table-log thead button", has_text="held-out loss")
    head.click()
    first = page.locator("#table-log tbody tr").first.locator("td").nth(2)
    assert first.inner_text() == "0.5"
