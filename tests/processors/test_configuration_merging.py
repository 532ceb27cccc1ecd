"""What two people changed in one configuration is put together, and where they met is told."""

from typing import Any

from processors.configuration_merging import Met, merged
from schemas.configuration import Configuration


def configuration(*rules: str, **more: Any) -> Configuration:
    """Rules by name; `name=tag` gives the tag."""
    made = [each.partition("=") for each in rules]
    return Configuration.model_validate(
        {
            "rules": [
                {
                    "name": name,
                    "when": {"field": "subject", "operator": "contains", "value": name},
                    "tags": [tag or name],
                }
                for name, _, tag in made
            ],
            **more,
        }
    )


def names(made: Configuration) -> list[str]:
    return [f"{each.name}={each.tags[0]}" for each in made.rules]


def test_changes_of_both_are_kept() -> None:
    base = configuration("a", "b")
    joined, met = merged(base, configuration("a=ours", "b", "c"), configuration("a", "b=theirs"))
    assert names(joined) == ["a=ours", "b=theirs", "c=c"]
    assert met == ()


def test_where_both_changed_the_same_ours_stays_and_is_told() -> None:
    joined, met = merged(configuration("a"), configuration("a=ours"), configuration("a=theirs"))
    assert names(joined) == ["a=ours"]
    assert met == (Met("rules", "a"),)


def test_what_one_removed_is_gone_and_what_the_other_changed_of_it_is_told() -> None:
    base = configuration("a", "b")
    assert names(merged(base, configuration("a"), configuration("a", "b"))[0]) == ["a=a"]
    joined, met = merged(base, configuration("a"), configuration("a", "b=theirs"))
    assert (names(joined), met) == (["a=a"], (Met("rules", "b"),))


def test_the_order_is_of_who_changed_it() -> None:
    base = configuration("a", "b", "c")
    assert names(merged(base, configuration("c", "a", "b"), configuration("a", "b", "c", "d"))[0]) == [
        "c=c", "d=d", "a=a", "b=b",
    ]  # fmt: skip
    assert names(merged(base, base, configuration("b", "a", "c"))[0]) == ["b=b", "a=a", "c=c"]


def test_settings_that_are_no_list_follow_who_changed_them() -> None:
    base = configuration("a")
    ours = configuration("a", automatic_answers_per_day=1)
    assert merged(base, ours, configuration("a"))[0].automatic_answers_per_day == 1
    joined, met = merged(base, ours, configuration("a", automatic_answers_per_day=2))
    assert (joined.automatic_answers_per_day, met) == (1, (Met("automatic_answers_per_day"),))
