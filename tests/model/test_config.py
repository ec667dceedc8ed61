"""Configuration values: frozen, and targets written as `host:port`."""

import dataclasses

import pytest

from lb.model.config import NO_ATTRIBUTES, Config, Target


@pytest.mark.parametrize(
    ("target", "text"),
    [
        (Target("web1", 80), "web1:80"),
        (Target("10.0.0.1", 8080), "10.0.0.1:8080"),
        (Target("2001:db8::1", 80), "[2001:db8::1]:80"),
    ],
)
def test_a_target_in_writing(target: Target, text: str):
    assert str(target) == text


def test_values_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config().target_groups = ()  # type: ignore[misc]
    with pytest.raises(TypeError):
        NO_ATTRIBUTES["a"] = "b"  # type: ignore[index]
