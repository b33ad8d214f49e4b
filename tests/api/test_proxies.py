"""Behind proxies: whose word on the client's address and on TLS is taken."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
from contextlib import closing, suppress
from pathlib import Path

import pytest
from flask import request
from flask.testing import FlaskClient
from waiting import PATIENCE, until
from warm import Warm
from werkzeug.test import TestResponse

from api.app import create_app
from api.settings import Settings, SettingsError, read_settings
from scoring.store import Store

START = "from scoring.cli import main; main(prog_name='xinheng')"
CLIENT, LIE, PROXY = "203.0.113.7", "198.51.100.1", "127.0.0.1"


@pytest.fixture
def district_url(sqlite_district_url: str) -> str:
    """Proxies stand before the server, whatever is behind it."""
    return sqlite_district_url


def _behind(proxies: int, store: Store) -> tuple[FlaskClient, list[str | None]]:
    app = create_app(Settings(log_level="error", proxies=proxies), store)
    seen: list[str | None] = []
    app.before_request(lambda: seen.append(request.remote_addr))
    return app.test_client(), seen


def _is_secured(answer: TestResponse) -> tuple[bool, bool]:
    """Whether browsers are told to keep to TLS; whether they keep the cookie to it."""
    return "Strict-Transport-Security" in answer.headers, "; Secure" in answer.headers["Set-Cookie"]


@pytest.mark.parametrize(
    ("proxies", "addresses", "schemes", "client", "is_https"),
    [
        (0, CLIENT, "https", PROXY, False),
        (1, CLIENT, "https", CLIENT, True),
        (1, CLIENT, "http", CLIENT, False),
        (1, f"{LIE}, {CLIENT}", "https, http", CLIENT, False),
        (2, f"{LIE}, {CLIENT}, 10.0.0.1", "http, https, http", CLIENT, True),
        (2, CLIENT, "https", PROXY, False),
    ],
)
def test_the_word_of_so_many_proxies_is_taken_and_of_no_more(
    store: Store, proxies: int, addresses: str, schemes: str, client: str, is_https: bool
) -> None:
    browser, seen = _behind(proxies, store)
    forwarded = {"X-Forwarded-For": addresses, "X-Forwarded-Proto": schemes}
    assert _is_secured(browser.get("/sign-in", headers=forwarded)) == (is_https, is_https)
    assert seen == [client]


def test_without_the_headers_the_connection_itself_counts(store: Store) -> None:
    browser, seen = _behind(1, store)
    assert _is_secured(browser.get("/sign-in")) == (False, False)
    assert seen == [PROXY]


def test_where_nobody_names_a_proxy_none_is_believed(store: Store) -> None:
    app, seen = create_app(Settings(log_level="error"), store), list[str | None]()
    app.before_request(lambda: seen.append(request.remote_addr))
    app.test_client().get("/sign-in", headers={"X-Forwarded-For": CLIENT})
    assert seen == [PROXY]


def test_a_proxy_cannot_name_another_host(store: Store) -> None:
    browser, _ = _behind(1, store)
    answer = browser.get(
        "/overview", headers={"X-Forwarded-Host": "evil.example", "X-Forwarded-Prefix": "/evil"}
    )
    assert "evil" not in answer.location


@pytest.mark.parametrize("wrong", ["-1", "11", "one", "1.5"])
def test_a_wrong_number_of_proxies_is_told(wrong: str) -> None:
    with pytest.raises(SettingsError, match=f"XINHENG_PROXIES can't be '{wrong}': right: 0 to 10"):
        read_settings({"XINHENG_PROXIES": wrong})


def test_the_log_has_the_client_not_the_proxy(district_url: str, tmp_path: Path) -> None:
    """On the real server, as the environment sets it up."""
    with socket.create_server((PROXY, 0)) as free:
        port = free.getsockname()[1]
    log = tmp_path / "log"
    with log.open("wb") as told:
        process = Warm(
            START,
            *("serve", "--port", str(port), "--workers", "1"),
            env=os.environ | {"XINHENG_DATABASE_URL": district_url, "XINHENG_PROXIES": "1"},
            stderr=told,
        )
    try:
        answer = _ask(port, process)
        assert answer.headers["Strict-Transport-Security"]
        assert "; Secure" in answer.headers["Set-Cookie"]
        assert _logged(log)["client"] == CLIENT
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
        process.close()


def _ask(port: int, process: Warm) -> http.client.HTTPResponse:
    answers: list[http.client.HTTPResponse] = []

    def has_ended_or_answered() -> bool:
        connection = http.client.HTTPConnection(PROXY, port, timeout=PATIENCE)
        headers = {"X-Forwarded-For": f"{LIE}, {CLIENT}", "X-Forwarded-Proto": "https"}
        with closing(connection), suppress(ConnectionRefusedError):
            connection.request("GET", "/sign-in", headers=headers)
            answers.append(connection.getresponse())
        return bool(answers) or process.poll() is not None

    until(has_ended_or_answered, "the start of the server")
    assert answers, "the server did not start"
    return answers[0]


def _logged(log: Path) -> dict[str, object]:
    """The line of the request; it is written soon after the answer."""

    def lines() -> list[str]:
        whole = log.read_text("utf-8").splitlines()
        return [line for line in whole if line.startswith("{") and line.endswith("}")]

    until(lines, "the line of the request")
    found: dict[str, object] = json.loads(lines()[0])
    return found
