"""Health check success codes (ELBv2 `Matcher.HttpCode`)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lb.model.matcher import HIGHEST, LOWEST, parse_matcher


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("200", [200], [199, 201, 404]),
        ("200,202", [200, 202], [201]),
        ("200, 202", [200, 202], [201]),
        ("200-299", [200, 250, 299], [199, 300]),
        ("200-200", [200], [201]),
        ("200-204,301,400-499", [200, 204, 301, 400, 499], [205, 300, 302, 399, 500]),
    ],
)
def test_which_codes_pass(text: str, inside: list[int], outside: list[int]):
    matcher = parse_matcher(text)
    assert matcher.text == text
    assert all(status in matcher for status in inside)
    assert not any(status in matcher for status in outside)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ",",
        "200,",
        "20",
        "2000",
        "2xx",
        "OK",
        "200-",
        "-200",
        "200--299",
        "200:299",
        "+200",
        "200-299-300",
        "200;202",
        "199",
        "500",
        "200-500",
        "100-200",
        "299-200",
        "200 202",
        "\uff12\uff10\uff10",
        "\u0662\u0660\u0660",
    ],
)
def test_what_is_refused(text: str):
    with pytest.raises(ValueError, match=r"status code|must lie within"):
        parse_matcher(text)


def test_a_refusal_names_the_item_and_what_is_allowed():
    with pytest.raises(ValueError, match="'2xx' is not a status code; use one"):
        parse_matcher("200,2xx")
    with pytest.raises(ValueError, match=f"'600' must lie within {LOWEST}-{HIGHEST}"):
        parse_matcher("600")


codes = st.integers(LOWEST, HIGHEST)


@given(st.lists(st.tuples(codes, codes).map(sorted), min_size=1, max_size=5), st.integers(100, 599))
def test_a_list_of_ranges_holds_what_any_of_them_holds(ranges: list[list[int]], status: int):
    matcher = parse_matcher(",".join(f"{low}-{high}" for low, high in ranges))
    assert (status in matcher) is any(status in range(low, high + 1) for low, high in ranges)
