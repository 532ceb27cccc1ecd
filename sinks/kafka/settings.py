"""How the hub shows Kafka who it is, and checks who Kafka is."""

from enum import StrEnum
from typing import Self

from pydantic import Field, SecretStr, model_validator

from schemas.configuration import Setting
from sinks.tls import TlsSettings


class Mechanism(StrEnum):
    """SASL mechanisms (Kafka's `sasl.enabled.mechanisms`)."""

    PLAIN = "PLAIN"
    SCRAM_SHA_256 = "SCRAM-SHA-256"
    SCRAM_SHA_512 = "SCRAM-SHA-512"


class KafkaSettings(Setting):
    """How to reach the brokers that `log` names. Nothing set: without encryption and without a user."""

    tls: TlsSettings | None = Field(
        default=None,
        description="TLS with the brokers (listeners SSL and SASL_SSL); `{}` believes the system's authorities, "
        "none: not encrypted",
    )
    user: str | None = Field(
        default=None,
        min_length=1,
        max_length=255,
        description="user of the hub on the brokers; none: no SASL",
    )
    password: SecretStr | None = Field(default=None, description="password of `user`")
    mechanism: Mechanism = Field(
        default=Mechanism.SCRAM_SHA_512, description="how the password is shown; PLAIN only with `tls`"
    )

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password go together: set both or neither")
        if self.user is not None and self.mechanism is Mechanism.PLAIN and self.tls is None:
            raise ValueError("PLAIN sends the password as it is: set tls, or take SCRAM-SHA-512")
        return self

    @property
    def protocol(self) -> str:
        """Kafka's `security.protocol`."""
        if self.user is None:
            return "PLAINTEXT" if self.tls is None else "SSL"
        return "SASL_PLAINTEXT" if self.tls is None else "SASL_SSL"
