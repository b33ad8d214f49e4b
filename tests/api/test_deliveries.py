"""Messages to receivers: signed, at least once, in order, given up at last, to nobody they are not for."""

from __future__ import annotations

import datetime as dt
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from client import Client, Sign
from flask import Flask
from lending_desk import Clock, consented
from receiver import AUTHORITY as TRUSTED
from receiver import Receiver, is_signed, receiving
from small_district import AUTHORITY, LISTED
from test_changes import feed, mark, subscribe
from waiting import PATIENCE

from rules.calendar import today
from rules.titles import Title, halves
from scoring.access.audit import entries
from scoring.access.keys import Role, Who, revoke_key, rotate_key
from scoring.changes import addresses, sending
from scoring.changes.addresses import Answer, post
from scoring.changes.feed import Reading, read
from scoring.changes.sending import LEASE, PAUSES, Sent, is_acknowledged, send_due
from scoring.changes.subscriptions import (
    MOST_OWN,
    SubscriptionError,
    Wanted,
    get_subscription,
    list_subscriptions,
)
from scoring.changes.subscriptions import subscribe as subscribe_to
from scoring.store import Store
from scoring.store.access import ApiKey
from scoring.store.changes import SubscriptionRow

NOON = dt.datetime(2026, 8, 5, 4, tzinfo=dt.UTC)
TO_OWN = partial(post, own_hosts=frozenset({"localhost"}))
Send = Callable[..., list[Sent]]


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Receiver]:
    """A receiver that is trusted, as an operator's own would be."""
    TRUSTED.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    with receiving() as found:
        yield found


@pytest.fixture
def send(store: Store) -> Send:
    """One pass at a moment."""

    def go(at: dt.datetime = NOON, to: Any = TO_OWN) -> list[Sent]:
        return list(send_due(store, to, "cli:tests", lambda: at))

    return go


def listening(client: Client, to: Receiver, **more: object) -> tuple[int, str]:
    """A subscription with an address; its number and secret."""
    made = subscribe(client, address=to.address, **more)
    return made["subscription"]["id"], made["secret"]


def place(client: Client) -> str:
    found: str = client.get("/v1/changes").json["next"]
    return found


def test_what_changed_is_sent_signed_and_a_2xx_acknowledges(
    regulator: Client, receiver: Receiver, send: Send
) -> None:
    number, secret = listening(regulator, receiver)
    before = place(regulator)
    assert (send(), receiver.messages) == ([], [])
    mark(regulator, "P-1", "repairs")
    mark(regulator, "L-1", "repairs")
    assert [sent.answer for sent in send()] == [Answer(204)]
    [(headers, body)] = receiver.messages
    assert is_signed(secret, headers, body)
    assert not is_signed(secret, headers, body + b" ")
    assert receiver.items == feed(regulator, before)
    shown = regulator.get(f"/v1/subscriptions/{number}").json
    assert (shown["place"], shown["state"]) == (place(regulator), "active")
    [delivery] = regulator.get(f"/v1/subscriptions/{number}/deliveries").json["items"]
    assert (delivery["items"], delivery["status"], delivery["by"]) == (2, 204, "cli:tests")
    assert delivery["acknowledged_at"] is not None
    assert send() == []


def test_the_secret_is_shown_once_and_nowhere_else(
    regulator: Client, receiver: Receiver, send: Send, store: Store
) -> None:
    number, secret = listening(regulator, receiver)
    mark(regulator, "P-1", "repairs")
    send()
    shown = [regulator.get(path).text for path in ("", f"/{number}", f"/{number}/deliveries")] + [
        regulator.get(f"/v1/subscriptions{path}").text for path in ("", f"/{number}", f"/{number}/deliveries")
    ]
    assert all(secret not in text for text in [*shown, repr(entries(store)), str(receiver.messages)])


def test_each_item_comes_once_in_order_however_many_there_are(
    regulator: Client, receiver: Receiver, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scoring.changes.sending.ITEMS", 1)
    listening(regulator, receiver, after="0")
    for number in ("P-1", "L-1"):
        mark(regulator, number, "repairs")
    send()
    assert receiver.items == feed(regulator)
    assert len(receiver.messages) == len(set(receiver.ids)) == len(receiver.items) > 3


def test_what_fails_is_sent_again_after_growing_pauses_under_the_same_id_and_stops_at_the_end(
    regulator: Client, receiver: Receiver, send: Send
) -> None:
    number, _ = listening(regulator, receiver)
    mark(regulator, "P-1", "repairs")
    at, receiver.answers = NOON, [500] * (len(PAUSES) + 1)
    for pause in PAUSES:
        assert len(send(at)) == 1
        assert send(at + pause - dt.timedelta(seconds=1)) == []
        at += pause
    mark(regulator, "L-1", "repairs")  # waits: what comes is in order
    [last] = send(at)
    assert last.subscription.state == "stopped"
    assert send(at + dt.timedelta(days=30)) == []
    assert list(PAUSES) == sorted(PAUSES)
    assert len(set(receiver.ids)) == 1
    assert {item["record_id"] for item in receiver.items} == {"P-1"}
    tries = regulator.get(f"/v1/subscriptions/{number}/deliveries").json["items"]
    assert [delivery["status"] for delivery in tries] == [500] * len(receiver.messages)
    assert regulator.post(f"/v1/subscriptions/{number}/resumptions").json["state"] == "active"
    assert regulator.post(f"/v1/subscriptions/{number}/resumptions").status_code == 409
    assert [sent.is_acknowledged for sent in send(at)] == [True, True]
    assert [item["record_id"] for item in receiver.items[-2:]] == ["P-1", "L-1"]


def test_a_pause_holds_what_comes_and_another_secret_signs_it_afterwards(
    regulator: Client, receiver: Receiver, send: Send
) -> None:
    number, old = listening(regulator, receiver)
    path = f"/v1/subscriptions/{number}"
    assert regulator.post(f"{path}/pauses").json["state"] == "paused"
    assert regulator.post(f"{path}/pauses").status_code == 409
    mark(regulator, "P-1", "repairs")
    assert send() == []
    new = regulator.post(f"{path}/secrets").json["secret"]
    assert new not in regulator.get(path).text
    assert regulator.post(f"{path}/resumptions").json["state"] == "active"
    assert [sent.is_acknowledged for sent in send()] == [True]
    [(headers, body)] = receiver.messages
    assert (is_signed(new, headers, body), is_signed(old, headers, body)) == (True, False)
    reads = subscribe(regulator)["subscription"]["id"]
    for what in ("pauses", "secrets"):
        assert regulator.post(f"/v1/subscriptions/{reads}/{what}").status_code == 409


def test_what_failed_is_sent_again_at_once_where_somebody_asks_for_it(
    regulator: Client, receiver: Receiver, send: Send
) -> None:
    number, _ = listening(regulator, receiver)
    mark(regulator, "P-1", "repairs")
    receiver.answers = [500]
    assert [sent.subscription.state for sent in send()] == ["failing"]
    assert send() == []
    assert regulator.post(f"/v1/subscriptions/{number}/resumptions").json["state"] == "active"
    assert [sent.is_acknowledged for sent in send()] == [True]


def test_a_redirect_is_not_followed_and_who_is_gone_is_left_alone(
    regulator: Client, receiver: Receiver, send: Send, store: Store
) -> None:
    number, _ = listening(regulator, receiver)
    mark(regulator, "P-1", "repairs")
    receiver.answers = [302, 410]
    assert [sent.answer.status for sent in send()] == [302]
    assert len(receiver.messages) == 1
    [gone] = send(NOON + PAUSES[0])
    assert gone.subscription.state == "stopped"
    assert halves(gone.subscription.stopped_why or "") == Title("HTTP 410,共2次", "HTTP 410, 2 x")
    [last, first] = entries(store, action="deliveries.answer")
    assert [(one.actor, one.details["status"]) for one in (first, last)] == [
        ("cli:tests", 302),
        ("cli:tests", 410),
    ]
    [stopped] = entries(store, action="subscriptions.stop")
    assert (stopped.details["subscription"], stopped.details["why"]) == (
        number,
        gone.subscription.stopped_why,
    )
    assert regulator.delete(f"/v1/subscriptions/{number}").json["state"] == "ended"
    assert regulator.delete(f"/v1/subscriptions/{number}").status_code == 409


def test_two_senders_at_once_send_a_message_once(regulator: Client, receiver: Receiver, send: Send) -> None:
    listening(regulator, receiver)
    mark(regulator, "P-1", "repairs")
    receiver.held = threading.Event()
    first = threading.Thread(target=send)
    first.start()
    assert receiver.reached.wait(30)
    assert send() == []  # the other one has it
    receiver.held.set()
    first.join()
    assert (len(receiver.messages), send()) == (1, [])


def test_a_change_is_made_while_a_receiver_takes_its_time(
    regulator: Client, receiver: Receiver, send: Send
) -> None:
    listening(regulator, receiver)
    mark(regulator, "P-1", "repairs")
    receiver.held = threading.Event()
    sender = threading.Thread(target=send)
    sender.start()
    assert receiver.reached.wait(30)
    mark(regulator, "L-1", "repairs")  # no transaction is open meanwhile
    receiver.held.set()
    sender.join()
    assert [item["record_id"] for item in receiver.items] == ["P-1", "L-1"]


def test_a_sender_that_is_killed_loses_nothing(
    regulator: Client, receiver: Receiver, send: Send, district_url: str, store: Store
) -> None:
    number, _ = listening(regulator, receiver)
    mark(regulator, "P-1", "repairs")
    receiver.held = threading.Event()
    words = [sys.executable, "-m", "scoring.cli", "deliveries", "send", "--database", district_url]
    own = {"XINHENG_DELIVERY_HOSTS": "localhost"}
    killed = subprocess.Popen(words, env=os.environ | own)
    assert receiver.reached.wait(60)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    receiver.held.set()
    now = dt.datetime.now(dt.UTC)
    assert send(now) == []  # nobody knows yet that it is dead
    assert len(send(now + LEASE)) == 1
    first, second = receiver.ids
    assert first == second
    assert get_subscription(store, number).place == place(regulator)
    tries = regulator.get(f"/v1/subscriptions/{number}/deliveries").json["items"]
    assert [delivery["status"] for delivery in tries] == [204, None]


def test_a_pass_from_the_command_line_says_what_became_of_it(
    regulator: Client, receiver: Receiver, district_url: str
) -> None:
    listening(regulator, receiver)
    mark(regulator, "P-1", "repairs")
    words = [sys.executable, "-m", "scoring.cli", "deliveries", "send", "--database", district_url]
    own = {"XINHENG_DELIVERY_HOSTS": " LOCALHOST ,x"}
    words += ["--format", "csv"]
    done = subprocess.run(words, env=os.environ | own, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "id,receiver,until,items,status,problem,state",
        f"1,政务平台,{place(regulator)},1,204,,active",
    ]


@pytest.mark.parametrize(
    ("status", "is_one"), [(None, False), (199, False), (200, True), (299, True), (300, False), (301, False)]
)
def test_a_2xx_and_no_other_answer_acknowledges(status: int | None, is_one: bool) -> None:
    assert is_acknowledged(Answer(status)) is is_one


# Where messages may go


HOOK = "https://hub.example/"


@pytest.mark.parametrize(
    ("address", "is_one"),
    [
        (HOOK, True), (f"{HOOK}a?b=c", True), ("https://hub.example:8443/", True),
        (HOOK.ljust(500, "a"), True), (HOOK.ljust(501, "a"), False),
        ("http://hub.example/", False), ("https:///a", False), ("https://a@hub.example/", False),
        (f"{HOOK}#a", False), ("https://hub.example:0/", False), ("https://[::1/", False),
        (f"{HOOK}政务", False), (f"{HOOK}a b", False), ("hub.example", False), ("", False),
        ("https://hub.example:1024/", True), ("https://hub.example:1023/", False),
        ("https://hub.example:25/", False), (f"{HOOK}\0", False), ("https://hub\0.example/", False),
        (f"{HOOK}\x7f", False),
    ],
)  # fmt: skip
def test_what_an_address_for_messages_is(address: str, is_one: bool) -> None:
    assert (addresses.check_address(address) is None) is is_one


def test_an_address_without_a_port_is_that_of_https(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = list[tuple[str, int]]()

    def unknown(host: str, port: int, *_: int) -> None:
        looked.append((host, port))
        raise OSError("no such name")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    for address in ("https://hub.example/changes", "https://hub.example:8443/changes"):
        assert post(address, {}, b"{}", frozenset()).status is None
    assert looked == [("hub.example", 443), ("hub.example", 8443)]


@pytest.mark.parametrize(
    "text",
    ["127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1",
     "224.0.0.1", "::1", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
     "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:7f00:1::", "::", "ff02::1", "::7f00:1", "fec0::1",
     "64:ff9b:1::a00:1", "192.0.0.192", "192.88.99.1", "168.63.129.16", "64:ff9b::a83f:8110",
     "2002:7272:7272::", "2001:0:7272:7272::", "3fff::1", "5f00::1", "2001:db8::1"],
)  # fmt: skip
def test_an_address_of_our_own_network_is_not_public(text: str) -> None:
    assert not addresses.is_public(text)


@pytest.mark.parametrize("text", ["114.114.114.114", "2400:3200::1", "64:ff9b::7272:7272"])
def test_an_address_of_the_internet_is_public(text: str) -> None:
    assert addresses.is_public(text)


def test_nothing_is_sent_into_our_own_network_unless_its_host_is_listed(
    regulator: Client, receiver: Receiver, send: Send
) -> None:
    number, _ = listening(regulator, receiver)
    mark(regulator, "P-1", "repairs")
    [sent] = send(to=partial(post, own_hosts=frozenset({"hub.example"})))
    assert sent.answer.status is None
    assert "no public address of localhost is found" in str(sent.answer.problem)
    assert "127.0.0.1" not in str(sent.answer.problem), "nobody learns what our own names stand for"
    assert receiver.messages == []
    [delivery] = regulator.get(f"/v1/subscriptions/{number}/deliveries").json["items"]
    assert sent.answer.problem is not None
    assert delivery["problem"] == sent.answer.problem.en


def test_a_name_that_changes_its_meaning_after_the_check_gains_nothing(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name server that first says what is allowed, and then something else."""
    looked, real = list[str](), socket.getaddrinfo

    def answer(host: Any, *more: Any, **others: Any) -> Any:
        if host != "hub.example":
            return real(host, *more, **others)
        looked.append(host)
        return real("127.0.0.1" if len(looked) == 1 else "192.0.2.1", *more, **others)

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    address = receiver.address.replace("localhost", "hub.example")
    assert post(address, {}, b"{}", frozenset({"hub.example"})) == Answer(204)
    assert looked == ["hub.example"]  # the certificate is the name's, the connection goes to what was checked


def test_who_has_no_right_certificate_or_does_not_answer_fails_in_time(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = frozenset({"localhost"})
    monkeypatch.setattr(addresses, "DEADLINE", 0.2)
    receiver.held = threading.Event()
    assert "no answer within" in str(post(receiver.address, {}, b"{}", own).problem)
    receiver.held.set()
    monkeypatch.delenv("SSL_CERT_FILE")
    assert "CERTIFICATE_VERIFY_FAILED" in str(post(receiver.address, {}, b"{}", own).problem)
    assert post("https://nowhere.invalid/", {}, b"", own).status is None


def test_a_name_whose_look_up_does_not_end_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    never = threading.Event()

    def silent(*_: object) -> list[object]:
        never.wait(PATIENCE / 10)
        raise socket.gaierror("no name server answers")

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    monkeypatch.setattr(addresses, "DEADLINE", 0.2)
    assert "no answer within" in str(post(HOOK, {}, b"{}", frozenset()).problem)
    never.set()


def test_nothing_is_kept_of_what_is_no_answer_of_http(
    regulator: Client, receiver: Receiver, send: Send
) -> None:
    """PostgreSQL keeps no NUL: what a receiver says must not end the pass, for everybody and for ever."""
    number, _ = listening(regulator, receiver)
    mark(regulator, "P-1", "repairs")
    receiver.instead = b"\0\x1b[31m injected\r\n\r\n"
    assert [sent.answer.status for sent in send()] == [None]
    [delivery] = regulator.get(f"/v1/subscriptions/{number}/deliveries").json["items"]
    assert delivery["problem"] == "BadStatusLine"


def test_an_address_that_is_none_is_not_sent_to_also_where_it_was_registered_before() -> None:
    for address in ("https://hub.example:25/", "https://hub\0.example/", "http://hub.example/"):
        assert "an address is https://host/path" in str(post(address, {}, b"{}", frozenset()).problem)


def test_a_receiver_that_takes_its_time_keeps_no_other_waiting(
    regulator: Client, receiver: Receiver, send: Send
) -> None:
    listening(regulator, receiver)
    other = subscribe(regulator, address=f"{receiver.address}?other")["subscription"]["address"]
    mark(regulator, "P-1", "repairs")
    has_come, waited = threading.Event(), list[bool]()

    def to(address: str, *_: object) -> Answer:
        if address == other:
            has_come.set()
        else:
            waited.append(has_come.wait(PATIENCE / 10))
        return Answer(204)

    assert (len(send(to=to)), waited) == (2, [True])


def test_a_pass_ends_and_the_next_goes_on(
    regulator: Client, receiver: Receiver, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else who answers slowly, and has much to get, keeps what others have to get later."""
    monkeypatch.setattr(sending, "ITEMS", 1)
    monkeypatch.setattr(sending, "LONGEST_PASS", 0.0)
    listening(regulator, receiver)
    for number in ("P-1", "L-1"):
        mark(regulator, number, "repairs")
    assert [len(send()) for _ in range(3)] == [1, 1, 0]
    assert [item["record_id"] for item in receiver.items] == ["P-1", "L-1"]


# Lenders


@pytest.fixture
def bank(app: Flask, regulator: Client, lender: Client, receiver: Receiver) -> Client:
    """A lender that is sent the tiers of those who consent, from the beginning of the feed."""
    app.extensions["clock"] = Clock()
    listening(regulator, receiver, role="lender", organisation=AUTHORITY, after="0")
    return lender


def test_a_lender_is_sent_the_tiers_of_those_who_consent_and_nothing_of_a_record(
    regulator: Client, bank: Client, receiver: Receiver, send: Send, sign_in: Sign
) -> None:
    consented(bank, LISTED, purposes=["monitoring"])
    mark(regulator, "L-1", "repairs")
    send()
    [item] = receiver.items
    assert item == feed(bank)[0]
    assert item["subject_id"] == LISTED
    assert "L-1" not in str(receiver.messages)
    for client, path in (
        (regulator, f"/v1/subjects/{LISTED}/lender-checks"),
        (sign_in(Role.SUBJECT, LISTED), f"/v1/subjects/{LISTED}/lender-checks"),
        (bank, "/v1/lender-checks"),
    ):
        *_, note = client.get(path).json["items"]
        assert (note["outcome"], note["purpose"], note["lender"]) == ("told", "monitoring", AUTHORITY)
    assert sign_in(Role.LENDER, "乙银行").get("/v1/lender-checks").json["items"] == []


def test_a_withdrawal_stops_what_was_about_to_be_sent_again(
    regulator: Client, bank: Client, receiver: Receiver, send: Send
) -> None:
    consent = consented(bank, LISTED, purposes=["monitoring"])
    receiver.answers = [503]
    send()
    bank.post(f"/v1/consents/{consent['id']}/withdrawal", json={"reason": "x"})
    assert send(NOON + PAUSES[0]) == []
    assert len(receiver.messages) == 1
    assert regulator.get("/v1/subscriptions/1").json["state"] == "active"


def test_a_withdrawal_between_reading_and_sending_stops_it(
    bank: Client, receiver: Receiver, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    consent, read_items = consented(bank, LISTED, purposes=["monitoring"]), list[int]()

    def read_and_withdraw(*given: Any) -> Reading:
        found = read(*given)
        bank.post(f"/v1/consents/{consent['id']}/withdrawal", json={"reason": "x"})
        read_items.append(len(found.items))
        return found

    monkeypatch.setattr("scoring.changes.sending.read", read_and_withdraw)
    assert (send(), receiver.messages) == ([], [])
    assert read_items[0] == 1


def test_a_stopped_lender_is_sent_nothing_until_the_stop_is_lifted(
    regulator: Client, bank: Client, receiver: Receiver, send: Send
) -> None:
    consented(bank, LISTED, purposes=["monitoring"])
    regulator.post("/v1/lenders/stop", json={"lender": AUTHORITY, "reason": "x"})
    assert (send(), receiver.messages) == ([], [])
    regulator.post("/v1/lenders/lift", json={"lender": AUTHORITY, "reason": "x"})
    assert [sent.items for sent in send()] == [1]


def test_a_lender_registers_and_holds_its_own_receivers_and_finds_no_others(
    regulator: Client, sign_in: Sign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XINHENG_DELIVERY_HOSTS", "hub.district.example")
    bank, other = sign_in(Role.LENDER, "云衡农商行"), sign_in(Role.LENDER, "样例银行")
    hook: dict[str, object] = {"role": "lender", "address": "https://bank.example/changes"}
    for field, wrong in {
        "role": {"role": "regulator"},
        "organisation": {"organisation": "样例银行"},
        "address": {"address": "https://Hub.district.example/changes"},
        "kinds": {"kinds": ["record_repaired"]},
    }.items():
        [fault] = subscribe(bank, 422, **hook | wrong)["errors"]
        assert fault["field"] == field
    made = subscribe(bank, **hook)
    everything = subscribe(regulator)["subscription"]["id"]
    subscribe(regulator, role="lender", organisation="样例银行", address="https://hub.district.example/x")
    number = made["subscription"]["id"]
    assert (made["subscription"]["organisation"], made["secret"][:6]) == ("云衡农商行", "whsec_")
    assert [one["id"] for one in bank.get("/v1/subscriptions").json["items"]] == [number]
    assert len(regulator.get("/v1/subscriptions").json["items"]) == 3
    for client, mine, theirs in ((bank, number, everything), (other, number + 2, number)):
        for method, what in {
            "": "get", "/deliveries": "get", "/pauses": "post", "/resumptions": "post", "/secrets": "post",
        }.items():  # fmt: skip
            answered = [
                getattr(client, what)(f"/v1/subscriptions/{n}{method}").status_code for n in (mine, theirs)
            ]
            assert answered == [201 if method == "/secrets" else 200, 404], method
        assert client.delete(f"/v1/subscriptions/{theirs}").status_code == 404
    assert bank.delete(f"/v1/subscriptions/{number}").json["state"] == "ended"


def test_what_a_key_registered_is_sent_no_more_once_it_is_revoked_before_somebody_says_so(
    regulator: Client, sign_in: Sign, store: Store, app: Flask, receiver: Receiver, send: Send
) -> None:
    """Who had a lender's key for an hour may have named an address of their own."""
    app.extensions["clock"] = Clock()
    lender, colleague = sign_in(Role.LENDER, AUTHORITY), sign_in(Role.LENDER, AUTHORITY)
    consented(lender, LISTED, purposes=["monitoring"])
    number, _ = listening(regulator, receiver, role="lender", organisation=AUTHORITY, after="0")
    with store.writing() as session:  # as by its own key, whose addresses are of the internet at large
        session.get_one(SubscriptionRow, number).created_by = lender.prefix
    successor = rotate_key(store, lender.prefix, dt.timedelta(hours=1)).key.prefix
    revoke_key(store, lender.prefix)
    assert get_subscription(store, number).state == "active", "its place is taken: the holder goes on"
    third = rotate_key(store, successor, dt.timedelta(hours=1)).key.prefix
    revoke_key(store, successor)
    revoke_key(store, third)
    assert (send(), receiver.messages) == ([], [])
    said = colleague.get(f"/v1/subscriptions/{number}", headers={"Accept-Language": "zh"}).json
    assert said["state"] == "stopped"
    assert "密钥已停用" in str(said)
    [stopped] = entries(store, action="subscriptions.stop")
    assert (stopped.details["key"], stopped.details["state"]) == (lender.prefix, "revoked")
    assert colleague.post(f"/v1/subscriptions/{number}/resumptions").status_code == 200
    assert [sent.items for sent in send()] == [1]


def test_what_a_key_registered_is_sent_no_more_once_it_has_expired(
    sign_in: Sign, store: Store, regulator: Client, receiver: Receiver, send: Send
) -> None:
    mark(regulator, "P-1", "repairs")
    registrar = sign_in(Role.REGULATOR)
    number, _ = listening(registrar, receiver, after="0")
    with store.writing() as session:
        session.get_one(ApiKey, registrar.prefix).expires_at = NOON
    assert (send(), receiver.messages) == ([], [])
    assert get_subscription(store, number).state == "stopped"
    regulator.post(f"/v1/subscriptions/{number}/resumptions")
    assert len(send()) == 1
    assert get_subscription(store, number).created_by == regulator.prefix, "by whose word it goes on"


def test_who_resumes_what_a_lender_has_lost_takes_no_host_of_our_own_network_on(
    sign_in: Sign, store: Store, regulator: Client, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    lender = sign_in(Role.LENDER, AUTHORITY)
    number, _ = listening(lender, receiver, role="lender")
    regulator.post(f"/v1/subscriptions/{number}/pauses")
    revoke_key(store, lender.prefix)
    monkeypatch.setenv(addresses.VARIABLE, "localhost")
    refused = regulator.post(f"/v1/subscriptions/{number}/resumptions")
    assert (refused.status_code, "own network" in refused.json["detail"]) == (409, True)


def test_no_host_of_our_own_network_is_sent_to_by_a_lenders_word_when_it_is_listed_later(
    regulator: Client,
    sign_in: Sign,
    store: Store,
    receiver: Receiver,
    send: Send,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mark(regulator, "P-1", "repairs")
    number, _ = listening(regulator, receiver, after="0")
    with store.writing() as session:  # as by its own key, before the operator listed the host
        session.get_one(SubscriptionRow, number).created_by = sign_in(Role.LENDER, AUTHORITY).prefix
    monkeypatch.setenv(addresses.VARIABLE, "hub.example, LOCALHOST")
    [sent] = send()
    assert "in the district's own network" in str(sent.answer.problem)
    assert receiver.messages == []
    monkeypatch.setenv(addresses.VARIABLE, "hub.example")
    [sent] = send(NOON + PAUSES[0])
    assert (sent.is_acknowledged, len(receiver.messages)) == (True, 1)


def test_a_lender_has_so_many_receivers_at_a_time(store: Store, sign_in: Sign) -> None:
    bank = sign_in(Role.LENDER, "云衡农商行")
    who, wanted = Who("样例", Role.LENDER, "云衡农商行"), Wanted("核心系统", Role.LENDER)
    tries = [threading.Thread(target=partial(_subscribe, store, who, wanted)) for _ in range(MOST_OWN + 3)]
    for one in tries:
        one.start()
    for one in tries:
        one.join()
    held = list_subscriptions(store, who=Who("样例", Role.LENDER, "云衡农商行"))
    assert len(held) == MOST_OWN
    [fault] = subscribe(bank, 422, role="lender")["errors"]
    assert fault["field"] == "receiver"
    bank.delete(f"/v1/subscriptions/{held[0].id}")
    subscribe(bank, role="lender")


def _subscribe(store: Store, who: Who, wanted: Wanted) -> None:
    with suppress(SubscriptionError):
        subscribe_to(store, who, wanted, "enterprise-credit")


def test_the_proof_names_a_receiver_that_was_sent_the_repair_and_one_that_cannot_be_reached(
    regulator: Client, receiver: Receiver, send: Send, sign_in: Sign
) -> None:
    listening(regulator, receiver, receiver="平台")
    subscribe(regulator, receiver="断网的系统", address="https://nowhere.invalid/")
    mark(regulator, "P-1", "repairs", effective_on=today().isoformat())
    send()
    found = regulator.get("/v1/records/P-1/receivers").json
    first, second = found["proofs"][0]["receivers"]
    assert first["told_at"] is not None
    assert first["acknowledged_at"] is not None
    assert (second["told_at"], second["acknowledged_at"], second["attempts"]) == (None, None, 1)
    assert sign_in(Role.SUBJECT, found["subject_id"]).get("/v1/records/P-1/receivers").json == found


def test_the_page_tells_a_message_that_is_ours_from_every_other() -> None:
    page = Path("docs/changes.md").read_text(encoding="utf-8")
    told: dict[str, Any] = {}
    exec(page.split("```python\n")[1].split("```")[0], told)
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", '{"名称": 1}'.encode()
    now = dt.datetime(2026, 8, 10, 8, tzinfo=dt.UTC)
    told["time"] = SimpleNamespace(time=now.timestamp)
    headers = sending.sign(secret, "2-1", now, body)
    several = {**headers, "webhook-signature": f"v1,another {headers['webhook-signature']}"}
    kept = sending.sign(secret, "2-1", now - dt.timedelta(hours=1), body)
    asked = [
        (headers, body),
        (several, body),
        (headers, body + b" "),
        ({**headers, "webhook-id": "2-2"}, body),
        (kept, body),
    ]
    assert [told["is_genuine"](secret, *one) for one in asked] == [True, True, False, False, False]
