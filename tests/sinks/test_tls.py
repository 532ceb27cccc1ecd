"""The files that TLS is made of: used where they are right, named where they are not."""

import ssl
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from pydantic import SecretStr, ValidationError

from schemas.errors import Invalid
from sinks.tls import TlsSettings, client_context
from tests.support.certificates import Certificates, make_certificates

PASSWORD = "key-secret"


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return make_certificates(tmp_path, "one")


def locked_key(folder: Path) -> tuple[Path, Path]:
    """A certificate, and its key behind a password."""
    issued = trustme.CA().issue_cert("hubbub")
    certificate, key = folder / "own.pem", folder / "own.key"
    certificate.write_bytes(b"".join(each.bytes() for each in issued.cert_chain_pems))
    opened = serialization.load_pem_private_key(issued.private_key_pem.bytes(), None)
    locked = serialization.BestAvailableEncryption(PASSWORD.encode())
    key.write_bytes(
        opened.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)
    )
    return certificate, key


def test_the_server_and_its_name_are_always_checked(certificates: Certificates) -> None:
    for settings in (TlsSettings(), TlsSettings(certificate_authorities=certificates.authority)):
        context = client_context(settings, "kafka.tls")
        assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
        assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_a_key_behind_a_password_is_opened_with_it_alone(tmp_path: Path) -> None:
    certificate, key = locked_key(tmp_path)
    client_context(
        TlsSettings(certificate=certificate, key=key, key_password=SecretStr(PASSWORD)), "kafka.tls"
    )
    for password in (None, SecretStr("wrong")):
        with pytest.raises(Invalid, match=r"kafka.tls.certificate: .* cannot be used") as refused:
            client_context(TlsSettings(certificate=certificate, key=key, key_password=password), "kafka.tls")
        assert PASSWORD not in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"no certificate", None])
def test_a_file_that_is_no_use_is_named_with_its_setting(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "authority.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Invalid, match=r"mongodb.tls.certificate_authorities: .*authority.pem cannot be used"):
        client_context(TlsSettings(certificate_authorities=path), "mongodb.tls")


def test_certificate_and_key_go_together(certificates: Certificates) -> None:
    with pytest.raises(ValidationError, match="go together"):
        TlsSettings(certificate=certificates.server)
