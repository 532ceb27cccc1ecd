"""Listeners share the file descriptors of the process, and leave the engine what it needs."""

import resource

import pytest

from hub.descriptors import BACKLOG, FEWEST, RESERVED, fitted, raise_limit, shared_out
from hub.listening import limits_of
from hub.settings import HubSettings

WANTED = {"console": 2000, "intake": 1000, "files": 1000, "smtp": 500}


def settings(**parts: object) -> HubSettings:
    account = {"name": "support", "address": "support@shop.example"}
    return HubSettings.model_validate({"email": {"smtp_in": {"port": 0}, "accounts": [account]}, **parts})


def test_each_listener_has_what_it_wants_where_there_is_enough() -> None:
    assert shared_out(WANTED, 20_000) == WANTED


@pytest.mark.parametrize("descriptors", [1024, 2048, 4096])
def test_few_descriptors_are_shared_in_proportion_and_never_all_given_away(descriptors: int) -> None:
    given = shared_out(WANTED, descriptors)
    assert sum(given.values()) <= descriptors - RESERVED
    assert given["console"] == pytest.approx(2 * given["intake"], abs=2)
    assert all(count > 50 for count in given.values())


def test_nobody_is_left_with_nothing() -> None:
    assert set(shared_out(WANTED, 256).values()) == {FEWEST}


def test_what_is_reserved_covers_connections_that_nobody_looked_at_yet() -> None:
    assert RESERVED > 5 * BACKLOG


def test_the_settings_are_fitted_to_the_process() -> None:
    asked = settings()
    assert fitted(asked, 20_000) is asked
    fewer = fitted(asked, 1024)
    assert fewer.email is not None and fewer.email.smtp_in is not None
    counts = [fewer.console.connections, fewer.intake.connections, fewer.files.connections]
    assert sum(counts) + fewer.email.smtp_in.max_connections <= 1024 - RESERVED
    assert fewer.console.port == asked.console.port


def test_one_address_never_has_more_than_all() -> None:
    fewer = fitted(settings(), 1024)
    limits = limits_of(fewer, "console")
    assert limits.connections_of_one == limits.connections < 500


def test_proxies_of_the_forms_are_proxies_of_their_address() -> None:
    made = settings(
        intake={"trusted_proxies": ["10.0.0.7"]},
        webform={"trusted_proxies": ["10.1.0.0/16"], "forms": []},
    )
    assert [str(each) for each in limits_of(made, "intake").proxies] == ["10.0.0.7/32", "10.1.0.0/16"]
    assert limits_of(made, "console").proxies == ()


def test_the_limit_is_raised_to_what_the_system_allows() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(1024, before[1]), before[1]))
    try:
        assert raise_limit() == min(before[1], 65_536) == resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        assert raise_limit() == min(before[1], 65_536)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
