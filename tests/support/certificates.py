"""An authority of the tests' own, and a server's certificate that it signed."""

from dataclasses import dataclass
from pathlib import Path

import trustme
from cryptography.hazmat.primitives import serialization


@dataclass(frozen=True)
class Certificates:
    """`server` holds certificate, chain and key; `authority` is whom to believe, `stranger` an authority that signed nothing."""

    server: Path
    authority: Path
    stranger: Path


def make_certificates(folder: Path, *hosts: str) -> Certificates:
    """For servers at these names or addresses."""
    made = Certificates(folder / "server.pem", folder / "authority.pem", folder / "stranger.pem")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(made.authority)
    trustme.CA().cert_pem.write_to_path(made.stranger)
    issued = authority.issue_cert(*hosts)
    made.server.touch(mode=0o600)
    chain = b"".join(each.bytes() for each in issued.cert_chain_pems)
    made.server.write_bytes(_pkcs8(issued.private_key_pem.bytes()) + chain)
    return made


def _pkcs8(pem: bytes) -> bytes:
    """Kafka reads no other form of a key."""
    key = serialization.load_pem_private_key(pem, None)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
