"""`hubbub configuration` and `hubbub apply`: the history, back to a version, and a file that takes nothing back unseen."""

import yaml

from hub.loading import load_settings
from tests.hub.cli.conftest import Installation


def test_what_was_published_elsewhere_is_replaced_only_where_it_is_named(installation: Installation) -> None:
    installation.run("apply")
    text = installation.config.read_text(encoding="utf-8").replace("title: Billing", "title: Invoices")
    installation.config.write_text(text, encoding="utf-8")
    installation.run("apply", "--note", "a better name")
    assert "version 3 is in force, as version 1 was" in installation.run("configuration", "back", "1").stdout
    refused = installation.run("apply", exit_code=3).stderr
    assert "version 3 was published by" in refused
    assert "hubbub apply --over 3" in refused
    assert installation.json("apply", "--over", "3")["number"] == 4
    listed = installation.json("configuration", "list")
    assert [(each["number"], each["origin"], each["back_to"]) for each in listed] == [
        (4, "file", None), (3, "api", 1), (2, "file", None), (1, "file", None),
    ]  # fmt: skip
    assert listed[2]["note"] == "a better name"
    said = installation.run("configuration", "difference", "3").stdout
    assert "title is 'Billing' now (was 'Invoices')" in said


def test_a_version_is_printed_as_a_settings_file_says_it(installation: Installation) -> None:
    installation.run("apply")
    shown = installation.run("configuration", "show").stdout
    parts = yaml.safe_load(shown)
    whole = yaml.safe_load(installation.config.read_text(encoding="utf-8"))
    before = load_settings(installation.config, {}).company()
    installation.config.write_text(yaml.safe_dump({**whole, **parts}), encoding="utf-8")
    assert load_settings(installation.config, {}).company() == before
