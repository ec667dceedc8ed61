"""The attribute table: each row against the fact sheet (1.4, 2.5, 4.3), its bounds, and ELB's wording."""

import pytest

from lb.model import attributes
from lb.model.attributes import TABLE, Attribute, Scope

# key -> default and the allowed values, as ELB documents them.
DOCUMENTED = {
    (Scope.LOAD_BALANCER, "idle_timeout.timeout_seconds"): ("60", (1, 4000)),
    (Scope.LOAD_BALANCER, "client_keep_alive.seconds"): ("3600", (60, 604800)),
    (Scope.LOAD_BALANCER, "routing.http.desync_mitigation_mode"): ("defensive", {"monitor", "defensive", "strictest"}),
    (Scope.LOAD_BALANCER, "routing.http.drop_invalid_header_fields.enabled"): ("false", {"true", "false"}),
    (Scope.LOAD_BALANCER, "routing.http.preserve_host_header.enabled"): ("false", {"true", "false"}),
    (Scope.LOAD_BALANCER, "routing.http.xff_client_port.enabled"): ("false", {"true", "false"}),
    (Scope.LOAD_BALANCER, "routing.http.xff_header_processing.mode"): ("append", {"append", "preserve", "remove"}),
    (Scope.LISTENER, "routing.http.response.server.enabled"): ("true", {"true", "false"}),
    (Scope.TARGET_GROUP, "deregistration_delay.timeout_seconds"): ("300", (0, 3600)),
}

rows = pytest.mark.parametrize("row", TABLE, ids=lambda row: row.key)


def test_the_rows_differ():
    assert len({(row.scope, row.key) for row in TABLE}) == len(TABLE)


@rows
def test_a_row_is_as_documented(row: Attribute):
    default, allowed = DOCUMENTED[row.scope, row.key]
    assert row.default == default
    if isinstance(allowed, set):
        assert set(row.choices) == allowed
    else:
        assert (row.low, row.high, row.choices) == (*allowed, ())


@rows
def test_the_default_is_allowed(row: Attribute):
    attributes.check(row.scope, row.key, row.default)


@rows
def test_the_bounds_are_allowed_and_what_lies_beyond_is_not(row: Attribute):
    if row.choices:
        for text in row.choices:
            attributes.check(row.scope, row.key, text)
        refused = ["", "other", row.choices[0].upper(), f" {row.choices[0]}", row.choices[0] + "\n"]
    else:
        for number in (row.low, row.high):
            attributes.check(row.scope, row.key, str(number))
        refused = [str(row.low - 1), str(row.high + 1), "", "x", "1.5", f" {row.high}", f"+{row.high}", "1e1", "٣"]
    for text in refused:
        with pytest.raises(ValueError, match=row.key):
            attributes.check(row.scope, row.key, text)


@rows
def test_a_row_belongs_to_one_kind_of_resource(row: Attribute):
    for scope in Scope:
        assert (row.key in attributes.keys(scope)) is (scope is row.scope)
        if scope is not row.scope:
            with pytest.raises(KeyError):
                attributes.check(scope, row.key, row.default)


def test_the_wording():
    with pytest.raises(
        ValueError, match=r"^'deregistration_delay.timeout_seconds' value '3601' must be between '0-3600'"
    ):
        attributes.check(Scope.TARGET_GROUP, "deregistration_delay.timeout_seconds", "3601")
    with pytest.raises(KeyError, match=r"Load balancer attribute key 'no\.such' is not recognized"):
        attributes.check(Scope.LOAD_BALANCER, "no.such", "1")
    with pytest.raises(ValueError, match="monitor or defensive or strictest"):
        attributes.check(Scope.LOAD_BALANCER, "routing.http.desync_mitigation_mode", "off")


@rows
def test_reading_a_value(row: Attribute):
    assert attributes.text_of(row.scope, {}, row.key) == row.default
    if row.choices:
        for text in row.choices:
            assert attributes.text_of(row.scope, {row.key: text}, row.key) == text
            if set(row.choices) == {"true", "false"}:
                assert attributes.is_on(row.scope, {row.key: text}, row.key) is (text == "true")
    else:
        assert attributes.seconds_of(row.scope, {}, row.key) == int(row.default)
        assert attributes.seconds_of(row.scope, {row.key: str(row.high)}, row.key) == row.high
