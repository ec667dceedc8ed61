"""Records as table rows and back."""

from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lb.resources.records import Change, Kind, Record
from lb.store.rows import anew, columns_of, key_of, note, record_of, row_of

ANY_TEXT = st.text(st.characters(codec=None), max_size=30)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(ANY_TEXT, JSON, max_size=3)
TEXTS = st.dictionaries(ANY_TEXT, ANY_TEXT, max_size=3)
RECORDS = st.builds(
    Record,
    kind=st.sampled_from(Kind),
    id=ANY_TEXT,
    region=ANY_TEXT,
    account=ANY_TEXT,
    shape=OBJECTS,
    parent=ANY_TEXT,
    attributes=TEXTS,
    tags=TEXTS,
    more=OBJECTS,
)


@given(RECORDS)
def test_a_record_comes_back_as_it_was(record: Record):
    row = row_of(record)
    assert record_of(row) == record
    assert row[2].isascii()
    assert row[:2] == columns_of(record.key)
    assert key_of(row[:2]) == record.key


def test_frozen_mappings_are_written_as_objects():
    frozen = Record(Kind.RULE, "r", "eu", "1", MappingProxyType({"a": MappingProxyType({"b": [1]})}))
    assert record_of(row_of(frozen)).shape == {"a": {"b": [1]}}


@pytest.mark.parametrize("value", [float("nan"), {"a"}, b"a", object()], ids=repr)
def test_what_json_does_not_have_is_refused(value: object):
    with pytest.raises((TypeError, ValueError), match="JSON"):
        row_of(Record(Kind.RULE, "r", "eu", "1", {"a": value}))


@pytest.mark.parametrize(
    "row",
    [
        ("no-such-kind", b"r", '{"region":"eu","account":"1","shape":{}}'),
        ("rule", b"\xff", '{"region":"eu","account":"1","shape":{}}'),
        ("rule", b"r", '{"region":"eu","account":"1"'),
        ("rule", b"r", '{"region":"eu","account":"1"}'),
        ("rule", b"r", '{"region":"eu","account":"1","shape":{},"colour":"red"}'),
        ("rule", b"r", "[]"),
    ],
    ids=["kind", "id", "cut", "missing", "unknown", "list"],
)
def test_a_row_that_holds_no_record_is_a_value_error(row: tuple[str, bytes, str]):
    with pytest.raises(ValueError, match=r"."):
        record_of(row)


@given(st.lists(RECORDS, max_size=4), st.lists(RECORDS, max_size=4))
def test_anew_leads_from_any_records_to_the_given_ones(before: list[Record], after: list[Record]):
    held = {record.key for record in before}
    changes = anew(held, after)
    wanted = {record.key: record for record in after}
    assert {change.key: change.record for change in changes if change.record is not None} == wanted
    note(held, changes)
    assert held == wanted.keys()


def test_note_keeps_the_keys_that_there_are():
    record = Record(Kind.RULE, "r", "eu", "1", {})
    held = {(Kind.RULE, "gone")}
    note(held, [Change(record.key, record), Change((Kind.RULE, "gone"), None), Change((Kind.VPC, "never"), None)])
    assert held == {record.key}
