"""Where messages may go, and how they get there: over TLS, to addresses that are not our own network's.

What a name stands for is looked up when a message is sent, every address that it stands for is checked, and
the connection goes to the one that was checked: who changes the name's meaning meanwhile gains nothing.
Redirects are not followed, nothing is read of an answer but its status and headers, and no answer keeps us
longer than :data:`DEADLINE`.
"""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

from rules.model import Title

VARIABLE = "XINHENG_DELIVERY_HOSTS"
"""Names the hosts, with commas between, that messages may go to although they are in our own network."""

LONGEST = 500
CONNECT_SECONDS, DEADLINE = 10.0, 20.0
_LATE = Title(f"{DEADLINE:g}秒内没有应答", f"no answer within {DEADLINE:g} s")
_ENDED: Mapping[type[Exception], str] = {
    ssl.SSLCertVerificationError: "对方的证书无法验证",
    ssl.SSLError: "不能建立TLS连接",
    ConnectionRefusedError: "对方拒绝连接",
    TimeoutError: "连接超时",
}
_NAT64, _UNICAST = IPv6Network("64:ff9b::/96"), IPv6Network("2000::/3")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a message.

    :param status: None where there was no answer.
    :param problem: why there was none.
    """

    status: int | None
    problem: Title | None = None


def check_address(address: str) -> Title | None:
    """Why a text is no address for messages; None where it is one. Whom it stands for is checked later."""
    try:
        parts = urlsplit(address)
        is_right = bool(
            parts.scheme == "https"
            and parts.hostname
            and parts.username is None
            and not parts.fragment
            and parts.port != 0
            and len(address) <= LONGEST
            and address.isascii()
            and not any(character.isspace() for character in address)
        )
    except ValueError:
        is_right = False
    if is_right:
        return None
    en = "an address is https://host/path, in ASCII, without a user's name and without #"
    return Title("地址应为https://主机/路径,仅用ASCII字符,不含用户名和#", en)


def is_public(text: str) -> bool:
    """Whether an address is one of the internet at large, also where it wraps one of IPv4.

    Of IPv6 only 2000::/3 is (IANA's registry of global unicast), and what 64:ff9b::/96 wraps: not the old
    site-local addresses, nor a network's own translation to its IPv4 (64:ff9b:1::/48, RFC 8215).

    >>> is_public("114.114.114.114"), is_public("10.1.2.3"), is_public("::ffff:127.0.0.1")
    (True, False, False)
    """
    found = ip_address(text.partition("%")[0])
    inner = None
    if isinstance(found, IPv6Address):
        if found not in _UNICAST and found not in _NAT64:
            return False
        inner = _wrapped(found)
    return all(one.is_global and not one.is_multicast for one in (found, *(inner or ())) if one is not None)


def post(address: str, headers: Mapping[str, str], body: bytes, own_hosts: frozenset[str]) -> Answer:
    """Send a message; it never raises for what is wrong with the other side.

    :param own_hosts: hosts that may be in our own network.
    """
    parts = urlsplit(address)
    host, port = str(parts.hostname), parts.port or 443
    try:
        found = list(dict.fromkeys(str(info[4][0]) for info in socket.getaddrinfo(host, port, 0, 1)))
    except (OSError, UnicodeError) as error:
        return Answer(None, Title(f"找不到主机{host}", f"{host} is not found: {error}"))
    refused = [one for one in found if host.casefold() not in own_hosts and not is_public(one)]
    if refused:
        en = f"{host} is {refused[0]}, which is not a public address; see {VARIABLE}"
        return Answer(None, Title(f"{host}为{refused[0]},不是公网地址,见{VARIABLE}", en))
    connection = _Pinned(host, port, found[0])
    watch = threading.Timer(DEADLINE, connection.abort)
    watch.start()
    try:
        connection.request("POST", _target(parts), body, dict(headers))
        return Answer(connection.getresponse().status)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Answer(None, _LATE if connection.is_late else _why(error))
    finally:
        watch.cancel()
        connection.close()


def _why(error: Exception) -> Title:
    """What ended a connection; its English is as the system says it."""
    zh = next((zh for kind, zh in _ENDED.items() if isinstance(error, kind)), "连接中断或应答有误")
    return Title(zh, f"{type(error).__name__}: {error}"[:LONGEST])


def is_own_host(address: str) -> bool:
    """Whether an address is at a host that the operator lists."""
    return str(urlsplit(address).hostname).casefold() in own_hosts()


def own_hosts() -> frozenset[str]:
    """The hosts that the operator lists."""
    names = os.environ.get(VARIABLE, "").split(",")
    return frozenset(name.strip().casefold() for name in names if name.strip())


class _Pinned(http.client.HTTPSConnection):
    """Goes to one address, and takes the certificate of the host alone."""

    def __init__(self, host: str, port: int, address: str) -> None:
        self._tls = ssl.create_default_context()
        super().__init__(host, port, timeout=CONNECT_SECONDS, context=self._tls)
        self._address = address
        self.is_late = False

    def connect(self) -> None:
        """Connect to the address that was checked, whatever the name stands for by now."""
        plain = socket.create_connection((self._address, self.port), CONNECT_SECONDS)
        self.sock = plain
        self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)

    def abort(self) -> None:
        """End what takes too long, from another thread."""
        self.is_late = True
        if self.sock is not None:
            try:
                self.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                self.sock.close()


def _target(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _wrapped(address: IPv6Address) -> tuple[IPv4Address | None, ...]:
    """The addresses of IPv4 that one of IPv6 may lead to."""
    nat64 = IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None
    return (address.ipv4_mapped, address.sixtofour, nat64, *(address.teredo or ()))
