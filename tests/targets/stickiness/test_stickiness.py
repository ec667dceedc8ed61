"""Sticky sessions: what cookies of a request mean, and which Set-Cookie lines an answer gets."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lb.targets.sealing import AWSALB, AWSALBTG, Sealer
from lb.targets.stickiness import AppCookie, PairCookie, Why, group_cookie, lb_cookie, read_cookies, token_of
from tests.targets.rosters import new_sealer

GROUP = "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/web/0123456789abcdef"
OTHER_GROUP = GROUP.replace("web", "api")
BALANCER = "arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/lb/0123456789abcdef"
ONE, TWO = "192.0.2.1:80", "192.0.2.2:80"
USABLE = {ONE: 1, TWO: 2}
NOW = 1_767_081_600.25  # Tue, 30 Dec 2025 08:00:00 GMT
IN_A_WEEK = "Tue, 06 Jan 2026 08:00:00 GMT"
HOUR = 3600


@pytest.fixture
def sealer() -> Sealer:
    return new_sealer()


def block(*lines: str | bytes) -> bytes:
    """A header block around these lines."""
    raw = [line.encode() if isinstance(line, str) else line for line in ("Host: shop.example", *lines, "Accept: */*")]
    return b"".join(b"\r\n" + line for line in raw)


def value_for(cookie: PairCookie, token: str, wall_s: float = NOW) -> str:
    found = re.match(rb"\r\nSet-Cookie: \w+=([^;]+);", cookie.lines(token, wall_s, secure=False))
    assert found
    return found[1].decode()


# What stands in the header block -> what is read. BIG stands for nothing special: values are opaque here.
READING = [
    ("nothing", ["User-Agent: x"], {}),
    ("other cookies", ["Cookie: a=b; c=d"], {}),
    ("alone", ["Cookie: AWSALB=v"], {b"AWSALB": b"v"}),
    ("among others", ["Cookie: a=1; AWSALB=v; b=2"], {b"AWSALB": b"v"}),
    ("both", ["Cookie: AWSALB=v; AWSALBCORS=w"], {b"AWSALB": b"v", b"AWSALBCORS": b"w"}),
    ("no space behind the semicolon", ["Cookie: a=1;AWSALB=v"], {b"AWSALB": b"v"}),
    ("much white space", ["Cookie: \ta=1 ;  \tAWSALB \t= v \t; b=2"], {b"AWSALB": b"v"}),
    ("header name in any case", ["cOOkie:AWSALB=v"], {b"AWSALB": b"v"}),
    ("cookie names are case-sensitive", ["Cookie: awsalb=v; AwsAlb=w"], {}),
    (
        "several lines",
        ["Cookie: a=1", "Cookie: AWSALB=v", "Cookie: AWSALBCORS=w"],
        {b"AWSALB": b"v", b"AWSALBCORS": b"w"},
    ),
    ("repeated: the first", ["Cookie: AWSALB=v; AWSALB=w", "Cookie: AWSALB=x"], {b"AWSALB": b"v"}),
    ("quotes", ['Cookie: AWSALB="v"'], {b"AWSALB": b"v"}),
    ("half a quote stays", ['Cookie: AWSALB="v'], {b"AWSALB": b'"v'}),
    ("one quote is no pair", ['Cookie: AWSALB="'], {b"AWSALB": b'"'}),
    ("empty", ["Cookie: AWSALB="], {b"AWSALB": b""}),
    ("no equals sign", ["Cookie: AWSALB"], {}),
    ("equals signs in the value", ["Cookie: AWSALB=a=b=="], {b"AWSALB": b"a=b=="}),
    ("inside another name", ["Cookie: XAWSALB=v; AWSALB-X=w"], {}),
    ("inside another value", ["Cookie: a=AWSALB=v"], {}),
    ("in another header", ["X-Cookie: AWSALB=v", "Referer: ;AWSALB=v", "Cookies: AWSALB=v"], {}),
    ("application pieces", ["Cookie: AWSALBAPP-0=v; AWSALBAPP-4=w"], {b"AWSALBAPP-0": b"v"}),
    ("groups", ["Cookie: AWSALBTG=v; AWSALBTGCORS=w"], {b"AWSALBTG": b"v", b"AWSALBTGCORS": b"w"}),
]


@pytest.mark.parametrize(("lines", "expected"), [row[1:] for row in READING], ids=[row[0] for row in READING])
def test_reading_cookies(lines, expected):
    assert read_cookies(block(*lines)) == expected


class TestLbCookie:
    """`AWSALB` and `AWSALBCORS`."""

    def test_lines_on_http(self, sealer):
        lines = lb_cookie(sealer, GROUP, HOUR).lines(ONE, NOW, secure=False).decode()
        found = re.fullmatch(
            rf"\r\nSet-Cookie: AWSALB=([A-Za-z0-9+/]{{124}}); Expires={IN_A_WEEK}; Path=/"
            rf"\r\nSet-Cookie: AWSALBCORS=([A-Za-z0-9+/]{{124}}); Expires={IN_A_WEEK}; Path=/; SameSite=None",
            lines,
        )
        assert found
        assert found[1] == found[2]

    def test_only_the_second_is_secure_on_https(self, sealer):
        first, second = lb_cookie(sealer, GROUP, HOUR).lines(ONE, NOW, secure=True).decode().split("\r\n")[1:]
        assert first.endswith("; Path=/")
        assert second.endswith("; Path=/; SameSite=None; Secure")

    def test_lines_of_a_second_are_the_same_for_a_target_and_differ_between_targets(self, sealer):
        cookie = lb_cookie(sealer, GROUP, HOUR)
        assert cookie.lines(ONE, NOW, secure=False) == cookie.lines(ONE, NOW + 0.5, secure=False)
        assert cookie.lines(ONE, NOW, secure=False) != cookie.lines(TWO, NOW, secure=False)
        assert cookie.lines(ONE, NOW, secure=False) != cookie.lines(ONE, NOW + 1, secure=False)

    @pytest.mark.parametrize("name", ["AWSALB", "AWSALBCORS"])
    def test_either_cookie_keeps_the_target(self, sealer, name):
        cookie = lb_cookie(sealer, GROUP, HOUR)
        choice = cookie.choose(block(f"Cookie: {name}={value_for(cookie, TWO)}"), USABLE, NOW + 1)
        assert (choice.kept, choice.why, choice.named) == (2, Why.KEPT, TWO)
        assert str(choice.text) == f"its {name} cookie names {TWO}"
        assert choice.error_reason is None

    def test_the_cors_cookie_wins(self, sealer):
        cookie = lb_cookie(sealer, GROUP, HOUR)
        both = f"Cookie: AWSALB={value_for(cookie, ONE)}; AWSALBCORS={value_for(cookie, TWO)}"
        assert cookie.choose(block(both), USABLE, NOW).kept == 2

    def test_the_cors_cookie_wins_even_broken(self, sealer):
        cookie = lb_cookie(sealer, GROUP, HOUR)
        choice = cookie.choose(block(f"Cookie: AWSALB={value_for(cookie, ONE)}; AWSALBCORS=x"), USABLE, NOW)
        assert (choice.kept, choice.why, choice.cookie) == (None, Why.BROKEN, "AWSALBCORS")

    @pytest.mark.parametrize(("age_s", "kept"), [(0, 1), (HOUR, 1), (HOUR + 1, None), (8 * 24 * HOUR, None)])
    def test_the_duration_is_enforced_by_the_value(self, sealer, age_s, kept):
        cookie = lb_cookie(sealer, GROUP, HOUR)
        choice = cookie.choose(block(f"Cookie: AWSALB={value_for(cookie, ONE)}"), USABLE, NOW + age_s)
        assert choice.kept == kept
        assert choice.why is (Why.KEPT if kept else Why.EXPIRED)

    def test_the_duration_of_now_counts_not_the_one_of_then(self, sealer):
        value = value_for(lb_cookie(sealer, GROUP, HOUR), ONE)
        shorter = lb_cookie(sealer, GROUP, 60)
        assert shorter.choose(block(f"Cookie: AWSALB={value}"), USABLE, NOW + 100).why is Why.EXPIRED

    def test_a_clock_that_was_set_back_does_no_harm(self, sealer):
        cookie = lb_cookie(sealer, GROUP, HOUR)
        assert cookie.choose(block(f"Cookie: AWSALB={value_for(cookie, ONE)}"), USABLE, NOW - 100).kept == 1

    def test_a_target_that_is_gone_unhealthy_or_draining_means_a_new_choice(self, sealer):
        cookie = lb_cookie(sealer, GROUP, HOUR)
        choice = cookie.choose(block(f"Cookie: AWSALB={value_for(cookie, ONE)}"), {TWO: 2}, NOW)
        assert (choice.kept, choice.why) == (None, Why.NOT_USABLE)
        assert str(choice.text) == f"{ONE}, which its AWSALB cookie names, gets no requests now"

    def test_no_cookie(self, sealer):
        choice = lb_cookie(sealer, GROUP, HOUR).choose(block("Cookie: a=b"), USABLE, NOW)
        assert (choice.kept, str(choice.text)) == (None, "it brings no AWSALB cookie")

    def test_the_name_elsewhere_is_no_cookie(self, sealer):
        choice = lb_cookie(sealer, GROUP, HOUR).choose(block("Referer: http://a/?AWSALB=x"), USABLE, NOW)
        assert choice.why is Why.NO_COOKIE

    def test_a_cookie_of_another_target_group(self, sealer):
        value = value_for(lb_cookie(sealer, OTHER_GROUP, HOUR), ONE)
        choice = lb_cookie(sealer, GROUP, HOUR).choose(block(f"Cookie: AWSALB={value}"), USABLE, NOW)
        assert (choice.kept, choice.why, choice.error_reason) == (None, Why.FOREIGN, None)

    def test_a_restart_with_the_same_key_keeps_sessions_and_another_key_ends_them(self, sealer):
        value = value_for(lb_cookie(sealer, GROUP, HOUR), ONE)
        again = lb_cookie(new_sealer(), GROUP, HOUR)
        assert again.choose(block(f"Cookie: AWSALB={value}"), USABLE, NOW).kept == 1
        stranger = lb_cookie(new_sealer(b"k" * 32), GROUP, HOUR)
        assert stranger.choose(block(f"Cookie: AWSALB={value}"), USABLE, NOW).why is Why.BROKEN

    @pytest.mark.parametrize("name", ["[2001:db8:1111:2222:3333:4444:5555:6666]:65535", f"{'long.' * 40}example:65535"])
    def test_targets_with_long_names_are_kept_too(self, sealer, name):
        cookie = lb_cookie(sealer, GROUP, HOUR)
        token = token_of(name)
        assert cookie.choose(block(f"Cookie: AWSALB={value_for(cookie, token)}"), {token: 1}, NOW).kept == 1

    def test_names_that_fit_are_told_as_they_are(self):
        assert token_of("[2001:db8:1111:2222:3333:4444:5555:6666]:65535").startswith("[2001")
        assert len(token_of("x" * 300)) == 33
        assert token_of("x" * 300) != token_of("x" * 301)

    def test_what_is_remembered_of_a_header_block_is_neither_its_age_nor_who_is_usable(self, sealer):
        cookie = lb_cookie(sealer, GROUP, HOUR)
        again = block(f"Cookie: AWSALB={value_for(cookie, ONE)}")
        asked = [(NOW, USABLE), (NOW, {TWO: 2}), (NOW + HOUR + 1, USABLE), (NOW, {}), (NOW, {ONE: 3})]
        choices = [cookie.choose(again, usable, now) for now, usable in asked]
        assert [choice.kept for choice in choices] == [1, None, None, None, 3]
        assert [choice.why for choice in choices] == [
            Why.KEPT,
            Why.NOT_USABLE,
            Why.EXPIRED,
            Why.NOT_USABLE,
            Why.KEPT,
        ]

    def test_header_blocks_without_a_genuine_cookie_are_not_remembered(self, sealer):
        cookie = lb_cookie(sealer, GROUP, HOUR)
        foreign = value_for(lb_cookie(sealer, OTHER_GROUP, HOUR), ONE)
        for line in ("Accept: x", "Cookie: AWSALB=broken", f"Cookie: AWSALB={foreign}"):
            assert cookie.choose(block(line), USABLE, NOW).kept is None
            assert cookie._read_before.get(block(line)) is None

    def test_a_header_block_that_differs_in_one_character_of_its_cookie_is_another(self, sealer):
        cookie = lb_cookie(sealer, GROUP, HOUR)
        value = value_for(cookie, ONE)
        assert cookie.choose(block(f"Cookie: AWSALB={value}"), USABLE, NOW).why is Why.KEPT
        changed = ("B" if value[0] == "A" else "A") + value[1:]
        assert cookie.choose(block(f"Cookie: AWSALB={changed}"), USABLE, NOW).why is Why.BROKEN

    def test_two_hundred_clients_never_move_while_their_target_is_usable_and_all_move_when_it_drains(self, sealer):
        cookie = lb_cookie(sealer, GROUP, HOUR)
        usable = {f"192.0.2.{n}:80": n for n in range(1, 5)}
        tokens = {n: token for token, n in usable.items()}
        jars = {client: value_for(cookie, tokens[client % 4 + 1]) for client in range(200)}
        for request in range(1, 51):
            now = NOW + request * HOUR / 2  # far beyond the duration in all, since each answer renews it
            for client, value in jars.items():
                choice = cookie.choose(block(f"Cookie: AWSALB={value}; AWSALBCORS={value}"), usable, now)
                assert choice.kept == client % 4 + 1
                jars[client] = value_for(cookie, tokens[choice.kept], now)
        del usable[tokens[1]]
        for client, value in jars.items():
            choice = cookie.choose(block(f"Cookie: AWSALB={value}"), usable, NOW + 26 * HOUR)
            assert (choice.kept is None) == (client % 4 + 1 == 1)


class TestGroupCookie:
    """`AWSALBTG` and `AWSALBTGCORS`."""

    LABEL = "targetgroup/" + "a" * 32 + "/0123456789abcdef"

    def test_lines(self, sealer):
        lines = group_cookie(sealer, BALANCER, HOUR).lines(token_of(self.LABEL), NOW, secure=True).decode()
        assert re.fullmatch(
            rf"\r\nSet-Cookie: AWSALBTG=([A-Za-z0-9+/]{{172}}); Expires={IN_A_WEEK}; Path=/"
            rf"\r\nSet-Cookie: AWSALBTGCORS=\1; Expires={IN_A_WEEK}; Path=/; SameSite=None; Secure",
            lines,
        )

    @pytest.mark.parametrize("name", ["AWSALBTG", "AWSALBTGCORS"])
    def test_keeps_the_group(self, sealer, name):
        cookie = group_cookie(sealer, BALANCER, HOUR)
        token = token_of(self.LABEL)
        line = f"Cookie: {name}={value_for(cookie, token)}"
        assert cookie.choose(block(line), {token: "group"}, NOW).kept == "group"

    @pytest.mark.parametrize(
        "change", [lambda v: v[:-1], lambda v: v.replace("A", "%41"), lambda v: "", lambda v: "x" * 172]
    )
    def test_a_broken_value_is_told_in_the_log(self, sealer, change):
        cookie = group_cookie(sealer, BALANCER, HOUR)
        value = "A" + value_for(cookie, "g")[1:]
        choice = cookie.choose(block(f"Cookie: AWSALBTG={change(value)}"), {"g": 1}, NOW)
        assert (choice.kept, choice.error_reason) == (None, "AWSALBTGCookieInvalid")

    def test_a_cookie_of_another_load_balancer_is_invalid(self, sealer):
        value = value_for(group_cookie(sealer, BALANCER + "0", HOUR), "g")
        choice = group_cookie(sealer, BALANCER, HOUR).choose(block(f"Cookie: AWSALBTG={value}"), {"g": 1}, NOW)
        assert (choice.why, choice.error_reason) == (Why.FOREIGN, "AWSALBTGCookieInvalid")

    def test_missing_expired_or_for_a_group_that_left_the_action_is_no_error(self, sealer):
        cookie = group_cookie(sealer, BALANCER, HOUR)
        line = block(f"Cookie: AWSALBTG={value_for(cookie, 'g')}")
        choices = [
            cookie.choose(block(), {"g": 1}, NOW),
            cookie.choose(line, {"g": 1}, NOW + 2 * HOUR),
            cookie.choose(line, {"h": 1}, NOW),
        ]
        assert [choice.why for choice in choices] == [Why.NO_COOKIE, Why.EXPIRED, Why.NOT_USABLE]
        assert {(choice.kept, choice.error_reason) for choice in choices} == {(None, None)}

    def test_target_and_group_cookies_do_not_disturb_each_other(self, sealer):
        groups, targets = group_cookie(sealer, BALANCER, HOUR), lb_cookie(sealer, GROUP, HOUR)
        line = block(f"Cookie: AWSALB={value_for(targets, ONE)}; AWSALBTG={value_for(groups, 'g')}")
        assert groups.choose(line, {"g": 1}, NOW).kept == 1
        assert targets.choose(line, USABLE, NOW).kept == 1
        assert targets.choose(block(f"Cookie: AWSALBTG={value_for(groups, 'g')}"), USABLE, NOW).why is Why.NO_COOKIE


def answer(*lines: str) -> bytes:
    return b"".join(b"\r\n" + line.encode() for line in lines)


REMOVAL = "".join(f"\r\nSet-Cookie: AWSALBAPP-{n}=_remove_; Expires={IN_A_WEEK}; Path=/" for n in range(4)).encode()

# Lines of the target's answer -> whether the application's cookie `Session.Id` is set by it.
SETTING = [
    (["Server: x"], False),
    (["Set-Cookie: Session.Id=1; Path=/"], True),
    (["Server: x", "set-cookie:Session.Id=1", "A: b"], True),
    (["Set-Cookie: other=1", "SET-COOKIE: \t Session.Id =1"], True),
    (["Set-Cookie: Session.Id="], True),
    (["Set-Cookie: session.id=1"], False),
    (["Set-Cookie: SessionXId=1"], False),
    (["Set-Cookie: Session.Id2=1"], False),
    (["Set-Cookie: a=Session.Id=1"], False),
    (["X-Set-Cookie: Session.Id=1"], False),
    (["Set-Cookie: Session.Id; Path=/"], False),
    ([], False),
]


class TestAppCookie:
    """`AWSALBAPP-0` to `-3`."""

    @pytest.fixture
    def cookie(self, sealer) -> AppCookie:
        return AppCookie(sealer, GROUP, "Session.Id", HOUR)

    def issued(self, cookie: AppCookie, token: str, wall_s: float = NOW) -> str:
        lines = cookie.lines(answer("Set-Cookie: Session.Id=1"), token, wall_s, kept=False, secure=False).decode()
        found = re.fullmatch(
            r"\r\nSet-Cookie: AWSALBAPP-0=([A-Za-z0-9+/]{144}); Expires=[^;]+ GMT; Path=/; SameSite=None", lines
        )
        assert found
        return found[1]

    @pytest.mark.parametrize(("lines", "is_set"), SETTING)
    def test_issued_only_when_the_target_sets_the_configured_cookie(self, cookie, lines, is_set):
        added = cookie.lines(answer(*lines), ONE, NOW, kept=False, secure=False)
        assert added.startswith(b"\r\nSet-Cookie: AWSALBAPP-0=AAAAAAAAAA") is is_set
        assert (added == REMOVAL) is not is_set

    @pytest.mark.parametrize("lines", [["Set-Cookie: Session.Id=1"], ["Server: x"]])
    def test_lines_of_a_second_are_the_same_for_a_target(self, cookie, lines):
        def added(token: str, wall_s: float) -> bytes:
            return cookie.lines(answer(*lines), token, wall_s, kept=False, secure=False)

        assert added(ONE, NOW) == added(ONE, NOW + 0.5)
        assert added(ONE, NOW) != added(ONE, NOW + 1)
        assert (added(ONE, NOW) == added(TWO, NOW)) is (lines == ["Server: x"])

    def test_secure_and_plain_connections_of_the_same_second(self, cookie, sealer):
        duration = lb_cookie(sealer, GROUP, HOUR)
        for secure in (True, False, True):
            app = cookie.lines(answer("Set-Cookie: Session.Id=1"), ONE, NOW, kept=False, secure=secure)
            pair = duration.lines(ONE, NOW, secure=secure)
            assert app.endswith(b"; Secure") is pair.endswith(b"; Secure") is secure

    def test_nothing_is_removed_from_a_client_that_was_kept(self, cookie):
        assert cookie.lines(answer("Server: x"), ONE, NOW, kept=True, secure=False) == b""

    def test_a_kept_client_gets_a_new_cookie_when_the_target_sets_its_own_again(self, cookie):
        added = cookie.lines(answer("Set-Cookie: Session.Id=2"), ONE, NOW, kept=True, secure=True)
        assert added.endswith(f"; Expires={IN_A_WEEK}; Path=/; SameSite=None; Secure".encode())

    def test_both_cookies_keep_the_target(self, cookie):
        line = f"Cookie: Session.Id=1; AWSALBAPP-0={self.issued(cookie, TWO)}"
        choice = cookie.choose(block(line), USABLE, NOW)
        assert (choice.kept, str(choice.text)) == (2, f"its AWSALBAPP cookie names {TWO}")

    def test_pieces_that_were_removed_are_passed_over(self, cookie):
        rest = "; ".join(f"AWSALBAPP-{n}=_remove_" for n in (1, 2, 3))
        line = f"Cookie: {rest}; AWSALBAPP-0={self.issued(cookie, ONE)}; Session.Id=1"
        assert cookie.choose(block(line), USABLE, NOW).kept == 1

    def test_a_value_in_pieces_is_put_together(self, cookie):
        value = self.issued(cookie, ONE)
        line = f"Cookie: AWSALBAPP-1={value[70:]}; Session.Id=1; AWSALBAPP-0={value[:70]}"
        assert cookie.choose(block(line), USABLE, NOW).kept == 1

    def test_cookies_on_different_lines(self, cookie):
        lines = block(f"Cookie: AWSALBAPP-0={self.issued(cookie, ONE)}", "Cookie: Session.Id=1")
        assert cookie.choose(lines, USABLE, NOW).kept == 1

    @pytest.mark.parametrize(
        "own", ["", "session.id=1", "Session.Id", "xSession.Id=1", "SessionXId=1", "a=Session.Id=1"]
    )
    def test_without_the_applications_cookie_it_is_a_new_client(self, cookie, own):
        choice = cookie.choose(block(f"Cookie: AWSALBAPP-0={self.issued(cookie, ONE)}; {own}"), USABLE, NOW)
        assert (choice.kept, choice.why) == (None, Why.NO_APPLICATION_COOKIE)

    @pytest.mark.parametrize(
        ("line", "why"),
        [
            ("Cookie: Session.Id=1", Why.NO_COOKIE),
            ("Cookie: Session.Id=1; " + "; ".join(f"AWSALBAPP-{n}=_remove_" for n in range(4)), Why.NO_COOKIE),
            ("Cookie: Session.Id=1; AWSALBAPP-0=nonsense", Why.BROKEN),
            ("Referer: AWSALBAPP-0=x", Why.NO_COOKIE),
        ],
    )
    def test_without_a_usable_cookie_it_is_a_new_client(self, cookie, line, why):
        choice = cookie.choose(block(line), USABLE, NOW)
        assert (choice.kept, choice.why, choice.error_reason) == (None, why, None)

    def test_the_balancers_own_duration_counts(self, cookie):
        line = block(f"Cookie: Session.Id=1; AWSALBAPP-0={self.issued(cookie, ONE)}")
        assert cookie.choose(line, USABLE, NOW + HOUR).kept == 1
        assert cookie.choose(line, USABLE, NOW + HOUR + 1).why is Why.EXPIRED

    def test_another_target_group_and_a_target_that_is_gone(self, cookie, sealer):
        line = block(f"Cookie: Session.Id=1; AWSALBAPP-0={self.issued(cookie, ONE)}")
        assert AppCookie(sealer, OTHER_GROUP, "Session.Id", HOUR).choose(line, USABLE, NOW).why is Why.FOREIGN
        assert cookie.choose(line, {TWO: 2}, NOW).why is Why.NOT_USABLE


COOKIE_NAMES = st.sampled_from(
    [b"AWSALB", b"AWSALBCORS", b"AWSALBTG", b"AWSALBTGCORS", b"AWSALBAPP-0", b"AWSALBAPP-3", b"S"]
)
VALUE = st.binary(max_size=180) | st.text("AB+/=", min_size=124, max_size=124).map(str.encode) | st.just(b"_remove_")
COOKIES = st.lists(st.tuples(COOKIE_NAMES, VALUE), max_size=6).map(
    lambda pairs: b"\r\nCookie: " + b"; ".join(name + b"=" + value for name, value in pairs)
)


@settings(max_examples=400)
@given(st.lists(COOKIES | st.binary(max_size=80), max_size=4).map(b"".join))
@example(b"\r\nCookie: AWSALB=" + b"A" * 124)
@example(b"\r\nCookie: AWSALBTG=" + b"A" * 172)
@example(b"\r\nCookie: S=1; AWSALBAPP-0=" + b"A" * 144)
@example(b"\r\nCookie: " + b";" * 5_000 + b"AWSALB")
@example(b"\r\nCookie:" + b" " * 5_000 + b"AWSALB" + b" " * 5_000)
def test_no_bytes_raise_or_name_a_target(raw: bytes):
    sealer = new_sealer()
    for cookie in (
        lb_cookie(sealer, GROUP, HOUR),
        group_cookie(sealer, BALANCER, HOUR),
        AppCookie(sealer, GROUP, "S", HOUR),
    ):
        choice = cookie.choose(raw, USABLE, NOW)
        assert choice.kept is None
        assert str(choice.text)


@settings(max_examples=200)
@given(st.sampled_from([ONE, TWO]), st.integers(0, 123), st.binary(min_size=1, max_size=3))
def test_a_genuine_value_with_any_change_names_no_target(token: str, at: int, stroke: bytes):
    cookie = lb_cookie(new_sealer(), GROUP, HOUR)
    genuine = value_for(cookie, token).encode()
    changed = genuine[:at] + stroke + genuine[at + len(stroke) :]
    kept = cookie.choose(block(b"Cookie: AWSALB=" + changed), USABLE, NOW).kept
    # White space around a value and what stands behind a semicolon are not part of it.
    assert kept == (USABLE[token] if changed == genuine else None)


def test_kinds_hold_every_target_key_and_group_label():
    assert AWSALB.text_bytes == 60
    assert AWSALBTG.text_bytes == 96
