"""The pages in a real Chromium, served by the real application on a real socket."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from databases import MadeOnce
from flask import Flask
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from serving import ADDRESS, served
from town import ORGANISATIONS, make_town
from visitor import Visitor

from api.app import create_app
from api.settings import Settings
from scoring.access.keys import Role, create_key
from scoring.runs import leases
from scoring.store import Store, open_store

_SWITCHES = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def town_store(tmp_path_factory: pytest.TempPathFactory, made_once: MadeOnce) -> Iterator[Store]:
    """The graded town."""
    made = made_once("town", lambda folder: make_town(f"sqlite:///{folder / 'town.db'}"))
    own = shutil.copytree(made, tmp_path_factory.mktemp("town") / "own")
    opened = open_store(f"sqlite:///{own / 'town.db'}")
    yield opened
    opened.close()


@pytest.fixture
def own_town(tmp_path: Path, made_once: MadeOnce) -> Iterator[Store]:
    """A town of the test's own: what is done here would be missed, or counted, elsewhere."""
    made = made_once("town", lambda folder: make_town(f"sqlite:///{folder / 'town.db'}"))
    store = open_store(f"sqlite:///{shutil.copy(made / 'town.db', tmp_path)}")
    yield store
    store.close()


@pytest.fixture
def idle_town(own_town: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A town of the test's own, in which no process is started for a job."""
    monkeypatch.setattr(leases, "start", lambda store, kind, job_id: None)
    return own_town


@pytest.fixture(scope="session")
def pages(town_store: Store) -> Flask:
    """The application on it."""
    return create_app(Settings(log_level="error", address=ADDRESS), town_store)


@pytest.fixture(scope="session")
def address(pages: Flask) -> Iterator[str]:
    """Where it is served."""
    with served(pages) as address:
        yield address


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """A Chromium that knows nobody."""
    options = ChromeOptions()
    options.binary_location = shutil.which("chromium") or "chromium"
    for switch in (*_SWITCHES, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(switch)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = Chrome(options=options, service=ChromeService(shutil.which("chromedriver")))
    yield chrome
    chrome.quit()


@pytest.fixture
def token(town_store: Store) -> Callable[[Role], str]:
    """Makes a key of a role."""

    def make(role: Role) -> str:
        return create_key(town_store, role, f"{role} 甲", ORGANISATIONS.get(role)).token

    return make


@pytest.fixture
def visitor(browser: Chrome, address: str) -> Visitor:
    """Somebody who is not signed in, at a desk, in daylight."""
    visitor = Visitor(browser, address)
    visitor.look()
    browser.get("about:blank")
    browser.execute_cdp_cmd("Network.clearBrowserCookies", {})
    visitor.complaints(), visitor.hosts()
    return visitor


@pytest.fixture
def regulator(visitor: Visitor, pages: Flask, token: Callable[[Role], str]) -> Visitor:
    """A regulator, signed in."""
    visitor.come_in(pages, token(Role.REGULATOR))
    return visitor
