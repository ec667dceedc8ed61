import pytest

from tests.api.elbv2.elb import ARN, HTML, Elb


def pairs(**tags: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def tags_of(elb: Elb, arn: str) -> list[dict[str, str]]:
    (described,) = elb("DescribeTags", ResourceArns=[arn])["TagDescriptions"]
    tags: list[dict[str, str]] = described["Tags"]
    return tags


def one_of_each(elb: Elb) -> list[str]:
    balancer, group = elb.balancer(), elb.group()
    listener = elb.listener(balancer)
    condition = {"Field": "path-pattern", "Values": ["/a"]}
    rule = elb("CreateRule", ListenerArn=listener, Priority=1, Conditions=[condition], Actions=[HTML])["Rules"][0]
    bundle = {"CaCertificatesBundleS3Bucket": "b", "CaCertificatesBundleS3Key": "k"}
    store = elb("CreateTrustStore", Name="clients", **bundle)["TrustStores"][0]
    return [store["TrustStoreArn"], rule["RuleArn"], group, listener, balancer]


def test_every_kind_of_resource_has_tags_in_the_order_asked(elb: Elb):
    arns = one_of_each(elb)
    assert elb("AddTags", ResourceArns=arns, Tags=pairs(stage="test", team="a")) == {}
    expected = [{"ResourceArn": arn, "Tags": pairs(stage="test", team="a")} for arn in arns]
    assert elb("DescribeTags", ResourceArns=arns)["TagDescriptions"] == expected


def test_a_tag_that_is_there_is_overwritten_and_removed(elb: Elb):
    arn = elb.balancer(Tags=pairs(stage="test", team="a"))
    elb("AddTags", ResourceArns=[arn], Tags=pairs(stage="live"))
    assert tags_of(elb, arn) == pairs(stage="live", team="a")
    assert elb("RemoveTags", ResourceArns=[arn], TagKeys=["stage", "never"]) == {}
    assert tags_of(elb, arn) == pairs(team="a")


def test_changing_tags_changes_nothing_else(elb: Elb):
    arn = elb.balancer()
    elb(
        "ModifyLoadBalancerAttributes",
        LoadBalancerArn=arn,
        Attributes=[{"Key": "waf.fail_open.enabled", "Value": "true"}],
    )
    before = elb("DescribeLoadBalancers"), elb("DescribeLoadBalancerAttributes", LoadBalancerArn=arn)
    elb("AddTags", ResourceArns=[arn], Tags=pairs(a="b"))
    assert (elb("DescribeLoadBalancers"), elb("DescribeLoadBalancerAttributes", LoadBalancerArn=arn)) == before


def test_fifty_tags_are_the_most(elb: Elb):
    arn = elb.balancer(Tags=[{"Key": f"key-{number}"} for number in range(50)])
    assert elb.refused("AddTags", ResourceArns=[arn], Tags=pairs(one="more")).code == "TooManyTags"
    elb("AddTags", ResourceArns=[arn], Tags=[{"Key": "key-7", "Value": "other"}])
    assert len(tags_of(elb, arn)) == 50


REFUSED = {
    "a key twice": ([{"Key": "a"}, {"Key": "a"}], "DuplicateTagKeys", "Tag key was specified more than once: a"),
    "a reserved key": (
        [{"Key": "aws:name"}],
        "ValidationError",
        "The tag key 'aws:name' cannot begin with 'aws:'",
    ),
    "too many": (
        [{"Key": f"key-{number}"} for number in range(51)],
        "TooManyTags",
        "You've reached the limit on the number of tags for this resource",
    ),
}


@pytest.mark.parametrize(("tags", "code", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_tags_are_refused_for_all_resources_or_none(elb: Elb, tags: list[dict[str, str]], code: str, message: str):
    arn = elb.balancer()
    error = elb.refused("AddTags", ResourceArns=[arn], Tags=tags)
    assert (error.code, error.message) == (code, message)
    assert tags_of(elb, arn) == []


NOT_FOUND = {
    "loadbalancer/app/no/1": "LoadBalancerNotFound",
    "listener/app/no/1/2": "ListenerNotFound",
    "listener-rule/app/no/1/2/3": "RuleNotFound",
    "targetgroup/no/1": "TargetGroupNotFound",
    "truststore/no/1": "TrustStoreNotFound",
    "something/no/1": "ValidationError",
}


@pytest.mark.parametrize(("resource", "code"), NOT_FOUND.items(), ids=NOT_FOUND.keys())
@pytest.mark.parametrize("operation", ["AddTags", "RemoveTags", "DescribeTags"])
def test_what_is_not_there_has_no_tags(elb: Elb, operation: str, resource: str, code: str):
    params = {"AddTags": {"Tags": pairs(a="b")}, "RemoveTags": {"TagKeys": ["a"]}, "DescribeTags": {}}[operation]
    error = elb.refused(operation, ResourceArns=[elb.balancer(), f"{ARN}:{resource}"], **params)
    assert error.code == code


@pytest.mark.parametrize(
    ("arns", "message"),
    [
        ([], "A resource ARN must be specified"),
        (["x"] * 21, "Up to '20' resources can be specified in a single call"),
        (["x"], "'x' is not a valid load balancer ARN"),
    ],
)
def test_arns_are_refused(elb: Elb, arns: list[str], message: str):
    assert elb.refused("DescribeTags", ResourceArns=arns).message == message
