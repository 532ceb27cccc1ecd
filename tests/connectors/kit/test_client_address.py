from ipaddress import ip_address, ip_network

import pytest

from connectors.kit.client_address import client_address, parse_address, rate_name

PROXIES = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        (
            "203.0.113.9",
            ["198.51.100.1"],
            "203.0.113.9",
        ),  # not through a proxy of ours: the header is anybody's
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        (
            "10.0.0.1",
            ["1.1.1.1, 198.51.100.1, 10.0.0.2"],
            "198.51.100.1",
        ),  # what stands on the left is the visitor's own
        ("10.0.0.1", ["1.1.1.1", "198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["198.51.100.1, nonsense"], "10.0.0.1"),
        ("fd00::1", ["2001:db8::5"], "2001:db8::5"),
        ("::ffff:10.0.0.1", ["198.51.100.1:4711"], "198.51.100.1"),
    ],
)
def test_the_nearest_address_that_is_no_proxy_of_ours_counts(
    peer: str, forwarded: list[str], expected: str
) -> None:
    assert client_address(peer, forwarded, PROXIES) == ip_address(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"[2001:db8::1]:443"', "2001:db8::1"),
        ("192.0.2.1:80", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
    ],
)
def test_addresses_are_read_as_proxies_write_them(text: str, expected: str) -> None:
    assert parse_address(text) == ip_address(expected)


@pytest.mark.parametrize("text", ["", "unknown", "_hidden", "1.2.3", "a" * 10_000])
def test_what_is_no_address_is_none(text: str) -> None:
    assert parse_address(text) is None


def test_limits_count_a_whole_site_of_ipv6_as_one() -> None:
    assert (
        rate_name(ip_address("2001:db8:1:2:3::4"))
        == rate_name(ip_address("2001:db8:1:2::9"))
        == "2001:db8:1:2::/64"
    )
    assert rate_name(ip_address("192.0.2.1")) == "192.0.2.1"
    assert rate_name(None) == "unknown"
