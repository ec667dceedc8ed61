"""The benchmark sends load to loopback addresses and nowhere else."""

import socket

import pytest

from bench.guard import NotLoopbackError, loopback_address, loopback_url


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.255.255.254", "127.255.255.254"),
        ("127.1", "127.0.0.1"),
        ("::1", "::1"),
        ("[::1]", "::1"),
        ("::ffff:127.0.0.1", "::ffff:127.0.0.1"),
    ],
)
def test_a_loopback_address_passes(host, address):
    assert loopback_address(host) == address


def test_localhost_passes_as_the_number_it_resolves_to():
    assert loopback_address("localhost") in {"127.0.0.1", "::1"}


@pytest.mark.parametrize(
    "host",
    [
        "10.0.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "128.0.0.1",
        "126.255.255.255",
        "8.8.8.8",
        "0.0.0.0",
        "::",
        "fe80::1",
        "2001:db8::1",
        "::ffff:8.8.8.8",
        "2130706434.example.invalid",
        "",
        "[]",
    ],
)
def test_everything_else_is_refused(host):
    with pytest.raises(NotLoopbackError, match="loopback"):
        loopback_address(host)


def _resolving_to(*addresses):
    def resolve(_host, _port, **_kwargs):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in addresses]

    return resolve


def test_a_name_of_which_one_address_leads_outside_is_refused_and_the_address_is_named(monkeypatch):
    monkeypatch.setattr("bench.guard.socket.getaddrinfo", _resolving_to("127.0.0.1", "192.0.2.7"))
    with pytest.raises(NotLoopbackError, match=r"web\.example.*192\.0\.2\.7"):
        loopback_address("web.example")


def test_a_name_that_resolves_to_nothing_is_refused(monkeypatch):
    monkeypatch.setattr("bench.guard.socket.getaddrinfo", _resolving_to())
    with pytest.raises(NotLoopbackError, match="no address"):
        loopback_address("web.example")


def test_ipv4_is_preferred_where_a_name_has_both(monkeypatch):
    monkeypatch.setattr("bench.guard.socket.getaddrinfo", _resolving_to("::1", "127.0.0.1"))
    assert loopback_address("localhost") == "127.0.0.1"


@pytest.mark.parametrize(
    ("url", "checked"),
    [
        ("http://127.0.0.1:8080/a?b=c", "http://127.0.0.1:8080/a?b=c"),
        ("http://127.0.0.2", "http://127.0.0.2:80/"),
        ("http://[::1]:8080/", "http://[::1]:8080/"),
    ],
)
def test_a_url_comes_back_with_its_numeric_host_and_port(url, checked):
    assert loopback_url(url).geturl() == checked


@pytest.mark.parametrize(
    "url",
    [
        "http://192.0.2.1:8080/",
        "http://127.0.0.1@192.0.2.1/",
        "http://user:127.0.0.1@192.0.2.1:80/",
        "https://127.0.0.1/",
        "ftp://127.0.0.1/",
        "127.0.0.1:8080",
        "http://",
        "http:///path",
        "http://127.0.0.1:notaport/",
        "http://127.0.0.1:99999/",
        "http://[::1/",
    ],
)
def test_a_url_that_leads_elsewhere_or_is_not_plain_http_is_refused(url):
    with pytest.raises(NotLoopbackError):
        loopback_url(url)


def test_user_names_do_not_survive_in_the_checked_url():
    assert loopback_url("http://192.0.2.1@127.0.0.1:81/").geturl() == "http://127.0.0.1:81/"
