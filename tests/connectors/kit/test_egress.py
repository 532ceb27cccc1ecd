"""Which addresses count as the public internet, however they are written."""

import ipaddress

import pytest

from connectors.kit.egress import is_public


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07::1", True),
        ("127.0.0.1", False),
        ("169.254.169.254", False),
        ("::1", False),
        ("::ffff:10.0.0.1", False),
        ("2002:0a00:0001::1", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::a9fe:a9fe", False),
        ("64:ff9b::5db8:d70e", True),
        ("224.0.0.1", False),
        ("fd00::1", False),
    ],
)
def test_an_address_inside_another_is_looked_at(address: str, public: bool) -> None:
    assert is_public(ipaddress.ip_address(address)) is public


def test_a_network_that_is_allowed_is_reached_by_any_way_of_writing() -> None:
    allowed = [ipaddress.ip_network("10.0.0.0/8")]
    for address in ("10.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1"):
        assert is_public(ipaddress.ip_address(address), allowed)
