from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store

from lb.api.local_ca import KEY_ALGORITHMS, Issued, issue, new_authority
from lb.api.pem import belongs, key_algorithm, read_certificates, read_private_key
from tests.api.aws_call import NOW


def certificate(issued: Issued) -> x509.Certificate:
    (found,) = read_certificates(issued.certificate.encode())
    return found


@pytest.mark.parametrize("algorithm", KEY_ALGORITHMS)
def test_a_client_that_trusts_the_authority_trusts_what_it_issues(algorithm: str):
    authority = new_authority(NOW)
    issued = issue(authority, ["shop.test", "*.shop.test"], algorithm, NOW)
    store = Store([certificate(authority)])
    for name in ("shop.test", "www.shop.test"):
        verifier = PolicyBuilder().store(store).time(NOW).build_server_verifier(x509.DNSName(name))
        assert verifier.verify(certificate(issued), []) == [certificate(issued), certificate(authority)]
    key = read_private_key(issued.private_key.encode())
    assert key is not None
    assert belongs(certificate(issued), key)
    assert key_algorithm(key.public_key()) == algorithm.replace("_", "-", 1)


def test_a_certificate_is_valid_for_thirteen_months_from_midnight_on():
    issued = certificate(issue(new_authority(NOW), ["a.test"], "EC_prime256v1", NOW))
    assert issued.not_valid_before_utc == datetime(2026, 1, 5, tzinfo=UTC)
    assert issued.not_valid_after_utc == datetime(2027, 2, 4, 23, 59, 59, tzinfo=UTC)


def test_keys_are_never_the_same():
    authority = new_authority(NOW)
    assert authority.private_key != new_authority(NOW).private_key
    first, second = (issue(authority, ["a.test"], "EC_prime256v1", NOW) for _ in range(2))
    assert first.private_key != second.private_key
    assert certificate(first).serial_number != certificate(second).serial_number
