"""What the code of the wire takes for granted about botocore's models."""

import pytest

from lb.api.wire.service import model_loader
from lb.api.wire.services import BY_SIGNING_NAME, BY_TARGET_PREFIX, BY_VERSION, CLASSIC_VERSION, SERVED, Services
from tests.api.wire.models import model


@pytest.mark.parametrize("name", SERVED)
def test_the_tables_that_find_a_service_say_what_its_model_says(name):
    metadata = model(name).metadata
    assert BY_SIGNING_NAME[metadata.get("signingName") or metadata["endpointPrefix"]] == name
    spoken = set(metadata["protocols"])
    assert spoken & {"query", "ec2", "json"}
    if spoken & {"query", "ec2"}:
        assert BY_VERSION[metadata["apiVersion"]] == name
    if "json" in spoken:
        assert BY_TARGET_PREFIX[metadata["targetPrefix"]] == name
    assert model(name).resolved_protocol in ("query", "ec2", "json")


def test_classic_load_balancers_share_the_signing_name():
    classic = model("elb").metadata
    assert (classic["endpointPrefix"], classic["apiVersion"]) == ("elasticloadbalancing", CLASSIC_VERSION)


@pytest.mark.parametrize("name", SERVED)
def test_no_model_has_a_trait_that_readers_and_writers_do_not_treat(name):
    shapes = model_loader().load_service_model(name, "service-2")["shapes"].values()
    untreated = {"flattened", "xmlAttribute", "timestampFormat", "xmlNamespace", "document", "location", "streaming"}
    for shape in shapes:
        parts = [
            shape,
            *shape.get("members", {}).values(),
            *(shape[part] for part in ("member", "key", "value") if part in shape),
        ]
        assert not any(untreated & part.keys() for part in parts), shape
        assert not any("locationName" in shape.get(part, {}) for part in ("key", "value"))


def test_models_come_with_botocore_and_not_from_the_home_directory(monkeypatch, tmp_path):
    (tmp_path / ".aws/models/elbv2/2099-01-01").mkdir(parents=True)
    (tmp_path / ".aws/models/elbv2/2099-01-01/service-2.json").write_text("{}")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Services().get("elbv2").version == "2015-12-01"


def test_warming_loads_each_model_once():
    services = Services()
    services.warm(("sts", "acm"))
    assert services.get("sts") is services.get("sts")
    assert services.get("acm").has("ImportCertificate")
