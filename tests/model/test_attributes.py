"""The attribute table: each row against the fact sheet (1.4, 2.5, 4.3), its bounds, and ELB's wording."""

import pytest

from lb.model import attributes
from lb.model.attributes import TABLE, Attribute, Scope

LB, LISTENER, TG = Scope.LOAD_BALANCER, Scope.LISTENER, Scope.TARGET_GROUP
BOOLEAN = {"true", "false"}
ROUTING = "target_group_health.unhealthy_state_routing.minimum_healthy_targets"
DNS = "target_group_health.dns_failover.minimum_healthy_targets"

# key -> default, the range of numbers and the words that are allowed, as ELB documents them.
DOCUMENTED = {
    (LB, "idle_timeout.timeout_seconds"): ("60", (1, 4000), set()),
    (LB, "client_keep_alive.seconds"): ("3600", (60, 604800), set()),
    **{(LB, f"{log}_logs.s3.enabled"): ("false", None, BOOLEAN) for log in ("access", "connection", "health_check")},
    (LB, "routing.http.desync_mitigation_mode"): ("defensive", None, {"monitor", "defensive", "strictest"}),
    (LB, "routing.http.drop_invalid_header_fields.enabled"): ("false", None, BOOLEAN),
    (LB, "routing.http.preserve_host_header.enabled"): ("false", None, BOOLEAN),
    (LB, "routing.http.xff_client_port.enabled"): ("false", None, BOOLEAN),
    (LB, "routing.http.xff_header_processing.mode"): ("append", None, {"append", "preserve", "remove"}),
    (LISTENER, "routing.http.response.server.enabled"): ("true", None, BOOLEAN),
    (TG, "deregistration_delay.timeout_seconds"): ("300", (0, 3600), set()),
    (TG, "stickiness.enabled"): ("false", None, BOOLEAN),
    (TG, "stickiness.type"): ("lb_cookie", None, {"lb_cookie", "app_cookie"}),
    (TG, "stickiness.lb_cookie.duration_seconds"): ("86400", (1, 604800), set()),
    (TG, "stickiness.app_cookie.duration_seconds"): ("86400", (1, 604800), set()),
    (TG, "load_balancing.algorithm.type"): (
        "round_robin",
        None,
        {"round_robin", "least_outstanding_requests", "weighted_random"},
    ),
    (TG, "load_balancing.algorithm.anomaly_mitigation"): ("off", None, {"on", "off"}),
    (TG, "load_balancing.cross_zone.enabled"): (
        "use_load_balancer_configuration",
        None,
        {"true", "false", "use_load_balancer_configuration"},
    ),
    (TG, "slow_start.duration_seconds"): ("0", (30, 900), {"0"}),
    (TG, f"{DNS}.count"): ("1", (1, 1000), {"off"}),
    (TG, f"{DNS}.percentage"): ("off", (1, 100), {"off"}),
    (TG, f"{ROUTING}.count"): ("1", (1, 1000), set()),
    (TG, f"{ROUTING}.percentage"): ("off", (1, 100), {"off"}),
}
COOKIE_NAME = "stickiness.app_cookie.cookie_name"
HEADERS = {
    f"routing.http.response.{name}.header_value"
    for name in (
        "strict_transport_security",
        "access_control_allow_origin",
        "access_control_allow_methods",
        "access_control_allow_headers",
        "access_control_allow_credentials",
        "access_control_expose_headers",
        "access_control_max_age",
        "content_security_policy",
        "x_content_type_options",
        "x_frame_options",
    )
}
PLACES = {f"{log}_logs.s3.{part}" for log in ("access", "connection", "health_check") for part in ("bucket", "prefix")}
FREE_TEXT = {(TG, COOKIE_NAME), *((LISTENER, key) for key in HEADERS), *((LB, key) for key in PLACES)}

rows = pytest.mark.parametrize("row", TABLE, ids=lambda row: row.key)
closed_rows = pytest.mark.parametrize("row", [row for row in TABLE if not row.pattern], ids=lambda row: row.key)


def test_every_row_is_documented_and_stands_there_once():
    assert sorted((row.scope, row.key) for row in TABLE) == sorted([*DOCUMENTED, *FREE_TEXT])


@closed_rows
def test_a_row_is_as_documented(row: Attribute):
    default, numbers, words = DOCUMENTED[row.scope, row.key]
    assert row.default == default
    assert (row.low, row.high) == (numbers or (None, None))
    assert set(row.choices) == words


@rows
def test_the_default_is_allowed(row: Attribute):
    attributes.check(row.scope, row.key, row.default)


@closed_rows
def test_the_bounds_are_allowed_and_what_lies_beyond_is_not(row: Attribute):
    refused = ["", "other", "1.5", "1e1", "٣", "-1"]
    for text in row.choices:
        assert row.takes(text)
        refused += [f" {text}", f"{text}\n", f"{text},{text}"]
        refused += [text.upper()] if text.isalpha() else []
    if row.low is not None and row.high is not None:
        assert row.takes(str(row.low))
        assert row.takes(str(row.high))
        refused += [str(row.low - 1), str(row.high + 1), f" {row.high}", f"+{row.high}", f"{row.high}\n"]
    for text in {*refused} - {*row.choices}:
        assert not row.takes(text), text
        with pytest.raises(ValueError, match=row.key):
            attributes.check(row.scope, row.key, text)


@pytest.mark.parametrize("key", sorted(HEADERS))
def test_header_values(key: str):
    for text in ("", "max-age=31536000; includeSubDomains", "*", "https://shop.example", "a" * 1024):
        attributes.check(LISTENER, key, text)
    for text in ("a" * 1025, "a\r\nSet-Cookie: b=c", "a\n", "\x00", "é", "a\tb"):
        with pytest.raises(ValueError, match="must be a header value of up to 1024 characters"):
            attributes.check(LISTENER, key, text)


def test_cookie_names():
    for text in ("", "PHPSESSID", "my-app_session.1", "awsalb", "xAWSALB", "a" * 255):
        attributes.check(TG, COOKIE_NAME, text)
    for text in ("AWSALB", "AWSALBAPP-0", "AWSALBTG", "AWSALBx", "a b", "a;b", "a=b", "a,b", "a\n", "é", "a" * 256):
        with pytest.raises(ValueError, match="the name of the application's cookie, which must not begin with AWSALB"):
            attributes.check(TG, COOKIE_NAME, text)


@rows
def test_a_row_belongs_to_one_kind_of_resource(row: Attribute):
    for scope in Scope:
        assert (row.key in attributes.keys(scope)) is (scope is row.scope)
        if scope is not row.scope:
            with pytest.raises(KeyError):
                attributes.check(scope, row.key, row.default)


@pytest.mark.parametrize(
    ("key", "allowed"),
    [
        ("deregistration_delay.timeout_seconds", "0-3600"),
        ("slow_start.duration_seconds", "0 or 30-900"),
        (f"{ROUTING}.percentage", "off or 1-100"),
        ("stickiness.type", "lb_cookie or app_cookie"),
        (COOKIE_NAME, "the name of the application's cookie, which must not begin with AWSALB"),
    ],
)
def test_what_is_allowed_in_words(key: str, allowed: str):
    (row,) = [row for row in TABLE if row.key == key]
    assert row.allowed == allowed


def test_the_wording():
    with pytest.raises(
        ValueError, match=r"^'deregistration_delay.timeout_seconds' value '3601' must be between '0-3600'"
    ):
        attributes.check(TG, "deregistration_delay.timeout_seconds", "3601")
    with pytest.raises(KeyError, match=r"Load balancer attribute key 'no\.such' is not recognized"):
        attributes.check(LB, "no.such", "1")
    with pytest.raises(ValueError, match="monitor or defensive or strictest"):
        attributes.check(LB, "routing.http.desync_mitigation_mode", "off")


@rows
def test_reading_a_value(row: Attribute):
    assert attributes.text_of(row.scope, {}, row.key) == row.default
    for text in row.choices:
        assert attributes.text_of(row.scope, {row.key: text}, row.key) == text
    if {"true", "false"} <= set(row.choices):
        for text in row.choices:
            assert attributes.is_on(row.scope, {row.key: text}, row.key) is (text == "true")
    if row.low is not None and "off" not in row.choices:
        assert attributes.seconds_of(row.scope, {}, row.key) == int(row.default)
        assert attributes.seconds_of(row.scope, {row.key: str(row.high)}, row.key) == row.high


ALGORITHM = "load_balancing.algorithm.type"
MITIGATION = "load_balancing.algorithm.anomaly_mitigation"
CROSS_ZONE = "load_balancing.cross_zone.enabled"
SLOW_START = "slow_start.duration_seconds"
STICKY = {"stickiness.enabled": "true"}


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (
            {ALGORITHM: "weighted_random", SLOW_START: "30"},
            "slow start goes with round_robin only, not with weighted_random",
        ),
        (
            {ALGORITHM: "least_outstanding_requests", SLOW_START: "900"},
            "slow start goes with round_robin only, not with least_outstanding_requests",
        ),
        (
            {ALGORITHM: "weighted_random", **STICKY},
            "stickiness cannot be used with the algorithm weighted_random",
        ),
        ({MITIGATION: "on"}, "anomaly mitigation needs the algorithm weighted_random"),
        ({CROSS_ZONE: "false", **STICKY}, "stickiness cannot be used while cross-zone load balancing is off"),
        (
            {"stickiness.type": "app_cookie", **STICKY},
            "You must set an application cookie name to enable stickiness of type 'app_cookie'",
        ),
        *(
            (
                {f"{DNS}.{unit}": "9", f"{ROUTING}.{unit}": "10"},
                f"'{DNS}.{unit}' \\(9\\) must not be less than '{ROUTING}.{unit}' \\(10\\)",
            )
            for unit in ("count", "percentage")
        ),
    ],
)
def test_combinations_that_are_refused(values: dict[str, str], reason: str):
    with pytest.raises(ValueError, match=f"^{reason}$"):
        attributes.check_together(TG, values)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {SLOW_START: "30"},
        {SLOW_START: "30", **STICKY},
        {ALGORITHM: "weighted_random", SLOW_START: "0", MITIGATION: "on"},
        {ALGORITHM: "weighted_random", "stickiness.enabled": "false", CROSS_ZONE: "false"},
        {ALGORITHM: "least_outstanding_requests", **STICKY, CROSS_ZONE: "use_load_balancer_configuration"},
        {"stickiness.type": "app_cookie"},
        {"stickiness.type": "app_cookie", COOKIE_NAME: "PHPSESSID", **STICKY},
        {f"{ROUTING}.count": "2", f"{ROUTING}.percentage": "50"},
        {f"{DNS}.count": "off", f"{ROUTING}.count": "2"},
        {f"{DNS}.percentage": "50", f"{ROUTING}.percentage": "off"},
        {f"{DNS}.count": "10", f"{ROUTING}.count": "9", f"{DNS}.percentage": "50", f"{ROUTING}.percentage": "50"},
    ],
)
def test_combinations_that_are_allowed(values: dict[str, str]):
    attributes.check_together(TG, values)


def test_only_target_groups_have_such_combinations():
    attributes.check_together(LB, {MITIGATION: "on"})
