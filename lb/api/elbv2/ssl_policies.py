"""The predefined security policies of HTTPS and TLS listeners: DescribeSSLPolicies (fact sheet 2.3)."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from lb.api.call import ApiError, Call, Operations, Params, Result
from lb.api.elbv2.paging import paged

_PREFIX: Final = "ELBSecurityPolicy-"
DEFAULT_POLICY: Final = f"{_PREFIX}2016-08"
"""The policy of a listener for which none is named."""

_T13 = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")
_T13_FIPS = _T13[:2]
_EGCM = (
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
)
_ECBC = (
    "ECDHE-ECDSA-AES128-SHA256",
    "ECDHE-RSA-AES128-SHA256",
    "ECDHE-ECDSA-AES256-SHA384",
    "ECDHE-RSA-AES256-SHA384",
)
_ESHA = ("ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES128-SHA", "ECDHE-RSA-AES256-SHA", "ECDHE-ECDSA-AES256-SHA")
_RGCM = ("AES128-GCM-SHA256", "AES128-SHA256", "AES256-GCM-SHA384", "AES256-SHA256")
_RSHA = ("AES128-SHA", "AES256-SHA")
_OLD = (*_EGCM, *_ECBC, *_ESHA, *_RGCM, *_RSHA)
_ALL = (*_T13, *_OLD)
_ALL_FIPS = (*_T13_FIPS, *_OLD)
_AES256_E = _EGCM[2:]
_RFC9151 = (_T13[1], *_AES256_E)

# Every policy takes its ciphers from here, in this order.
_ORDER = (
    *_T13,
    *(_EGCM[0], _EGCM[1], _ECBC[0], _ECBC[1], _ESHA[0], _ESHA[1]),
    *(_EGCM[2], _EGCM[3], _ECBC[2], _ECBC[3], _ESHA[2], _ESHA[3]),
    *(_RGCM[0], _RGCM[1], _RSHA[0], _RGCM[2], _RGCM[3], _RSHA[1]),
)
_FROM_1_3 = ("TLSv1.3",)
_FROM_1_2 = ("TLSv1.3", "TLSv1.2")
_FROM_1_1 = ("TLSv1.3", "TLSv1.2", "TLSv1.1")
_FROM_1_0 = ("TLSv1.3", "TLSv1.2", "TLSv1.1", "TLSv1")

# Name without its prefix: protocols and ciphers.
_POLICIES: Final[Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]] = MappingProxyType(
    {
        "TLS13-1-3-2021-06": (_FROM_1_3, _T13),
        "TLS13-1-3-PQ-2025-09": (_FROM_1_3, _T13),
        "TLS13-1-2-Res-2021-06": (_FROM_1_2, (*_T13, *_EGCM)),
        "TLS13-1-2-Res-PQ-2025-09": (_FROM_1_2, (*_T13, *_EGCM)),
        "TLS13-1-2-2021-06": (_FROM_1_2, (*_T13, *_EGCM, *_ECBC)),
        "TLS13-1-2-PQ-2025-09": (_FROM_1_2, (*_T13, *_EGCM, *_ECBC)),
        "TLS13-1-2-Ext1-2021-06": (_FROM_1_2, (*_T13, *_EGCM, *_ECBC, *_RGCM)),
        "TLS13-1-2-Ext1-PQ-2025-09": (_FROM_1_2, (*_T13, *_EGCM, *_ECBC, *_RGCM)),
        "TLS13-1-2-Ext2-2021-06": (_FROM_1_2, _ALL),
        "TLS13-1-2-Ext2-PQ-2025-09": (_FROM_1_2, _ALL),
        "TLS13-1-1-2021-06": (_FROM_1_1, _ALL),
        "TLS13-1-0-2021-06": (_FROM_1_0, _ALL),
        "TLS13-1-0-PQ-2025-09": (_FROM_1_0, _ALL),
        "TLS-1-2-Ext-2018-06": (_FROM_1_2[1:], _OLD),
        "TLS-1-2-2017-01": (_FROM_1_2[1:], (*_EGCM, *_ECBC, *_RGCM)),
        "TLS-1-1-2017-01": (_FROM_1_1[1:], _OLD),
        "2016-08": (_FROM_1_0[1:], _OLD),
        "TLS13-1-3-FIPS-2023-04": (_FROM_1_3, _T13_FIPS),
        "TLS13-1-3-FIPS-PQ-2025-09": (_FROM_1_3, _T13_FIPS),
        "TLS13-1-2-Res-FIPS-2023-04": (_FROM_1_2, (*_T13_FIPS, *_EGCM)),
        "TLS13-1-2-Res-FIPS-PQ-2025-09": (_FROM_1_2, (*_T13_FIPS, *_EGCM)),
        "TLS13-1-2-FIPS-2023-04": (_FROM_1_2, (*_T13_FIPS, *_EGCM, *_ECBC)),
        "TLS13-1-2-FIPS-PQ-2025-09": (_FROM_1_2, (*_T13_FIPS, *_EGCM, *_ECBC)),
        "TLS13-1-2-Ext0-FIPS-2023-04": (_FROM_1_2, (*_T13_FIPS, *_EGCM, *_ECBC, *_ESHA)),
        "TLS13-1-2-Ext0-FIPS-PQ-2025-09": (_FROM_1_2, (*_T13_FIPS, *_EGCM, *_ECBC, *_ESHA)),
        "TLS13-1-2-Ext1-FIPS-2023-04": (_FROM_1_2, (*_T13_FIPS, *_EGCM, *_ECBC, *_RGCM)),
        "TLS13-1-2-Ext1-FIPS-PQ-2025-09": (_FROM_1_2, (*_T13_FIPS, *_EGCM, *_ECBC, *_RGCM)),
        "TLS13-1-2-Ext2-FIPS-2023-04": (_FROM_1_2, _ALL_FIPS),
        "TLS13-1-2-Ext2-FIPS-PQ-2025-09": (_FROM_1_2, _ALL_FIPS),
        "TLS13-1-1-FIPS-2023-04": (_FROM_1_1, _ALL_FIPS),
        "TLS13-1-0-FIPS-2023-04": (_FROM_1_0, _ALL_FIPS),
        "TLS13-1-0-FIPS-PQ-2025-09": (_FROM_1_0, _ALL_FIPS),
        "TLS13-1-3-RFC9151-FIPS-2023-07": (_FROM_1_3, _RFC9151[:1]),
        "TLS13-1-2-RFC9151-FIPS-2023-07": (_FROM_1_2, _RFC9151),
        "TLS13-1-2-Ext0-RFC9151-FIPS-2023-07": (_FROM_1_2, (*_RFC9151, "AES256-GCM-SHA384")),
        "TLS13-1-2-RFC9151-INTEROP1-FIPS-2023-07": (_FROM_1_2, (*_T13_FIPS, *_EGCM)),
        "TLS13-1-2-RFC9151-INTEROP2-FIPS-2023-07": (_FROM_1_2, (*_T13_FIPS, *_EGCM, *_ECBC)),
        "TLS13-1-2-RFC9151-INTEROP3-FIPS-2023-07": (_FROM_1_2, (*_T13_FIPS, *_EGCM, *_ECBC, *_ESHA)),
        "TLS13-1-2-RFC9151-INTEROP4-FIPS-2023-07": (_FROM_1_2, _ALL_FIPS),
        "FS-1-2-Res-2020-10": (_FROM_1_2[1:], _EGCM),
        "FS-1-2-Res-2019-08": (_FROM_1_2[1:], (*_EGCM, *_ECBC)),
        "FS-1-2-2019-08": (_FROM_1_2[1:], (*_EGCM, *_ECBC, *_ESHA)),
        "FS-1-1-2019-08": (_FROM_1_1[1:], (*_EGCM, *_ECBC, *_ESHA)),
        "FS-2018-06": (_FROM_1_0[1:], (*_EGCM, *_ECBC, *_ESHA)),
    }
)


def is_policy(name: str) -> bool:
    """Whether ELB has a security policy of this name."""
    return name.startswith(_PREFIX) and name.removeprefix(_PREFIX) in _POLICIES


def describe_ssl_policies(call: Call, params: Params) -> Result:
    """All policies, or those with the given names; of the load balancer types only Gateway has none."""
    names = params.get("Names") or [f"{_PREFIX}{name}" for name in _POLICIES]
    if not all(map(is_policy, names)):
        raise ApiError("SSLPolicyNotFound", "One or more SSL policies not found")
    if params.get("LoadBalancerType") == "gateway":
        names = []
    return paged("SslPolicies", [_shape(name) for name in dict.fromkeys(names)], params)


def _shape(name: str) -> dict[str, Any]:
    protocols, ciphers = _POLICIES[name.removeprefix(_PREFIX)]
    ordered = [cipher for cipher in _ORDER if cipher in ciphers]
    return {
        "Name": name,
        "SslProtocols": list(protocols),
        "Ciphers": [{"Name": cipher, "Priority": place} for place, cipher in enumerate(ordered, 1)],
        "SupportedLoadBalancerTypes": ["application", "network"],
    }


OPERATIONS: Final[Operations] = {"DescribeSSLPolicies": describe_ssl_policies}
