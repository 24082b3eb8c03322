"""A headless Chromium with an empty profile."""

import json

from support import needed

OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage")


def chromium(profile):
    """A driver that keeps what the page logs and which addresses it asks for. Skips the test without Chromium."""
    webdriver = needed.module("selenium.webdriver", "test")
    browser, service = needed.program("chromium", "chromium"), needed.program("chromedriver", "chromium-driver")
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for option in (*OPTIONS, f"--user-data-dir={profile}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(service))
    driver.get("about:blank")  # in place of the browser's own first page
    requested(driver)
    return driver


def requested(driver):
    """The addresses asked for since the last look; what stands in the page itself, as data, is not."""
    messages = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    urls = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    return [url for url in urls if not url.startswith("data:image/png;base64,")]


def errors(driver):
    """What failed in the page or was refused to it since the last look. What Chromium advises is another thing."""
    return [entry["message"] for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]
