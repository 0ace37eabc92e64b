"""What an admin types as an address never leads into our own network, whatever it looks like and whoever answers."""

import ipaddress
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from clm.lib.pinned_post import READ, post
from clm.lib.reachable import UnreachableError, parse_target, refuse_private, resolved

from .sink import HERE, Answer, Sink

LOCAL = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "ftp://example.org/",
        "https://",
        "//example.org/",
        "https:/example.org",
        "https://user@example.org/",
        "https://user:p@127.0.0.1/",
        "https://example.org\\@127.0.0.1/",
        "https://example.org/#x",
        "https://example.org /",
        "https://exa\tmple.org/",
        "https://example.org/\r\nX: y",
        "https://exämple.org/",
        "https://①②⑦.0.0.1/",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.0.0.1/",
        "https://0177.0.0.1/",
        "https://127.0.0.1./",
        "https://10.0.0.1/",
        "https://192.168.1.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://100.64.0.1/",
        "https://0.0.0.0/",
        "https://224.0.0.1/",
        "https://255.255.255.255/",
        "https://[::1]/",
        "https://[::]/",
        "https://[::ffff:7f00:1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[::127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[64:ff9b:1::1]/",
        "https://[2002:7f00:1::]/",
        "https://[2001:0:53aa:64c:0:fbff:ad19:d3fb]/",
        "https://[fe80::1%25eth0]/",
        "https://[fc00::1]/",
        "https://[ff02::1]/",
        "https://example.org:22/",
        "https://example.org:0/",
        "https://example.org:65536/",
        "https://-example.org/",
        "https://example..org/",
        "https://" + "a" * 64 + ".org/",
        "https://example.org/" + "a" * 2_000,
    ],
)  # fmt: skip
def test_an_address_that_leads_astray_is_refused(url: str) -> None:
    with pytest.raises(UnreachableError):
        parse_target(url)


@pytest.mark.parametrize(
    ("url", "host", "port", "path", "header"),
    [
        ("https://example.org", "example.org", 443, "/", "example.org"),
        ("https://Example.ORG:8443/a/b?c=d&e", "example.org", 8443, "/a/b?c=d&e", "example.org:8443"),
        ("https://xn--exmple-cua.org/x", "xn--exmple-cua.org", 443, "/x", "xn--exmple-cua.org"),
        ("https://93.184.215.14/", "93.184.215.14", 443, "/", "93.184.215.14"),
        (
            "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]:8443/",
            "2606:2800:21f:cb07:6820:80da:af6b:8b2c",
            8443,
            "/",
            "[2606:2800:21f:cb07:6820:80da:af6b:8b2c]:8443",
        ),
    ],
)
def test_a_public_address_is_read_in_its_parts(url: str, host: str, port: int, path: str, header: str) -> None:
    target = parse_target(url)
    assert (target.host, target.port, target.path, target.host_header) == (host, port, path, header)


def test_networks_of_ones_own_are_reached_when_they_are_named() -> None:
    allowed = (ipaddress.ip_network("10.1.0.0/16"),)
    assert parse_target("http://10.1.2.3:8080/", allowed=allowed).host == "10.1.2.3"
    refuse_private(ipaddress.ip_address("::ffff:10.1.2.3"), allowed=allowed)
    for address in ("10.2.0.1", "127.0.0.1", "169.254.169.254"):
        with pytest.raises(UnreachableError):
            refuse_private(ipaddress.ip_address(address), allowed=allowed)


def answering(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Let names lead to these addresses, another list each time; what was asked is in the list returned."""
    asked: list[str] = []

    def getaddrinfo(host: str, port: int, *args: Any, **more: Any) -> list[Any]:
        found = answers[min(len(asked), len(answers) - 1)]
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr("clm.lib.reachable.socket.getaddrinfo", getaddrinfo)
    return asked


def test_one_private_address_of_a_name_refuses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, ["93.184.215.14", "10.0.0.1"])
    with pytest.raises(UnreachableError):
        resolved(parse_target("https://example.org/"))


def test_a_name_that_changes_its_mind_gains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answering(monkeypatch, ["93.184.215.14"], ["127.0.0.1"])
    reached: list[Any] = []

    def connect(address: Any, *args: Any, **more: Any) -> Any:
        reached.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr("clm.lib.pinned_post.socket.create_connection", connect)
    answer = post("https://example.org/", b"{}", headers={}, seconds=2)
    assert answer.status is None
    assert asked == ["example.org"], "it is asked once"
    assert reached == [("93.184.215.14", 443)], "and where it led then is where we go"


def test_a_name_that_leads_to_us_is_refused() -> None:
    answer = post("https://localhost/", b"{}", headers={}, seconds=2)
    assert (answer.status, answer.trouble) == (None, "The address leads into a private network.")


# --- sending --------------------------------------------------------------------------------------------------
@pytest.fixture
def secure() -> Iterator[Sink]:
    made = Sink("localhost.pem")
    yield made
    made.close()


def test_a_certificate_must_be_valid_and_of_that_name(secure: Sink) -> None:
    url = secure.url(host="localhost")
    vouched = post(
        url, b"{}", headers={"webhook-id": "1"}, seconds=5, allowed=LOCAL, ca_file=str(HERE / "localhost.pem")
    )
    assert vouched.status == 204, vouched
    assert secure.got[0].headers["host"] == f"localhost:{secure.port}"
    strange = post(url, b"{}", headers={}, seconds=5, allowed=LOCAL)
    assert strange.status is None
    assert strange.trouble.startswith("the certificate is not valid")
    others = Sink("other.pem")
    try:
        answer = post(
            others.url(host="localhost"), b"{}", headers={}, seconds=5, allowed=LOCAL, ca_file=str(HERE / "other.pem")
        )
        assert answer.trouble.startswith("the certificate is not valid")
        assert others.got == []
    finally:
        others.close()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_answer_that_trickles_in_ends_in_time(scheme: str, sink: Sink, secure: Sink) -> None:
    def trickle() -> Iterator[bytes]:
        for _ in range(100):
            time.sleep(0.1)
            yield b"x"

    there = secure if scheme == "https" else sink
    there.answer = lambda _got, _number: Answer(200, {}, trickle())
    began = time.monotonic()
    ours = str(HERE / "localhost.pem")
    answer = post(there.url(host="localhost"), b"{}", headers={}, seconds=0.5, allowed=LOCAL, ca_file=ours)
    assert time.monotonic() - began < 5
    assert (answer.status, answer.trouble) == (None, "no answer within 0.5 s")


def test_no_more_of_an_answer_is_read_than_is_shown(sink: Sink) -> None:
    sink.answer = lambda _got, _number: Answer(200, {}, (b"y" * 100_000 for _ in range(1_000)))
    answer = post(sink.url(), b"{}", headers={}, seconds=10, allowed=LOCAL)
    assert answer.status == 200
    assert len(answer.excerpt) <= READ


def test_nobody_there_is_said_without_a_traceback() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    answer = post(f"http://127.0.0.1:{port}/", b"{}", headers={}, seconds=2, allowed=LOCAL)
    assert (answer.status, answer.trouble) == (None, "the connection was refused")


def test_what_is_no_http_is_no_answer(sink: Sink) -> None:
    answer = post(sink.url().replace("http:", "https:"), b"{}", headers={}, seconds=2, allowed=LOCAL)
    assert (answer.status, answer.trouble) == (None, "no secure connection came about")
