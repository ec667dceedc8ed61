"""The answers that the balancer makes itself, byte for byte (fact sheet 7.9 and 7.10)."""

import pytest

from lb.http import pages

DATE = b"Tue, 06 Jan 2026 10:20:30 GMT"
CHROME = b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"
MSIE = b"Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1)"
FIREFOX = b"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"

# Fact sheet 7.10: title and Content-Length.
PAGES = [
    (400, b"400 Bad Request", 122),
    (405, b"405 Not Allowed", 122),
    (408, b"408 Request Time-out", 132),
    (414, b"414 Request-URI Too Large", 142),
    (500, b"500 Internal Server Error", 142),
    (501, b"501 Not Implemented", 130),
    (502, b"502 Bad Gateway", 122),
    (503, b"503 Service Temporarily Unavailable", 162),
    (504, b"504 Gateway Time-out", 132),
    (505, b"505 HTTP Version Not Supported", 152),
]


def answer(status: int, *, keep_alive: bool = True, head_only: bool = False, agent: bytes | None = None, server=True):
    return pages.answer(status, DATE, keep_alive=keep_alive, head_only=head_only, user_agent=agent, server=server)


@pytest.mark.parametrize(("status", "title", "length"), PAGES)
def test_a_page(status: int, title: bytes, length: int):
    page = pages.page(status, None)
    assert len(page) == length
    assert page == (
        b"<html>\r\n<head><title>"
        + title
        + b"</title></head>\r\n<body>\r\n<center><h1>"
        + title
        + b"</h1></center>\r\n"
        b"</body>\r\n</html>\r\n"
    )


@pytest.mark.parametrize(("status", "title", "length"), PAGES)
def test_an_answer(status: int, title: bytes, length: int):
    assert answer(status) == (
        b"HTTP/1.1 " + title + b"\r\nServer: awselb/2.0\r\nDate: " + DATE + b"\r\nContent-Type: text/html\r\n"
        b"Content-Length: %d\r\nConnection: keep-alive\r\n\r\n" % length
    ) + pages.page(status, None)


@pytest.mark.parametrize(("status", "keep_alive", "size"), [(400, False, 272), (502, True, 277), (503, True, 337)])
def test_sizes_that_real_logs_show(status: int, keep_alive: bool, size: int):
    # Fact sheet 7.9; 503 is 20 bytes longer in its status line and 40 in its page.
    assert len(answer(status, keep_alive=keep_alive)) == size


@pytest.mark.parametrize("agent", [CHROME, MSIE])
@pytest.mark.parametrize(("status", "title", "length"), PAGES)
def test_pages_for_browsers_that_hide_short_ones(status: int, title: bytes, length: int, agent: bytes):
    page = pages.page(status, agent)
    assert (
        page == pages.page(status, None) + b"<!-- a padding to disable MSIE and Chrome friendly error page -->\r\n" * 6
    )
    assert len(page) == length + 402
    assert b"\r\nContent-Length: %d\r\n" % (length + 402) in answer(status, agent=agent)


@pytest.mark.parametrize("agent", [None, b"", FIREFOX, b"curl/8.5.0", b"chrome", b"MSIEve"])
def test_other_clients_get_the_short_page(agent: bytes | None):
    assert len(pages.page(502, agent)) == 122


def test_head_gets_the_length_but_no_page():
    head = answer(503, head_only=True)
    assert head == answer(503)[: len(head)]
    assert head.endswith(b"Content-Length: 162\r\nConnection: keep-alive\r\n\r\n")


def test_463_has_no_phrase_and_no_page():
    whole = answer(463, agent=CHROME)
    assert whole.startswith(b"HTTP/1.1 463 \r\n")
    assert whole.endswith(b"\r\n\r\n")
    assert b"\r\nContent-Length: 0\r\n" in whole


def test_the_server_header_can_be_turned_off():
    assert answer(502, server=False) == answer(502).replace(b"Server: awselb/2.0\r\n", b"")


def test_continue():
    assert pages.CONTINUE == b"HTTP/1.1 100 Continue\r\n\r\n"
