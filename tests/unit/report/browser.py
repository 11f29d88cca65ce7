"""A page in a headless Chromium that may load nothing but the page itself."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, sync_playwright


def find_chromium() -> str | None:
    """Return the program named by CHROMIUM, else the one on the PATH."""
    return (
        os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    )


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the browser, or skip the tests that need it."""
    program = find_chromium()
    if program is None:
        pytest.skip("no chromium on the PATH: install it, or name one in CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


class Watched:
    """An open page, with everything that went wrong in it."""

    def __init__(
        self, browser: Browser, path: Path, width: int = 1440, scheme: str = "light"
    ) -> None:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if scheme == "dark" else "light",
        )
        self.page: Page = context.new_page()
        self.faults: list[str] = []
        self.requests: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on(
            "console",
            lambda message: (
                self.faults.append(message.text) if message.type in ("error", "warning") else None
            ),
        )
        self._own = path.resolve().as_uri()
        self.page.route("**/*", self._refuse)
        self.page.goto(self._own)
        self.page.wait_for_selector("#card article")

    def _refuse(self, route: Route) -> None:
        url = route.request.url
        if url.partition("#")[0] == self._own or url.startswith("data:"):
            route.continue_()
            return
        self.requests.append(url)
        route.abort()
