"""One browser for all tests of pages: it takes longer to start than most of them."""

import pytest
from support.browser import chromium, requested


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    found = chromium(tmp_path_factory.mktemp("profile"))
    yield found
    found.quit()


@pytest.fixture
def driver(browser):
    """The browser on an empty page, with nothing logged."""
    browser.get("about:blank")
    browser.get_log("browser")
    requested(browser)
    return browser
