"""A real browser, and a page that complains of nothing and asks nobody."""

import shutil

import pytest
import report_fixture as fixture

from imrep import report

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="session")
def browser():
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is on the path")
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs the package playwright")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def tied(tmp_path_factory):
    return report.write(fixture.write(tmp_path_factory.mktemp("tied"), count=120))


@pytest.fixture
def open_page(browser):
    """A page that has drawn all its plots; at the end nothing was complained of or asked for."""
    contexts, troubles = [], []

    def opened(path, width=1280, scheme="light", scripts=True):
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            java_script_enabled=scripts,
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("requestfailed", lambda request: troubles.append(request.url))
        page.on("dialog", lambda dialog: troubles.append(dialog.message))
        page.on("request", lambda request: asked(request.url))
        page.goto(path.as_uri())
        if scripts:
            undrawn = "() => !document.querySelector('figure.plot:not([data-drawn])')"
            page.wait_for_function(undrawn)
        return page

    def asked(url):
        if not url.startswith(("file:", "data:", "blob:")):
            troubles.append(url)

    yield opened
    for context in contexts:
        context.close()
    assert troubles == []
