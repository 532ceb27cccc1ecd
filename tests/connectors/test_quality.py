"""What channels say of themselves is true as far as files can show it."""

from pathlib import Path

import pytest

from connectors.kit.quality import RULES, Rule, Tier, quality
from hub.channels import MODULES, channels
from tests.support.paths import ROOT

EVIDENCE: dict[Rule, tuple[str, ...]] = {
    Rule.PASSES_CONTRACT: ("tests/connectors/{name}/test_contract.py",),
    Rule.HAS_OPERATOR_PAGE: ("docs/operators/channels/{name}.md",),
    Rule.HAS_STANDIN: ("connectors/{name}/standin*",),
    Rule.HAS_FIXTURES: ("connectors/{name}/fixtures/*", "tests/connectors/{name}/**/fixtures/*"),
}


def folder_of(name: str) -> str:
    module = next(each for each in MODULES if __import__(each, fromlist=["CHANNEL"]).CHANNEL.name == name)
    return module.split(".")[1]


@pytest.mark.parametrize("rule", EVIDENCE)
@pytest.mark.parametrize("name", list(channels()))
def test_what_is_said_to_be_done_is_there(name: str, rule: Rule) -> None:
    if rule not in channels()[name].quality.done:
        return  # not claimed: the table says that it is open, or why it is exempt
    places = [each.format(name=folder_of(name)) for each in EVIDENCE[rule]]
    assert any(any(Path(ROOT).glob(place)) for place in places), (
        f"{name} says {rule}, and there is no {places}"
    )


@pytest.mark.parametrize("name", list(channels()))
def test_every_channel_has_a_readme_an_example_and_a_title(name: str) -> None:
    channel = channels()[name]
    assert (Path(ROOT) / "connectors" / folder_of(name) / "README.md").exists()
    assert channel.title and channel.describes and channel.example.strip()


def test_every_rule_has_a_meaning_and_a_tier() -> None:
    assert set(RULES) == set(Rule)


def test_a_tier_is_reached_when_nothing_before_it_is_open() -> None:
    safe = [rule for rule, (tier, _) in RULES.items() if tier is Tier.SAFE]
    assert quality(*safe).tier is Tier.SAFE
    assert quality(*safe[1:]).tier is None
    assert quality(*safe[1:], exempt={safe[0]: "there is nothing of the kind here"}).tier is Tier.SAFE
    assert quality(*RULES).tier is Tier.EASY


def test_an_exemption_needs_a_reason_and_nothing_is_stated_twice() -> None:
    with pytest.raises(ValueError, match="without a reason"):
        quality(exempt={Rule.HAS_STANDIN: "no"})
    with pytest.raises(ValueError, match="twice"):
        quality(Rule.HAS_STANDIN, exempt={Rule.HAS_STANDIN: "there is nothing to play"})
