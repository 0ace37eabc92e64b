"""Which addresses this program may talk to when somebody else names them. An address typed into a form must not become
a way to the machines behind our firewall: databases, metadata services of clouds, the program itself.

So only public addresses are reached. A name is resolved once, every address it has is checked, and the connection goes
to an address that was checked (`clm.lib.pinned_post`): a name that answers differently a moment later gains nothing."""

import ipaddress
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

LONGEST = 2_000
# IPv6 addresses that carry an IPv4 address in them, which Python calls public: NAT64 (RFC 6052, 8215), 6to4, Teredo;
# and those that IPv4 addresses were once written as.
_CARRIERS = tuple(
    ipaddress.ip_network(one)
    for one in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96", "::ffff:0:0:0/96")
)
# What says whether an address is shared with a carrier or belongs to nobody differs between versions of Python.
_NEVER = tuple(
    ipaddress.ip_network(one)
    for one in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4", "::/128", "::1/128", "100::/64", "2001:db8::/32", "3fff::/20", "5f00::/16",
        "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
    )
)  # fmt: skip
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)
_NUMERIC = re.compile(r"(0x[0-9a-f]*|[0-9]+)", re.ASCII)


class UnreachableError(ValueError):
    """An address that must not be reached, or that nothing answers at; the message says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """An address in its parts. host: lower case, an IPv6 address without brackets; path: with its query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == {"https": 443, "http": 80}[self.scheme] else f"{host}:{self.port}"


def parse_target(url: str, *, allowed: Sequence[Network] = ()) -> Target:
    """The parts of an address that may be reached as far as its letters tell; names are resolved later. Refused is
    whatever two programs could read in two ways. `allowed`: networks that may be reached although they are not
    public; plain http only where there are some."""
    if len(url) > LONGEST:
        raise UnreachableError("The address is too long.")
    if not url.isascii() or any(letter <= " " or letter in '\\"<>^`{|}\x7f' for letter in url):
        raise UnreachableError("The address holds letters that have no place in one; write names in their ASCII form.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UnreachableError("This is no address.") from None
    if parts.scheme not in ("https", "http"):
        raise UnreachableError("The address begins with https://.")
    if parts.scheme == "http" and not allowed:
        raise UnreachableError("The address begins with https://: what is sent must not be read on its way.")
    if "@" in parts.netloc:
        raise UnreachableError("An address with a user name in it is refused.")
    if parts.fragment or "#" in url:
        raise UnreachableError("An address with a # in it is refused.")
    host = (parts.hostname or "").lower()
    if port == 0 or (port is not None and port < 1024 and port not in (80, 443)):
        raise UnreachableError("This port is refused: 443, 80, or one from 1024 on.")
    literal = _literal(host, bracketed="[" in parts.netloc)
    if literal is not None:
        refuse_private(literal, allowed=allowed)
        host = str(literal)
    path = parts.path or "/"
    default = 443 if parts.scheme == "https" else 80
    return Target(parts.scheme, host, port or default, f"{path}?{parts.query}" if parts.query else path)


def _literal(host: str, *, bracketed: bool) -> Address | None:
    """The address that a host is, None for a name. Numbers in other shapes (127.1, 0x7f000001, 2130706433) are
    addresses to some programs and names to others: refused."""
    try:
        if bracketed:
            if "%" in host:
                raise UnreachableError("An address with a zone is refused.")
            return ipaddress.IPv6Address(host)
        return ipaddress.IPv4Address(host)
    except ipaddress.AddressValueError:
        if bracketed:
            raise UnreachableError("This is no address.") from None
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise UnreachableError("This is no name of a machine.")
    if _NUMERIC.fullmatch(labels[-1]):
        raise UnreachableError("Write the address of a machine as four numbers, or use its name.")
    return None


def refuse_private(address: Address, *, allowed: Sequence[Network] = ()) -> None:
    """UnreachableError for an address that is not public, unless it lies in one of the networks `allowed`."""
    plain: Address = address
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        plain = address.ipv4_mapped
    if any(plain.version == network.version and plain in network for network in allowed):
        return
    refused = (*_NEVER, *_CARRIERS)
    if (
        not plain.is_global
        or plain.is_multicast
        or plain.is_reserved
        or any(plain.version == network.version and plain in network for network in refused)
    ):
        raise UnreachableError("The address leads into a private network.")


def resolved(target: Target, *, allowed: Sequence[Network] = ()) -> list[Address]:
    """The addresses of a target's machine, each checked; one that must not be reached refuses them all."""
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    except (OSError, UnicodeError):
        raise UnreachableError("The name of the machine is not known.") from None
    addresses = list(dict.fromkeys(ipaddress.ip_address(str(one[4][0]).partition("%")[0]) for one in found))
    if not addresses:
        raise UnreachableError("The name of the machine is not known.")
    for address in addresses:
        refuse_private(address, allowed=allowed)
    return addresses
