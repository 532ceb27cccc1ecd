"""A configuration is written to the log as it is read from a file."""

from schemas.conditions import Not
from schemas.configuration import Rule


def test_not_is_written_as_it_is_read() -> None:
    rule = Rule.model_validate(
        {"name": "a", "when": {"not": {"field": "subject", "operator": "is", "value": "x"}}, "queue": "inbox"}
    )
    assert isinstance(rule.when, Not)
    assert Rule.model_validate_json(rule.model_dump_json()) == rule
    assert "not_" not in rule.model_dump_json()
