"""What is added to a request for its target: X-Forwarded-*, Host, in ALB's order (fact sheet 7.2 and 7.3)."""

import pytest

from lb.http import forwarded
from lb.http.forwarded import ForwardedSettings
from lb.http.head import Rejected
from tests.http.messages import head_of, to_target, values

DNS_NAME = b"web-0123456789.us-east-1.elb.localhost"


def settings_of(port: int = 80, *, preserve: bool = False, client_port: bool = False, mode: str = "append"):
    return ForwardedSettings(port, DNS_NAME, preserve, client_port, mode)


def host_for(
    lines: bytes, settings: ForwardedSettings, *, uri: bytes = b"/", version: bytes = b"HTTP/1.1"
) -> list[bytes]:
    head = head_of(b"GET " + uri + b" " + version + b"\r\n" + lines + b"\r\n")
    return values(to_target(head, settings), b"host")


def test_the_whole_head_in_order():
    head = head_of(
        b"POST /a?b HTTP/1.1\r\nUser-Agent: c\r\nX-Forwarded-Proto: https\r\nHost: Web1.example\r\nX-Forwarded-Port: 1\r\n"
        b"X-Forwarded-Host: kept\r\nContent-Length: 3\r\nX-Amzn-Trace-Id: Root=old\r\nX-Forwarded-For: 192.0.2.9\r\n"
        b"Accept: */*\r\n\r\n"
    )
    added = forwarded.added_headers(head, settings_of(8080), b"203.0.113.7")
    assert forwarded.to_target(head, head.uri, added, b"Root=new") == (
        b"POST /a?b HTTP/1.1\r\nX-Forwarded-For: 192.0.2.9, 203.0.113.7\r\nX-Forwarded-Proto: http\r\n"
        b"X-Forwarded-Port: 8080\r\nHost: web1.example:8080\r\nX-Amzn-Trace-Id: Root=new\r\nUser-Agent: c\r\n"
        b"X-Forwarded-Host: kept\r\nContent-Length: 3\r\nAccept: */*\r\n\r\n"
    )


def test_a_head_without_anything_of_its_own():
    head = head_of(b"GET / HTTP/1.0\r\n\r\n")
    added = forwarded.added_headers(head, settings_of(), b"203.0.113.7")
    assert forwarded.to_target(head, head.uri, added, b"Root=new") == (
        b"GET / HTTP/1.1\r\nX-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Port: 80\r\n"
        b"Host: " + DNS_NAME + b"\r\nX-Amzn-Trace-Id: Root=new\r\n\r\n"
    )


# --- Host: the rows of fact sheet 7.3 ---


@pytest.mark.parametrize(
    ("port", "sent", "expected"),
    [
        (80, b"Example.com", b"example.com"),
        (80, b"example.com:80", b"example.com"),
        (80, b"EXAMPLE.com:80", b"example.com"),
        (80, b"example.com:8080", b"example.com:8080"),
        (8080, b"example.com", b"example.com:8080"),
        (8080, b"Example.com", b"example.com:8080"),
        (8080, b"example.com:8080", b"example.com:8080"),
        (8080, b"example.com:80", b"example.com:80"),
        (80, b"192.0.2.1", b"192.0.2.1"),
        (80, b"[2001:DB8::1]", b"[2001:db8::1]"),
        (80, b"[2001:db8::1]:80", b"[2001:db8::1]"),
        (8080, b"[2001:db8::1]", b"[2001:db8::1]:8080"),
        (8080, b"[2001:db8::1]:8080", b"[2001:db8::1]:8080"),
        # RFC 3986 3.2.3: a port may be empty, and then is the default one.
        (80, b"example.com:", b"example.com"),
        (8080, b"example.com:", b"example.com:8080"),
        (80, b"", DNS_NAME),
        (8080, b"", DNS_NAME + b":8080"),
    ],
)
def test_host_is_rewritten(port: int, sent: bytes, expected: bytes):
    assert host_for(b"Host: " + sent + b"\r\n", settings_of(port)) == [expected]


@pytest.mark.parametrize(("port", "expected"), [(80, b"dns_name"), (8080, b"dns_name:8080")])
def test_the_host_of_an_absolute_uri_wins(port: int, expected: bytes):
    assert host_for(b"Host: example.com\r\n", settings_of(port), uri=b"http://Dns_Name/x") == [expected]


@pytest.mark.parametrize(("port", "expected"), [(80, DNS_NAME), (8080, DNS_NAME + b":8080")])
@pytest.mark.parametrize("version", [b"HTTP/1.0", b"HTTP/0.9"])
def test_without_host_it_is_the_dns_name(port: int, expected: bytes, version: bytes):
    assert host_for(b"", settings_of(port), version=version) == [expected]


@pytest.mark.parametrize("port", [80, 8080])
@pytest.mark.parametrize("sent", [b"Example.com", b"example.com:80", b"Example.COM:8080", b"[::1]", b"a:"])
def test_a_preserved_host_is_unchanged(port: int, sent: bytes):
    assert host_for(b"Host: " + sent + b"\r\n", settings_of(port, preserve=True)) == [sent]


def test_a_preserved_host_wins_over_an_absolute_uri():
    assert host_for(b"Host: A\r\n", settings_of(preserve=True), uri=b"http://b/x") == [b"A"]


def test_two_preserved_hosts_both_go_on():
    lines = b"Host: A\r\nX: y\r\nHost: b:1\r\n"
    assert host_for(lines, settings_of(8080, preserve=True)) == [b"A", b"b:1"]
    assert host_for(lines, settings_of(8080)) == [b"a:8080"]


def test_without_host_there_is_nothing_to_preserve():
    assert host_for(b"", settings_of(preserve=True), version=b"HTTP/1.0") == [DNS_NAME]


# --- X-Forwarded-For ---

PLAIN = b""
ONE = b"X-Forwarded-For: 192.0.2.1\r\n"
LINES = b"X-Forwarded-For: 192.0.2.1\r\nx-forwarded-for: 192.0.2.2, 192.0.2.3\r\n"
EMPTY = b"X-Forwarded-For:\r\n"


@pytest.mark.parametrize(
    ("mode", "lines", "expected"),
    [
        ("append", PLAIN, [b"203.0.113.7"]),
        ("append", ONE, [b"192.0.2.1, 203.0.113.7"]),
        ("append", LINES, [b"192.0.2.1, 192.0.2.2, 192.0.2.3, 203.0.113.7"]),
        ("append", EMPTY, [b"203.0.113.7"]),
        ("preserve", PLAIN, []),
        ("preserve", ONE, [b"192.0.2.1"]),
        ("preserve", LINES, [b"192.0.2.1, 192.0.2.2, 192.0.2.3"]),
        ("remove", PLAIN, []),
        ("remove", ONE, []),
        ("remove", LINES, []),
    ],
)
@pytest.mark.parametrize("client_port", [False, True])
def test_forwarded_for_modes(mode: str, lines: bytes, expected: list[bytes], client_port: bool):
    settings = settings_of(mode=mode, client_port=client_port)
    client = forwarded.client_address(settings, "203.0.113.7", 40112)
    head = head_of(b"GET / HTTP/1.1\r\nHost: a\r\n" + lines + b"\r\n")
    message = forwarded.to_target(head, head.uri, forwarded.added_headers(head, settings, client), b"t")
    if client_port:
        expected = [value.replace(b"203.0.113.7", b"203.0.113.7:40112") for value in expected]
    assert values(message, b"x-forwarded-for") == expected


@pytest.mark.parametrize("mode", ["append", "preserve", "remove"])
@pytest.mark.parametrize("as_lines", [False, True], ids=["list", "lines"])
def test_more_than_thirty_addresses_are_refused(mode: str, as_lines: bool):
    def head(count: int) -> bytes:
        addresses = [b"192.0.2.%d" % number for number in range(count)]
        if as_lines:
            given = b"".join(b"X-Forwarded-For: " + address + b"\r\n" for address in addresses)
        else:
            given = b"X-Forwarded-For: " + b", ".join(addresses) + b"\r\n"
        return b"GET / HTTP/1.1\r\nHost: a\r\n" + given + b"\r\n"

    settings = settings_of(mode=mode)
    forwarded.added_headers(head_of(head(30)), settings, b"203.0.113.7")
    with pytest.raises(Rejected) as raised:
        forwarded.added_headers(head_of(head(31)), settings, b"203.0.113.7")
    assert raised.value.status == 463


@pytest.mark.parametrize(
    ("host", "client_port", "expected"),
    [
        ("203.0.113.7", False, b"203.0.113.7"),
        ("203.0.113.7", True, b"203.0.113.7:40112"),
        ("2001:db8::1", False, b"2001:db8::1"),
        ("2001:db8::1", True, b"[2001:db8::1]:40112"),
    ],
)
def test_how_the_client_is_named(host: str, client_port: bool, expected: bytes):
    assert forwarded.client_address(settings_of(client_port=client_port), host, 40112) == expected


@pytest.mark.parametrize("name", [b"X-Forwarded-Proto", b"x-forwarded-port", b"X-FORWARDED-PROTO"])
def test_what_the_client_says_of_proto_and_port_is_overwritten(name: bytes):
    head = head_of(b"GET / HTTP/1.1\r\nHost: a\r\n" + name + b": spoofed\r\n" + name + b": twice\r\n\r\n")
    sent = to_target(head, settings_of(8080))
    assert values(sent, b"x-forwarded-proto") == [b"http"]
    assert values(sent, b"x-forwarded-port") == [b"8080"]
