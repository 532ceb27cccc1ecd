"""docs/ is made from the code, and event types stay readable: each kind of breaking change is found."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import jsonschema_rs
import pytest
from click.testing import CliRunner
from pydantic import BaseModel, Field, create_model

from hub.docs.__main__ import main
from hub.docs.compatibility import breaking_changes
from hub.docs.events import event_schema
from hub.docs.operations import errors_page, metrics_page
from hub.docs.published import Published, incompatibilities, schema_of, with_current
from hub.docs.settings import settings_json_schema, settings_page
from hub.observe import Metric
from hub.settings import HubSettings
from schemas.events import EVENT_TYPES, Payload
from schemas.topics import Topic

Change = Callable[[dict[str, Any]], object]


class Inner(BaseModel):
    name: str = Field(max_length=10)
    below: "Inner | None" = None


class Said(BaseModel):
    text: str
    count: int = Field(default=0, ge=1, le=9)
    kind: Literal["a", "b"] = "a"
    maybe: str | None = None
    inner: Inner | None = None
    several: tuple[Inner, ...] = ()
    free: dict[str, int] = {}
    pair: tuple[int, str] = (1, "")


BEFORE = Said.model_json_schema()


def after(change: Change) -> list[str]:
    new = copy.deepcopy(BEFORE)
    change(new)
    return breaking_changes(BEFORE, new)


def inner(schema: dict[str, Any]) -> Any:
    return schema["$defs"]["Inner"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda new: new["properties"].pop("text"), "data.text: is gone"),
        (lambda new: new["properties"].update(words=new["properties"].pop("text")), "data.text: is gone"),
        (lambda new: new["required"].append("count"), "data.count: is required now"),
        (
            lambda new: (new["properties"].update(more={"type": "string"}), new["required"].append("more")),
            "data.more: is required now",
        ),
        (lambda new: new["properties"].update(text={"type": "integer"}), "data.text: is integer now and was string"),
        (lambda new: new["properties"].update(text={"const": "x"}), "data.text: is one of 'x' now and was free"),
        (lambda new: new["properties"]["kind"].update(enum=["a"]), "data.kind: 'b' is no longer allowed"),
        (lambda new: new["properties"]["count"].update(minimum=2), "data.count: minimum is 2 now and was 1"),
        (lambda new: new["properties"]["count"].update(maximum=8), "data.count: maximum is 8 now and was 9"),
        (lambda new: new["properties"]["text"].update(maxLength=5), "data.text: maxLength is 5 now and was not there"),
        (lambda new: new["properties"]["text"].update(pattern="^a"), "data.text: pattern is ^a now"),
        (lambda new: new["properties"]["text"].update(format="uuid"), "data.text: format is uuid now"),
        (lambda new: new["properties"]["maybe"].pop("anyOf"), ""),
        (lambda new: new["properties"].update(maybe={"type": "string"}), "data.maybe: is string now and was null"),
        (lambda new: new["properties"].update(several={"type": "array", "items": {"type": "string"}}), "data.several[]"),
        (lambda new: inner(new)["properties"]["name"].update(maxLength=9), "name: maxLength is 9 now and was 10"),
        (lambda new: inner(new)["properties"].pop("below"), "below: is gone"),
        (
            lambda new: new["properties"]["free"].update(additionalProperties={"type": "string"}),
            "data.free.*: is string now and was integer",
        ),
        (lambda new: new["properties"]["free"].update(additionalProperties=False), "further keys are no longer allowed"),
        (lambda new: new["properties"]["pair"]["prefixItems"].pop(), "data.pair: has 1 places instead of 2"),
        (
            lambda new: new["properties"]["pair"]["prefixItems"].reverse(),
            "data.pair[0]: is string now and was integer",
        ),
    ],
)  # fmt: skip
def test_each_breaking_change_is_found(change: Change, told: str) -> None:
    found = after(change)
    if told:
        assert told in " ".join(found)
    else:
        assert found == []


@pytest.mark.parametrize(
    "change",
    [
        lambda new: None,
        lambda new: new["properties"].update(more={"type": "string", "default": ""}),
        lambda new: new["properties"]["kind"].update(enum=["a", "b", "c"]),
        lambda new: new["properties"]["count"].update(minimum=0, maximum=10, type="number"),
        lambda new: new["properties"].update(text={"anyOf": [{"type": "integer"}, {"type": "string"}]}),
        lambda new: new["required"].remove("text"),
        lambda new: inner(new)["properties"]["name"].pop("maxLength"),
        lambda new: new["properties"]["text"].update(description="said better"),
    ],
)
def test_what_only_widens_breaks_nothing(change: Change) -> None:
    assert after(change) == []


def payload(version: int = 1, **fields: Any) -> type[Payload]:
    made = create_model("Thing", __base__=Payload, **fields)
    made.type = "test.thing"
    made.topic = Topic.CASES
    made.version = version
    return made


def published(*types: type[Payload]) -> Published:
    record: Published = {}
    for each in types:
        record = with_current(record, {each.type: each})
    return record


def test_a_breaking_change_needs_a_new_version() -> None:
    before = published(payload(text=(str, ...)))
    changed = payload(words=(str, ...))
    assert incompatibilities(before, {"test.thing": changed}) == [
        "test.thing: data.text: is gone; keep it, or raise `version` to 2",
        "test.thing: data.words: is required now; keep it, or raise `version` to 2",
    ]
    assert incompatibilities(before, {"test.thing": payload(2, words=(str, ...))}) == []


def test_older_versions_stay_on_record_and_a_version_never_falls() -> None:
    first, second = payload(text=(str, ...)), payload(2, words=(str, ...))
    record = published(first, second)
    assert sorted(record["test.thing"]) == ["1", "2"]
    assert "below 2" in incompatibilities(record, {"test.thing": first})[0]


def test_an_event_type_that_is_gone_is_found() -> None:
    assert "is gone" in incompatibilities(published(payload()), {})[0]


def test_an_addition_is_protected_from_then_on() -> None:
    record = published(payload(text=(str, "")), payload(text=(str, ""), more=(str, "")))
    assert "data.more: is gone" in incompatibilities(record, {"test.thing": payload(text=(str, ""))})[0]


def test_no_event_type_breaks_what_was_published_of_it() -> None:
    root = Path(__file__).parents[2] / "docs" / "events" / "published.json"
    assert incompatibilities(json.loads(root.read_text(encoding="utf-8"))) == []


def test_writing_twice_changes_nothing_and_check_finds_what_is_stale(tmp_path: Path) -> None:
    run = CliRunner().invoke
    assert run(main, ["--root", str(tmp_path)]).exit_code == 0
    assert run(main, ["--root", str(tmp_path)]).output == ""
    assert run(main, ["--root", str(tmp_path), "--check"]).exit_code == 0
    (tmp_path / "reference" / "cli.md").write_text("old", encoding="utf-8")
    (tmp_path / "events" / "hubbub.gone.json").write_text("{}", encoding="utf-8")
    checked = run(main, ["--root", str(tmp_path), "--check"])
    assert checked.exit_code == 1
    assert "docs/reference/cli.md is stale" in checked.output
    assert "hubbub.gone.json is of no event type" in checked.output


def test_a_breaking_change_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    record = published(payload(text=(str, ...)))
    (tmp_path / "events").mkdir()
    (tmp_path / "events" / "published.json").write_text(json.dumps(record), encoding="utf-8")
    refused = CliRunner().invoke(main, ["--root", str(tmp_path)])
    assert refused.exit_code == 1
    assert "breaking: test.thing" in refused.output
    assert not (tmp_path / "reference").exists()


@pytest.mark.parametrize("name", sorted(EVENT_TYPES))
def test_every_event_has_a_valid_schema_with_its_context(name: str) -> None:
    schema = event_schema(EVENT_TYPES[name])
    jsonschema_rs.meta.validate(schema)
    assert schema["properties"]["type"] == {"const": name}


def test_the_settings_page_names_every_setting_and_the_schema_takes_the_example() -> None:
    from yaml import safe_load

    from hub.cli.init import written

    schema = settings_json_schema()
    jsonschema_rs.meta.validate(schema)
    example = safe_load(written())
    for automation in example["automations"]:
        assert "event" in automation
    jsonschema_rs.validator_for(schema).validate(json.loads(json.dumps(example, default=str)))
    text = settings_page()
    assert all(f"`{name}`" in text for name in HubSettings.model_fields)
    assert "`email.relay.password`" in text


def test_the_metrics_and_errors_pages_name_all_of_them() -> None:
    assert all(f"`{name}`" in metrics_page() for name in Metric)
    assert all(f"`{name}`" in errors_page() for name in ("Outage", "Undecodable", "Stale"))


def test_a_schema_of_the_code_is_compatible_with_itself() -> None:
    assert len(EVENT_TYPES) > 40
    assert {
        name: breaking_changes(schema_of(each), schema_of(each)) for name, each in EVENT_TYPES.items()
    } == {name: [] for name in EVENT_TYPES}
