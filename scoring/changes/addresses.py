"""Where messages may go, and how they get there: over TLS, to addresses that are not our own network's.

What a name stands for is looked up when a message is sent, every address that it stands for is checked, and
the connection goes to the one that was checked: who changes the name's meaning meanwhile gains nothing.
Redirects are not followed, nothing is kept of an answer but its status, and from the look-up of the name on
nobody keeps us longer than :data:`DEADLINE`.
"""

from __future__ import annotations

import http.client
import os
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from rules.model import Title
from scoring.access.apart import within

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
_NAT64, _UNICAST = ip_network("64:ff9b::/96"), ip_network("2000::/3")
_SPECIAL = tuple(
    ip_network(text)
    for text in ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32", "2001::/23", "2002::/16", "3fff::/20")
)
"""What :mod:`ipaddress` of one version or another takes for global (RFC 6890 and 9637): protocols' own, among
them a cloud's metadata, 6to4 and its relays, documentation; and the one public address at which another cloud
answers its own machines."""

LOWEST_PORT = 1024
"""Below it a port is some other service's (mail, directories); 443 is that of HTTPS."""


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
            and (parts.port in (None, 443) or parts.port >= LOWEST_PORT)
            and len(address) <= LONGEST
            and address.isascii()
            and address.isprintable()
            and " " not in address
        )
    except ValueError:
        is_right = False
    if is_right:
        return None
    en = "an address is https://host/path, in ASCII, without a user's name and without #, its port"
    zh = "地址应为https://主机/路径,仅用ASCII字符,不含用户名和#,端口为443或不小于"
    return Title(f"{zh}{LOWEST_PORT}", f"{en} 443 or {LOWEST_PORT} and above")


def is_public(text: str) -> bool:
    """Whether an address is one of the internet at large.

    Of IPv6 only 2000::/3 is (IANA's registry of global unicast), and what 64:ff9b::/96 translates to such an
    address of IPv4: nothing else that wraps one (6to4, Teredo, ::ffff:0:0/96), not the old site-local
    addresses, nor a network's own translation to its IPv4 (64:ff9b:1::/48, RFC 8215).

    >>> is_public("114.114.114.114"), is_public("10.1.2.3"), is_public("::ffff:114.114.114.114")
    (True, False, False)
    """
    found: IPv4Address | IPv6Address = ip_address(text.partition("%")[0])
    if isinstance(found, IPv6Address):
        if found in _NAT64:
            found = IPv4Address(int(found) & 0xFFFFFFFF)
        elif found not in _UNICAST:
            return False
    return found.is_global and not found.is_multicast and not any(found in net for net in _SPECIAL)


def post(address: str, headers: Mapping[str, str], body: bytes, own_hosts: frozenset[str]) -> Answer:
    """Send a message; it never raises for what is wrong with the address or the other side.

    :param own_hosts: hosts that may be in our own network.
    """
    if (wrong := check_address(address)) is not None:
        return Answer(None, wrong)
    parts = urlsplit(address)
    connection = _Pinned(str(parts.hostname), parts.port or 443)
    try:
        return within(DEADLINE, lambda: _exchange(connection, _target(parts), headers, body, own_hosts))
    except TimeoutError:
        connection.abort()
        return Answer(None, _LATE)


def _exchange(
    connection: _Pinned, target: str, headers: Mapping[str, str], body: bytes, own_hosts: frozenset[str]
) -> Answer:
    try:
        connection.address = _look_up(connection.host, connection.port, own_hosts)
        if connection.address is None:
            en = f"no public address of {connection.host} is found; for one of our own network see {VARIABLE}"
            return Answer(None, Title(f"找不到{connection.host}的公网地址,内网主机见{VARIABLE}", en))
        connection.request("POST", target, body, dict(headers))
        return Answer(connection.getresponse().status)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Answer(None, _why(error))
    finally:
        connection.close()


def _look_up(host: str, port: int, own_hosts: frozenset[str]) -> str | None:
    """An address of a host, if all that it has may be sent to. Of no other anything is said: who registers a
    receiver is not told what names our own network knows, and for what they stand.
    """
    try:
        found = list(dict.fromkeys(str(info[4][0]) for info in socket.getaddrinfo(host, port, 0, 1)))
    except (socket.gaierror, UnicodeError):
        return None
    is_right = host.casefold() in own_hosts or all(map(is_public, found))
    return found[0] if found and is_right else None


def _why(error: Exception) -> Title:
    """What ended a connection: its English is as our own system says it, never as the other side does."""
    zh = next((zh for kind, zh in _ENDED.items() if isinstance(error, kind)), "连接中断或应答有误")
    said = f": {error}" if isinstance(error, OSError) and error.strerror else ""
    return Title(zh, f"{type(error).__name__}{said}"[:LONGEST])


def is_own_host(address: str) -> bool:
    """Whether an address is at a host that the operator lists."""
    return str(urlsplit(address).hostname).casefold() in own_hosts()


def own_hosts() -> frozenset[str]:
    """The hosts that the operator lists."""
    names = os.environ.get(VARIABLE, "").split(",")
    return frozenset(name.strip().casefold() for name in names if name.strip())


class _Pinned(http.client.HTTPSConnection):
    """Goes to one address, and takes the certificate of the host alone.

    :ivar address: to be said before it connects.
    """

    def __init__(self, host: str, port: int) -> None:
        self._tls = ssl.create_default_context()
        super().__init__(host, port, timeout=CONNECT_SECONDS, context=self._tls)
        self.address: str | None = None
        self._is_late = False

    def connect(self) -> None:
        """Connect to the address that was checked, whatever the name stands for by now."""
        plain = self.sock = socket.create_connection((self.address, self.port), CONNECT_SECONDS)
        tls = self.sock = self._tls.wrap_socket(
            plain, server_hostname=self.host, do_handshake_on_connect=False
        )
        if self._is_late:
            raise TimeoutError
        tls.do_handshake()

    def abort(self) -> None:
        """End what takes too long, from another thread."""
        self._is_late = True
        if self.sock is not None:
            try:
                self.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                self.sock.close()


def _target(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
