"""What `hubbub check` says of how Kafka and MongoDB are reached."""

from pathlib import Path

import pytest

from hub.loading import look
from tests.support.certificates import make_certificates

SERVERS = "log: kafka://one:9092\nstore: mongodb://one/hubbub\n"


def problems(folder: Path, text: str) -> str:
    path = folder / "hubbub.yaml"
    path.write_text(SERVERS + text)
    return " | ".join(map(str, look(path, {"SECRET": "top-secret"}).problems))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("kafka: {user: hubbub}", "user and password go together"),
        ("kafka: {password: '${env:SECRET}'}", "user and password go together"),
        (
            "kafka: {user: a, password: '${env:SECRET}', mechanism: PLAIN}",
            "PLAIN sends the password as it is",
        ),
        ("kafka: {user: a, password: x, mechanism: GSSAPI}", "kafka.mechanism"),
        ("kafka: {tls: {certificate: x}}", "certificate and key go together"),
        (
            "kafka: {tls: {certificate_authorities: nowhere.pem}}",
            "kafka.tls.certificate_authorities: there is no file",
        ),
        ("kafka: {tls: {certificate_authorities: hubbub.yaml}}", "cannot be used"),
        ("mongodb: {tls: {certificate: a.pem, key: b.pem}}", "from one file"),
        ("mongodb: {tls: {certificate_authorities: nowhere.pem}}", "there is no file"),
        ("mongodb: {user: hubbub}", "user and password go together"),
    ],
)
def test_what_cannot_be_used_is_told(tmp_path: Path, text: str, expected: str) -> None:
    told = problems(tmp_path, text)
    assert expected in told
    assert "top-secret" not in told


def test_a_password_in_the_address_of_the_log_is_refused_and_not_repeated(tmp_path: Path) -> None:
    path = tmp_path / "hubbub.yaml"
    path.write_text("log: kafka://hubbub:top-secret@one:9092\nstore: mongodb://one/hubbub\n")
    told = " | ".join(map(str, look(path, {}).problems))
    assert "set kafka.user and kafka.password" in told
    assert "top-secret" not in told


def test_access_to_servers_that_are_not_named_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "hubbub.yaml"
    path.write_text("kafka: {tls: {}}\n")
    told = " | ".join(map(str, look(path, {}).problems))
    assert "kafka: means nothing while `log` names no server" in told


def test_files_are_named_relative_to_the_settings(tmp_path: Path) -> None:
    make_certificates(tmp_path, "one")
    text = (
        "kafka: {tls: {certificate_authorities: authority.pem}, user: hubbub, password: '${env:SECRET}'}\n"
        "mongodb: {tls: {certificate_authorities: authority.pem, certificate: server.pem, key: server.pem}}"
    )
    assert problems(tmp_path, text) == ""
