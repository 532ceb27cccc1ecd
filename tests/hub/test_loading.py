"""hubbub.yaml: everything that is wrong is told at once, each with its line and what to change."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from pydantic import SecretStr

from hub.loading import Located, SettingsInvalid, load_settings, look
from hub.loading.reading import DEPTH_AT_MOST

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str) -> Path:
        path = tmp_path / "hubbub.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def problems(path: Path, environment: Mapping[str, str] | None = None) -> list[Located]:
    return list(look(path, environment or {}).problems)


def told(path: Path, environment: Mapping[str, str] | None = None) -> list[str]:
    return [f"{each.line} {each.path}: {each.message}" for each in problems(path, environment)]


def test_an_empty_file_is_the_defaults(write: Write, tmp_path: Path) -> None:
    settings = load_settings(write("# nothing\n"), {})
    assert settings.console.port == 8025
    assert settings.data == tmp_path / "data"


def test_every_problem_is_told_at_once_with_its_line(write: Write) -> None:
    path = write(
        """\
brands:
  - {name: acme, title: Acme}
queues:
  - name: support
    titel: Support
    brand: acmee
  - {name: Billing Q, title: Billing}
default_queue: suport
consoel: {}
rules:
  - name: first
    when: {field: subjct, operator: contians, value: x}
    queue: supprt
email:
  accounts:
    - {name: a, address: nope, brand: acme}
    - {name: b, address: b@example.com, brand: nix, reply_token: maybe}
"""
    )
    assert told(path) == [
        "5 queues[0].titel: is not a setting; did you mean 'title'?",
        "6 queues[0].brand: there is no brand 'acmee'; did you mean 'acme'?",
        "7 queues[1].name: 'Billing Q' cannot be used: use lower-case letters, digits, '-' and '_', at most 63, "
        "the first a letter or digit",
        "8 default_queue: there is no queue 'suport'; did you mean 'support'?",
        "9 consoel: is not a setting; did you mean 'console'?",
        "12 rules[0].when.field: there is no field 'subjct'; did you mean 'subject'?",
        "12 rules[0].when.operator: must be 'is', 'is_not', 'contains', 'starts_with', 'ends_with', 'matches', 'in', "
        "'has_any', 'has_all', 'at_least', 'at_most' or 'exists'; did you mean 'contains'?",
        "13 rules[0].queue: there is no queue 'supprt'; did you mean 'support'?",
        "16 email.accounts[0].address: 'nope' is not a mail address; write it as name@example.com",
        "17 email.accounts[1].brand: there is no brand 'nix'; there are acme",
        "17 email.accounts[1].reply_token: must be true or false",
    ]


def test_what_only_follows_from_another_problem_is_not_told(write: Write) -> None:
    path = write(
        """\
queues:
  - {name: inbox, title: 12}
email:
  accounts:
    - {name: a, address: nope}
"""
    )
    assert [each.path for each in problems(path)] == ["queues[0].title", "email.accounts[0].address"]


def test_a_problem_after_an_item_that_was_taken_out_keeps_its_index_and_line(write: Write) -> None:
    path = write("queues:\n  - {name: BAD, title: x}\n  - {name: inbox, title: x, hours: never}\n")
    assert told(path)[1] == "3 queues[1].hours: there is no calendar of business hours 'never'"


def test_a_key_that_stands_twice_is_a_problem(write: Write) -> None:
    path = write("console:\n  port: 1\n  port: 2\n")
    assert told(path) == ["3 console.port: stands twice, first in line 2; remove one"]


def test_no_and_on_and_times_are_text(write: Write) -> None:
    path = write(
        """\
hours:
  - {name: day, periods: [{days: [mon], opens: 08:30, closes: 18:30}]}
templates:
  - {name: hello, text: {default: Hello, no: Hei, on: x}}
"""
    )
    settings = load_settings(path, {})
    assert settings.hours[0].periods[0].closes == "18:30"
    assert settings.templates[0].text["no"] == "Hei"


def test_a_number_where_text_belongs_is_told_to_be_quoted(write: Write) -> None:
    assert told(write("brands: [{name: default, title: 2026}]\n")) == [
        "1 brands[0].title: must be text; put it in quotes"
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1, 2\nb: 3\n", "is not YAML"),
        ("console:\n\tport: 1\n", "indent with spaces"),
        ("- a\n- b\n", "must hold keys with values"),
        ("a: \x01\n", "a control character"),
        ("a: !!python/object:os.system x\n", "means nothing here"),
        ("a: !thing x\n", "means nothing here"),
        ("? [a, b]\n: c\n", "a key must be a word"),
        ("a: *nobody\n", "is not YAML"),
        ("---\na: 1\n---\nb: 2\n", "is not YAML"),
    ],
)
def test_what_is_no_settings_file_is_one_problem_with_a_line(write: Write, text: str, message: str) -> None:
    found = problems(write(text))
    assert message in " ".join(each.message for each in found)
    assert found[0].line >= 1


def test_a_file_that_grows_by_its_aliases_is_refused_in_bounded_time(write: Write) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert "aliases" in problems(write("\n".join(lines)))[-1].message


def test_an_alias_of_itself_is_refused(write: Write) -> None:
    assert "aliases" in problems(write("a: &a [*a]\n"))[-1].message


def test_deep_nesting_is_refused_before_anything_recurses(write: Write) -> None:
    assert f"deeper than {DEPTH_AT_MOST}" in problems(write("a: " + "[" * 50_000))[0].message


def test_a_large_file_is_refused(write: Write) -> None:
    assert "larger than" in problems(write("# " + "x" * 3_000_000))[0].message


def test_a_file_that_is_not_there_says_what_writes_one(tmp_path: Path) -> None:
    assert "hubbub init" in problems(tmp_path / "hubbub.yaml")[0].message


def test_what_is_not_utf_8_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "hubbub.yaml"
    path.write_bytes(b"a: 1\nb: \xff\n")
    assert [(each.line, each.message) for each in problems(path)] == [(2, "is not UTF-8; save it as UTF-8")]


RELAY = """\
email:
  accounts: [{{name: a, address: a@example.com}}]
  relay: {{host: smtp.example.com, username: hubbub, password: "{password}"}}
"""


def test_secrets_come_from_the_environment_and_from_files(write: Write, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("of a file\n", encoding="utf-8")
    for password, expected in (("${env:SMTP}", "of the environment"), ("${file:password}", "of a file")):
        settings = load_settings(write(RELAY.format(password=password)), {"SMTP": "of the environment"})
        assert settings.email and settings.email.relay
        assert settings.email.relay.password == SecretStr(expected)


def test_what_is_put_in_is_text_and_no_further_reference(write: Write) -> None:
    settings = load_settings(
        write("brands: [{name: default, title: '${env:A} $${env:B}'}]\n"), {"A": "${env:B}: [x]", "B": "no"}
    )
    assert settings.brands[0].title == "${env:B}: [x] ${env:B}"


def test_a_reference_to_what_is_not_there_is_told_with_its_line_and_nothing_else(write: Write) -> None:
    assert told(write(RELAY.format(password="${env:SMTP_PASWORD}")), {"SMTP_PASSWORD": "x"}) == [
        "3 email.relay.password: the environment variable SMTP_PASWORD is not set; did you mean 'SMTP_PASSWORD'?"
    ]
    assert "cannot be read: No such file" in told(write(RELAY.format(password="${file:absent}")))[0]
    assert "is not whole" in told(write(RELAY.format(password="${env:}")))[0]


def test_secrets_are_never_told(write: Write) -> None:
    path = write(
        """\
webhook_secrets: {crm: hunter2hunter2}
email:
  accounts: [{name: a, address: "${env:SECRET}"}]
  relay: {host: x, password: [hunter2hunter2]}
metrics_token: {hunter2hunter2: 1}
"""
    )
    looked = look(path, {"SECRET": "hunter2hunter2"})
    assert len(looked.problems) >= 4
    said = " ".join(each.message for each in looked.problems) + repr(looked.settings)
    assert "hunter2" not in said


def test_the_environment_stands_over_the_file(write: Write) -> None:
    path = write(
        "console: {port: 1}\nemail:\n  accounts: [{name: a, address: a@example.com}]\n  smtp_in: {port: 25}\n"
    )
    environment = {
        "HUBBUB_CONSOLE__PORT": "9000",
        "HUBBUB_LOGGING__LEVEL": "debug",
        "HUBBUB_EMAIL__SMTP_IN": "null",
        "HUBBUB_EMAIL__ACCOUNTS__0__ADDRESS": "b@example.com",
        "HUBBUB_CONSOLE__TRUSTED_PROXIES": "[10.0.0.0/8]",
        "HUBBUB_SEED": "1",
        "HUBBUB_CONFIG": "x",
    }
    settings = load_settings(path, environment)
    assert (settings.console.port, settings.logging.level) == (9000, "debug")
    assert settings.console.trusted_proxies == ("10.0.0.0/8",)
    assert settings.email and settings.email.smtp_in is None
    assert settings.email.accounts[0].address == "b@example.com"


@pytest.mark.parametrize(
    ("variable", "message"),
    [
        ("HUBBUB_CONSOLE__PRT", "did you mean HUBBUB_CONSOLE__PORT?"),
        ("HUBBUB_CONSLE__PORT", "did you mean HUBBUB_CONSOLE__PORT?"),
        ("HUBBUB_CONSLE", "did you mean HUBBUB_CONSOLE?"),
        ("HUBBUB_EMAIL__XYZ__LIKE", "may stand"),
    ],
)
def test_a_variable_that_names_no_setting_is_told_with_the_nearest(
    write: Write, variable: str, message: str
) -> None:
    found = problems(write(""), {variable: "1"})
    assert [each.file for each in found] == [variable]
    assert message in found[0].message


def test_a_wrong_value_of_a_variable_names_the_variable(write: Write) -> None:
    found = problems(write(""), {"HUBBUB_CONSOLE__PORT": "many"})
    assert [(each.file, each.path, each.message) for each in found] == [
        ("HUBBUB_CONSOLE__PORT", "console.port", "must be a whole number")
    ]


def test_a_variable_has_no_line_of_the_file_that_it_stands_over(write: Write) -> None:
    (found,) = problems(write("console: {port: 9000}\n"), {"HUBBUB_CONSOLE__PORT": "many"})
    assert str(found) == "HUBBUB_CONSOLE__PORT: console.port: must be a whole number"


def test_a_webhook_reaches_a_private_network_that_is_named(write: Write) -> None:
    path = write(
        "webhooks: [{name: crm, url: 'http://10.1.2.3/'}]\nwebhook_private_networks: [10.1.0.1/16]\n"
    )
    assert not any("public internet" in each.message for each in problems(path))


def test_paths_are_relative_to_the_file(write: Write, tmp_path: Path) -> None:
    settings = load_settings(write("data: ../elsewhere\n"), {})
    assert settings.data == tmp_path / ".." / "elsewhere"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("webhooks: [{name: crm, url: https://crm.example.com}]", "webhooks[0]: 'crm' has no secret"),
        (
            "webhook_secrets: {crm: whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAA}",
            "webhook_secrets.crm: there is no webhook",
        ),
        (
            "webform: {forms: [{name: f, title: F, brand: nix, fields: [{name: a, label: A}]}]}",
            "no brand 'nix'",
        ),
        (
            "webform: {forms: [{name: f, title: F, queue: nix, fields: [{name: a, label: A}]}]}",
            "webform.forms[0].queue: there is no queue 'nix'",
        ),
        ("log: kafka://one:9092", "store: must be set too where log is set"),
        ("store: mongodb://one/hubbub", "log: must be set too where store is set"),
        (
            "log: kafka://one\nstore: mongodb://one/hubbub",
            "log: 'kafka://one' is not the address of a Kafka log",
        ),
        ("log: kafka://one:9092\nstore: mongodb://one/", "store: must be an address with a database"),
        ("console: {port: 8026}", "intake.port: 8026 is the port of console.port already"),
        ("console: {public_url: desk.example.com}", "must be scheme and host only"),
        ("console: {trusted_proxies: [everybody]}", "is no address or network"),
        (
            "webhooks: [{name: crm, url: 'http://localhost:9/'}]",
            "webhooks[0].url: localhost is not on the public internet; add its network to webhook_private_networks",
        ),
        ("webhooks: [{name: crm, url: 'https://[fd00::1]/x'}]", "fd00::1 is not on the public internet"),
        ("webhook_private_networks: [inside]", "is no address or network"),
        (
            "templates: [{name: t, text: {default: x}}]\n"
            "automations: [{name: a, event: opened, actions: [{action: answer, template: t}]}]",
            "automations[0].actions[0]: sends mail, which needs email with a relay",
        ),
        (
            "email: {accounts: [{name: a, address: a@example.com}], smtp_in: {tls_certificate: x, tls_key: y}}",
            "email.smtp_in.tls_certificate: there is no file",
        ),
    ],
)
def test_what_does_not_fit_together_is_told(write: Write, text: str, expected: str) -> None:
    assert expected in " | ".join(map(str, problems(write(text + "\n"))))


def test_settings_with_problems_are_not_loaded(write: Write) -> None:
    with pytest.raises(SettingsInvalid, match="did you mean 'console'") as error:
        load_settings(write("consol: {}\n"), {})
    assert len(error.value.problems) == 1
