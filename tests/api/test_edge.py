"""The last touches to an answer, and how often a key may ask: at their very bounds."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient

from api.around import edge
from api.around.limits import Limiter, Rate, parse_rate
from api.settings import Settings, SettingsError, read_settings

GZIP = {"Accept-Encoding": "gzip"}


@pytest.fixture
def client() -> FlaskClient:
    """Of an application that answers with as many letters as it is asked for."""
    app = Flask(__name__)
    edge.install(app)

    @app.route("/<int:size>/<path:kind>", methods=["GET", "POST"])
    def answer(size: int, kind: str) -> Response:
        return Response("x" * size, mimetype=kind)

    @app.get("/stream/<int:chunks>")
    def stream(chunks: int) -> Response:
        def letters() -> Iterator[str]:
            yield from ["x"] * chunks

        return Response(letters(), mimetype="text/csv")

    return app.test_client()


@pytest.mark.parametrize(
    ("address", "is_packed"),
    [
        ("/1023/text/csv", False),
        ("/1024/text/csv", True),
        ("/1024/application/json", True),
        ("/1024/image/png", False),
        ("/stream/1", True),
        ("/stream/0", True),
    ],
)
def test_an_answer_is_packed_from_a_kilobyte_on_where_that_is_worth_it(
    client: FlaskClient, address: str, is_packed: bool
) -> None:
    plain, packed = client.get(address), client.get(address, headers=GZIP)
    assert "Content-Encoding" not in plain.headers
    assert packed.headers.get("Content-Encoding") == ("gzip" if is_packed else None)
    assert (gzip.decompress(packed.data) if is_packed else packed.data) == plain.data
    assert ("Accept-Encoding" in plain.vary) == ("Accept-Encoding" in packed.vary) == is_packed


def test_only_what_is_read_and_found_whole_has_a_tag(client: FlaskClient) -> None:
    assert client.get("/3/text/csv").headers["ETag"].startswith("W/")
    assert client.head("/3/text/csv").headers["ETag"]
    for answer in (client.post("/3/text/csv"), client.get("/nothing"), client.get("/stream/3")):
        assert "ETag" not in answer.headers


def test_a_client_that_has_the_answer_gets_no_body(client: FlaskClient) -> None:
    tag = client.get("/2000/text/csv").headers["ETag"]
    again = client.get("/2000/text/csv", headers=GZIP | {"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    assert client.get("/2001/text/csv", headers={"If-None-Match": tag}).status_code == 200


def test_every_answer_keeps_others_out(client: FlaskClient) -> None:
    for answer in (client.get("/3/text/csv"), client.get("/nothing"), client.get("/stream/3")):
        assert dict(edge._HEADERS).items() <= dict(answer.headers).items()
        assert "Strict-Transport-Security" not in answer.headers
    secure = client.get("/3/text/csv", base_url="https://localhost")
    assert secure.headers["Strict-Transport-Security"] == "max-age=31536000"


@pytest.mark.parametrize(
    ("written", "rate"),
    [
        ("1/second", Rate(1, 1)),
        ("600/minute", Rate(600, 60)),
        (" 7 / hour ", Rate(7, 3_600)),
        ("999999999/day", Rate(999_999_999, 86_400)),
    ],
)
def test_a_rate_is_so_many_in_a_window(written: str, rate: Rate) -> None:
    assert parse_rate(written) == rate


@pytest.mark.parametrize("wrong", ["0/minute", "1000000000/day", "-1/day", "6/week", "6", "minute"])
def test_what_is_no_rate_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="such as 600/minute"):
        parse_rate(wrong)


def test_a_key_may_ask_so_often_in_each_window() -> None:
    limiter = Limiter(Rate(2, 60))
    assert [limiter.wait("a", 120.0) for _ in range(3)] == [0, 0, 60]
    assert limiter.wait("b", 120.0) == 0
    assert limiter.wait("a", 179.5) == 1
    assert [limiter.wait("a", 180.0) for _ in range(3)] == [0, 0, 60]


def test_a_hundred_thousand_keys_are_counted_at_once_and_no_more() -> None:
    limiter = Limiter(Rate(1, 60))
    assert {limiter.wait(str(key), 0.0) for key in range(99_999)} == {0}
    assert [limiter.wait(key, 0.0) for key in ("0", "1", "one more")] == [60, 60, 0]
    assert limiter.wait("two more", 0.0) == 0
    assert [limiter.wait(key, 0.0) for key in ("0", "two more")] == [0, 60], "only the last is still known"


@pytest.mark.parametrize(
    ("name", "first", "last", "wrong"),
    [
        ("proxies", "0", "10", ["-1", "11", "one"]),
        ("consent_months", "1", "120", ["0", "121", "-1", "ten"]),
        ("secret", "x" * 32, "x" * 33, ["x" * 31]),
        ("log_level", "debug", "error", ["loud"]),
        ("rate_limit", "1/second", "9/day", ["0/day"]),
        ("max_body_bytes", "1", "999", ["much"]),
        ("cache_seconds", "0", "0.5", ["soon"]),
        (
            "address",
            "http://localhost:8000",
            "https://credit.example.cn/x",
            ["nowhere", "https://", "ftp://a"],
        ),
    ],
)
def test_a_setting_is_taken_within_its_bounds(name: str, first: str, last: str, wrong: list[str]) -> None:
    variable = f"XINHENG_{name.upper()}"
    for right in (first, last):
        assert str(getattr(read_settings({variable: right}), name)) in (right, f"{right}.0")
    for text in wrong:
        with pytest.raises(SettingsError, match=f"^{variable} can't be ") as told:
            read_settings({variable: text})
        assert (text in str(told.value)) == (name != "secret")
        assert told.value.title.zh.startswith(f"{variable}不能为")
        assert "right:" not in told.value.title.zh


def test_who_signs_in_at_a_provider_comes_back_to_a_stated_address() -> None:
    known = {"ISSUER": "https://id.example.cn", "CLIENT": "xinheng", "SECRET": "x"}
    given = {f"XINHENG_OPENID_{name}": value for name, value in known.items()}
    with pytest.raises(SettingsError, match="XINHENG_OPENID_ISSUER needs XINHENG_ADDRESS as well"):
        read_settings(given)
    given["XINHENG_ADDRESS"] = "https://credit.example.cn/"
    assert read_settings(given).address == "https://credit.example.cn"


def test_an_empty_variable_says_nothing() -> None:
    assert read_settings({"XINHENG_PACK": ""}).pack == Settings().pack


def test_the_summary_of_the_settings_shows_no_secret() -> None:
    shown = read_settings(
        {"XINHENG_SECRET": "s" * 40, "XINHENG_DATABASE_URL": "postgresql://a:pw@h/d"}
    ).summary()
    assert shown["secret"] == "(not shown)"
    assert shown["log_level"] == "info"
    assert "s" * 40 not in repr(read_settings({"XINHENG_SECRET": "s" * 40})), "as a log shows them"
    assert "pw" not in str(shown)
