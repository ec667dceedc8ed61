"""Rules between the shapes of the API and the model."""

from hypothesis import given
from hypothesis import strategies as st

from lb.model import rules
from lb.model.rules import Rule
from lb.resources.records import Kind, Record
from lb.resources.rules import condition_of, condition_shape, rule_of, shape_of, target_groups_of

TEXT = st.text(max_size=12)
SOME = st.lists(TEXT, min_size=1, max_size=4).map(tuple)
ANY = st.lists(TEXT, max_size=4).map(tuple)
CONDITIONS = st.one_of(
    st.builds(rules.HostHeader, ANY, ANY),
    st.builds(rules.PathPattern, ANY, ANY),
    st.builds(rules.HttpHeader, TEXT, ANY, ANY),
    st.builds(rules.HttpRequestMethod, SOME),
    st.builds(rules.SourceIp, SOME),
    st.builds(rules.QueryString, st.lists(st.builds(rules.QueryPair, st.none() | TEXT, TEXT), min_size=1).map(tuple)),
)
ACTIONS = st.one_of(
    st.builds(
        rules.Forward,
        st.lists(st.builds(rules.WeightedGroup, TEXT, st.integers(0, 999)), min_size=1, max_size=5).map(tuple),
        st.none() | st.integers(1, 604_800),
    ),
    st.builds(rules.Redirect, st.sampled_from(["HTTP_301", "HTTP_302"]), TEXT, TEXT, TEXT, TEXT, TEXT),
    st.builds(rules.FixedResponse, TEXT, st.none() | TEXT, TEXT),
)
TRANSFORMS = st.one_of(st.builds(rules.UrlRewrite, TEXT, TEXT), st.builds(rules.HostHeaderRewrite, TEXT, TEXT))
RULES = st.builds(
    Rule,
    st.just("arn"),
    st.none() | st.integers(1, 50_000),
    st.lists(CONDITIONS, max_size=3).map(tuple),
    ACTIONS,
    st.lists(TRANSFORMS, max_size=2).map(tuple),
)


@given(RULES)
def test_a_rule_is_the_same_after_a_turn_through_its_shape(rule: Rule):
    record = Record(Kind.RULE, rule.arn, "us-east-1", "000000000000", shape_of(rule))
    assert rule_of(record) == rule


def test_hosts_and_paths_are_answered_in_both_forms_and_read_in_either():
    for condition in (rules.HostHeader(("a.example",)), rules.PathPattern(("/a", "/b"), ("^/c",))):
        shape = condition_shape(condition)
        config = next(member for member in shape if member.endswith("Config"))
        assert shape["Values"] == shape[config]["Values"]
        old = {member: value for member, value in shape.items() if member != config}
        new = {"Field": shape["Field"], config: shape[config]}
        assert condition_of(old) == condition_of(new) == condition


def test_the_other_conditions_are_answered_in_their_config_only():
    assert condition_shape(rules.SourceIp(("10.0.0.0/8",))) == {
        "Field": "source-ip",
        "SourceIpConfig": {"Values": ["10.0.0.0/8"]},
    }
    assert condition_shape(rules.QueryString((rules.QueryPair(None, "x"), rules.QueryPair("k", "v")))) == {
        "Field": "query-string",
        "QueryStringConfig": {"Values": [{"Value": "x"}, {"Key": "k", "Value": "v"}]},
    }


def test_a_default_rule_says_so():
    shape = shape_of(Rule("arn", None, (), rules.FixedResponse("404")))
    assert (shape["Priority"], shape["IsDefault"], shape["Conditions"]) == ("default", True, [])


def test_a_lone_target_group_is_answered_in_both_forms_and_several_in_one():
    lone = shape_of(Rule("arn", 1, (), rules.Forward((rules.WeightedGroup("a"),))))["Actions"]
    assert lone[0]["TargetGroupArn"] == "a"
    assert lone[0]["ForwardConfig"] == {
        "TargetGroups": [{"TargetGroupArn": "a", "Weight": 1}],
        "TargetGroupStickinessConfig": {"Enabled": False},
    }
    both = shape_of(Rule("arn", 1, (), rules.Forward((rules.WeightedGroup("a"), rules.WeightedGroup("b", 3)), 60)))
    assert "TargetGroupArn" not in both["Actions"][0]
    assert target_groups_of(both["Actions"]) == ("a", "b")


def test_of_several_actions_the_one_that_routes_is_carried_out():
    shape = shape_of(Rule("arn", 1, (), rules.FixedResponse("503")))
    login = {"Type": "authenticate-oidc", "AuthenticateOidcConfig": {"Issuer": "https://login.example"}}
    record = Record(Kind.RULE, "arn", "us-east-1", "000000000000", {**shape, "Actions": [login, *shape["Actions"]]})
    assert rule_of(record).action == rules.FixedResponse("503")
