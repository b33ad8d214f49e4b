"""Behind nginx as deploy/nginx.conf sets it up: the real nginx, its TLS, and clients that dawdle."""

from __future__ import annotations

import http.client
import os
import re
import select
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest
from receiver import AUTHORITY
from test_crowd import EXPORT, PLACES, SMALL, _streaming
from test_server import _served as served
from waiting import PATIENCE, until

from scoring.access.keys import Role, create_key
from scoring.store import Store, open_store

DEPLOYED = Path(__file__).parents[2] / "deploy" / "nginx.conf"
SLOW = 3 * PLACES


@pytest.fixture
def district_url(sqlite_district_url: str) -> str:
    """nginx stands before the server, whatever is behind it."""
    return sqlite_district_url


@pytest.fixture
def store(sqlite_district_url: str) -> Iterator[Store]:
    opened = open_store(sqlite_district_url)
    yield opened
    opened.close()


def _set_up(text: str, values: dict[str, str]) -> str:
    """The deployed settings with values of the test's own; each is there once."""
    for name, value in values.items():
        text, found = re.subn(rf"^(\s*{name}\s+)[^;]+;", rf"\g<1>{value};", text, flags=re.MULTILINE)
        assert found == 1, name
    return text


@contextmanager
def _nginx(folder: Path, server: int, *, cut_off: str = "60s") -> Iterator[int]:
    """The port of nginx before a server, until the block ends.

    :param cut_off: after which a client that reads nothing is cut off.
    """
    folder.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    certificate, key = folder / "xinheng.crt", folder / "xinheng.key"
    issued = AUTHORITY.issue_cert("localhost")
    issued.private_key_pem.write_to_path(key)
    issued.cert_chain_pems[0].write_to_path(certificate)
    site = _set_up(
        DEPLOYED.read_text(encoding="utf-8"),
        {
            "listen": f"127.0.0.1:{port} ssl",
            "server_name": "localhost",
            "ssl_certificate": str(certificate),
            "ssl_certificate_key": str(key),
            "proxy_pass": f"http://127.0.0.1:{server}",
            "send_timeout": cut_off,
        },
    )
    places = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; {'user root; ' * (os.geteuid() == 0)}pid {folder}/pid; error_log {folder}/error.log;\n"
        f"events {{ }}\nhttp {{ access_log off;\n{places}{site}}}\n",
        encoding="utf-8",
    )
    process = subprocess.Popen(
        ["nginx", "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")],
        stderr=subprocess.PIPE,
    )
    try:
        until(lambda: process.poll() is not None or _listens(port), "the start of nginx")
        assert process.poll() is None, process.stderr and process.stderr.read().decode()
        yield port
    finally:
        process.terminate()
        process.communicate()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    return context


def _sent(port: int, request: str) -> ssl.SSLSocket:
    """A connection on which a request, or the beginning of one, was sent, and of which nothing is read."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(("127.0.0.1", port))
    secure = _trusting().wrap_socket(connection, server_hostname="localhost")
    secure.sendall(request.encode())
    return secure


def _ask(port: int, path: str, body: bytes | None = None, token: str = "") -> http.client.HTTPResponse:
    """The whole answer to a request, by TLS."""
    with closing(
        http.client.HTTPSConnection("localhost", port, timeout=PATIENCE, context=_trusting())
    ) as asking:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"} if token else {}
        asking.request("GET" if body is None else "POST", path, body, headers)
        answer = asking.getresponse()
        answer.read()
        return answer


def test_exports_that_nobody_reads_keep_no_place_of_the_server(tmp_path: Path) -> None:
    with (
        _streaming(tmp_path) as server,
        _nginx(tmp_path / "nginx", server, cut_off="1h") as port,
        ExitStack() as slow,
    ):
        for _ in range(SLOW):
            asked = slow.enter_context(_sent(port, f"GET {EXPORT} HTTP/1.1\r\nHost: localhost\r\n\r\n"))
            assert select.select([asked], [], [], PATIENCE)[0], "the beginning of an answer"
        until(lambda: _ask(port, EXPORT).status == 200, "an export's turn, while the others are not read")


def test_bodies_that_do_not_come_keep_no_place_of_the_server(
    store: Store, district_url: str, tmp_path: Path
) -> None:
    token = create_key(store, Role.REGULATOR, "慢").token
    begun = (
        f"POST /v1/records HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
        "Content-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
    )
    with (
        served(district_url, *SMALL) as (server, _),
        _nginx(tmp_path / "nginx", server) as port,
        ExitStack() as slow,
    ):
        sent = [slow.enter_context(_sent(port, begun)) for _ in range(SLOW)]
        assert _ask(port, "/v1/records", b"{}", token).status == 422
        assert not select.select(sent, [], [], 0)[0], "none of them was answered, so none was refused"


def test_a_body_over_the_limit_is_refused_before_it_comes(
    store: Store, district_url: str, tmp_path: Path
) -> None:
    with served(district_url, *SMALL) as (server, _), _nginx(tmp_path / "nginx", server) as port:
        head = f"POST /v1/records HTTP/1.1\r\nHost: localhost\r\nContent-Length: {17 << 20}\r\n\r\n"
        with _sent(port, head) as connection:
            assert connection.recv(12) == b"HTTP/1.1 413"


def test_one_address_has_so_many_connections(store: Store, district_url: str, tmp_path: Path) -> None:
    begun = "POST /v1/records HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n"
    with served(district_url, *SMALL) as (server, _), _nginx(tmp_path / "nginx", server) as port:
        with ExitStack() as slow:
            for _ in range(100):
                slow.enter_context(_sent(port, begun))
            refused = _ask(port, "/healthz")
            assert (refused.status, refused.headers["Retry-After"]) == (429, "2")
        until(lambda: _ask(port, "/healthz").status == 200, "connections that are free again")


def test_the_cookie_of_who_signs_in_by_tls_is_kept_to_tls(
    store: Store, district_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XINHENG_PROXIES", "1")
    with served(district_url, *SMALL) as (server, _), _nginx(tmp_path / "nginx", server) as port:
        answer = _ask(port, "/sign-in")
    assert answer.status == 200
    assert "; Secure" in (answer.headers["Set-Cookie"] or "")
    assert answer.headers["Strict-Transport-Security"]
