"""Somebody in front of a browser."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

AXE = (Path(__file__).parent / "data" / "axe-4.14.1.min.js").read_text(encoding="utf-8")
SECONDS, PAUSE = 15, 0.05
PHONE, DESK = (375, 812), (1280, 900)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Goes from page to page.

    :param address: of the server, without a path.
    """

    browser: Chrome
    address: str

    def open(self, path: str) -> None:
        """Go to a page."""
        self.browser.get(self.address + path)

    def sign_in(self, token: str) -> None:
        """Give a key."""
        self.open("/sign-in")
        self.one("#key").send_keys(token)
        self.press("main button")

    def come_in(self, pages: Flask, token: str) -> None:
        """Have been signed in by a key: with the cookie that its bearer is given at the door."""
        door = pages.test_client()
        door.get("/sign-in")
        with door.session_transaction() as session:
            form = {"form_token": session["form_token"], "key": token}
        door.post("/sign-in", data=form)
        cookie = door.get_cookie("xinheng")
        assert cookie is not None
        given = {"name": cookie.key, "value": cookie.value, "url": self.address, "httpOnly": True}
        self.browser.execute_cdp_cmd("Network.setCookie", {**given, "sameSite": "Strict"})

    def press(self, selector: str) -> None:
        """Press something, and wait for the page that follows."""
        page = self.one("html")
        self.one(selector).click()
        self.wait_until(lambda: self._is_gone(page))

    def one(self, selector: str) -> WebElement:
        """The first element of a CSS selector."""
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> list[WebElement]:
        """Every element of a CSS selector."""
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector: str = "main") -> str:
        """What is to be read there, also where it is folded up."""
        return str(self.one(selector).get_property("textContent"))

    @property
    def path(self) -> str:
        """Where the visitor is."""
        return urlsplit(self.browser.current_url).path

    def wait_until(self, condition: Any) -> None:
        """Wait for something to become true."""
        wait = WebDriverWait(
            self.browser, SECONDS, PAUSE, ignored_exceptions=[StaleElementReferenceException]
        )
        wait.until(lambda _: condition())

    def look(self, size: tuple[int, int] = DESK, dark: bool = False) -> None:
        """Look from a screen of that size, in light or dark."""
        width, height = size
        screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})

    def overflow(self) -> int:
        """By how many pixels the page is wider than the screen."""
        script = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
        return int(self.browser.execute_script(script))

    def faults(self) -> list[str]:
        """What axe-core finds wrong for people with disabilities."""
        self.browser.execute_script(AXE)
        found = self.browser.execute_async_script(
            "const done = arguments[0];"
            "axe.run().then(r => done(r.violations), e => done([{id: String(e), nodes: [{html: ''}]}]))"
        )
        return [f"{fault['id']}: {node['html'][:120]}" for fault in found for node in fault["nodes"]]

    def print(self) -> bytes:
        """The page as a PDF."""
        made = self.browser.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})
        return base64.b64decode(made["data"])

    def complaints(self) -> list[str]:
        """What the console says, without the notes on pages that were meant to fail."""
        return [entry["message"] for entry in self.browser.get_log("browser")]

    def hosts(self) -> set[str]:
        """Every host that anything was asked of since this was asked last."""
        messages = [json.loads(entry["message"])["message"] for entry in self.browser.get_log("performance")]
        urls = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
        return {urlsplit(url).netloc for url in urls}

    def _is_gone(self, element: WebElement) -> bool:
        try:
            element.is_enabled()
        except WebDriverException:  # stale, or its document is being replaced
            return bool(self.browser.execute_script("return document.readyState === 'complete'"))
        return False
