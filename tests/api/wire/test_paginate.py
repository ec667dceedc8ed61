"""Long lists in pages."""

from collections.abc import Mapping
from typing import Any

import pytest

from lb.api.call import ApiError
from lb.api.wire.paginate import ACM, CLOUDWATCH, EC2, ELB, IAM, RDS, page

ITEMS = [f"item-{number}" for number in range(10)]


def all_pages(items, params: Mapping[str, Any], paging=ELB):
    given = dict(params)
    while True:
        part, marker = page(items, given, paging)
        yield list(part)
        if marker is None:
            return
        given[paging.marker] = marker


@pytest.mark.parametrize("paging", [ELB, EC2, RDS, IAM, ACM], ids=lambda paging: f"{paging.size}-{paging.marker}")
@pytest.mark.parametrize("size", [1, 3, 5, 10, 400])
def test_pages_join_to_the_list(paging, size):
    pages = list(all_pages(ITEMS, {paging.size: size}, paging))
    assert [item for part in pages for item in part] == ITEMS
    assert [len(part) for part in pages[:-1]] == [size] * (len(pages) - 1)
    assert pages[-1]


def test_default_sizes():
    assert page(list(range(401)), {})[0] == list(range(400))
    assert len(page(list(range(2000)), {}, CLOUDWATCH)[0]) == 500


def test_an_empty_list_is_one_page():
    assert page([], {"PageSize": 1}) == ([], None)


@pytest.mark.parametrize("marker", ["", "x", "AAAA", "....", "é", "\x00", "A" * 100_000])
@pytest.mark.parametrize("paging", [ELB, EC2])
def test_a_marker_that_was_never_given_out(paging, marker):
    with pytest.raises(ApiError) as caught:
        page(ITEMS, {paging.marker: marker}, paging)
    assert caught.value.code == paging.error


def test_a_page_begins_after_the_last_item_seen_where_earlier_ones_are_gone():
    _, marker = page(ITEMS, {"PageSize": 5})
    assert page(ITEMS[2:], {"PageSize": 2, "Marker": marker})[0] == ITEMS[5:7]


def test_a_page_begins_where_it_would_have_begun_where_the_last_item_is_gone():
    _, marker = page(ITEMS, {"PageSize": 5})
    assert page([*ITEMS[:4], *ITEMS[5:]], {"Marker": marker})[0] == ITEMS[6:]
    assert page([], {"Marker": marker}) == ([], None)
