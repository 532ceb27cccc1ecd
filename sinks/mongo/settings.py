"""How the hub shows MongoDB who it is, and checks who MongoDB is."""

from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator

from schemas.configuration import Setting
from sinks.tls import TlsSettings


class MongoSettings(Setting):
    """How to reach the server that `store` names. What is set here stands over the options of the address."""

    tls: TlsSettings | None = Field(
        default=None,
        description="TLS with the server; `{}` believes the system's authorities, none: as the address says",
    )
    user: str | None = Field(
        default=None, min_length=1, max_length=255, description="user of the hub; none: as the address says"
    )
    password: SecretStr | None = Field(default=None, description="password of `user`")
    mechanism: Literal["SCRAM-SHA-256", "SCRAM-SHA-1"] = Field(
        default="SCRAM-SHA-256", description="how the password of `user` is shown"
    )
    authentication_database: str = Field(
        default="admin", min_length=1, max_length=63, description="the database in which `user` was made"
    )

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password go together: set both or neither")
        if self.tls is not None and self.tls.certificate != self.tls.key:
            raise ValueError(
                "tls: the driver reads certificate and key from one file: put both in it, and name it twice"
            )
        return self
