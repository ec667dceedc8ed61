import pytest
from moto.elbv2.ssl_policies import SSL_POLICIES

from tests.api.elbv2.elb import Elb

# moto gives these more ciphers than ELB's guide, or others.
_OTHERWISE_IN_MOTO = {"ELBSecurityPolicy-TLS13-1-2-Ext1-PQ-2025-09"}


def test_the_default_policy_has_elbs_ciphers_in_elbs_order(elb: Elb):
    (policy,) = elb("DescribeSSLPolicies", Names=["ELBSecurityPolicy-2016-08"])["SslPolicies"]
    assert policy["SslProtocols"] == ["TLSv1.2", "TLSv1.1", "TLSv1"]
    assert policy["SupportedLoadBalancerTypes"] == ["application", "network"]
    assert [cipher["Priority"] for cipher in policy["Ciphers"]] == list(range(1, 19))
    assert [cipher["Name"] for cipher in policy["Ciphers"]] == [
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES128-SHA256",
        "ECDHE-RSA-AES128-SHA256",
        "ECDHE-ECDSA-AES128-SHA",
        "ECDHE-RSA-AES128-SHA",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-AES256-SHA384",
        "ECDHE-RSA-AES256-SHA384",
        "ECDHE-RSA-AES256-SHA",
        "ECDHE-ECDSA-AES256-SHA",
        "AES128-GCM-SHA256",
        "AES128-SHA256",
        "AES128-SHA",
        "AES256-GCM-SHA384",
        "AES256-SHA256",
        "AES256-SHA",
    ]


@pytest.mark.parametrize("name", sorted(SSL_POLICIES.keys() - _OTHERWISE_IN_MOTO))
def test_moto_knows_the_same_policies(elb: Elb, name: str):
    (policy,) = elb("DescribeSSLPolicies", Names=[name])["SslPolicies"]
    assert {cipher["Name"] for cipher in policy["Ciphers"]} == set(SSL_POLICIES[name]["ciphers"])
    assert set(policy["SslProtocols"]) == set(SSL_POLICIES[name]["ssl_protocols"])


@pytest.mark.parametrize(
    ("name", "ciphers"),
    [
        ("TLS13-1-3-RFC9151-FIPS-2023-07", ["TLS_AES_256_GCM_SHA384"]),
        ("TLS13-1-3-FIPS-2023-04", ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"]),
        (
            "TLS13-1-2-Ext0-RFC9151-FIPS-2023-07",
            [
                "TLS_AES_256_GCM_SHA384",
                "ECDHE-ECDSA-AES256-GCM-SHA384",
                "ECDHE-RSA-AES256-GCM-SHA384",
                "AES256-GCM-SHA384",
            ],
        ),
    ],
)
def test_policies_for_fips(elb: Elb, name: str, ciphers: list[str]):
    (policy,) = elb("DescribeSSLPolicies", Names=[f"ELBSecurityPolicy-{name}"])["SslPolicies"]
    assert [cipher["Name"] for cipher in policy["Ciphers"]] == ciphers


def test_all_policies_in_pages_and_by_type(elb: Elb):
    everything = elb("DescribeSSLPolicies")["SslPolicies"]
    assert len(everything) == 44
    assert elb("DescribeSSLPolicies", LoadBalancerType="network")["SslPolicies"] == everything
    assert elb("DescribeSSLPolicies", LoadBalancerType="gateway")["SslPolicies"] == []
    first = elb("DescribeSSLPolicies", PageSize=40)
    second = elb("DescribeSSLPolicies", PageSize=40, Marker=first["NextMarker"])
    assert [*first["SslPolicies"], *second["SslPolicies"]] == everything


@pytest.mark.parametrize("name", ["2016-08", "ELBSecurityPolicy-", "ELBSecurityPolicy-2099-01"])
def test_an_unknown_policy_is_not_found(elb: Elb, name: str):
    error = elb.refused("DescribeSSLPolicies", Names=["ELBSecurityPolicy-2016-08", name])
    assert (error.code, error.message) == ("SSLPolicyNotFound", "One or more SSL policies not found")
