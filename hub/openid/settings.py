"""What an operator says of a provider of single sign-on."""

from ipaddress import ip_network
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from schemas.accounts import Role
from schemas.configuration import Setting

QueueName = Annotated[str, Field(pattern=r"^(\*|[a-z0-9][a-z0-9_-]{0,62})$")]
Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]


class OpenIdProvider(Setting):
    """A provider of OpenID Connect with discovery, such as Keycloak, Entra ID, Okta, Authentik or Google."""

    title: str = Field(description="as the page to sign in calls it")
    issuer: str = Field(
        description="the provider's address, exactly as it calls itself; below it stands "
        "/.well-known/openid-configuration"
    )
    client_id: str = Field(description="as the provider knows this hub")
    client_secret: SecretStr | None = Field(
        default=None, description="none: a public client, held by PKCE alone"
    )
    client_authentication: Literal["basic", "post"] = Field(
        default="basic", description="how the secret is sent: in the header, or in the form"
    )
    scopes: tuple[str, ...] = Field(default=("openid", "profile", "email"), description="what is asked for")
    algorithms: tuple[Algorithm, ...] = Field(
        default=("RS256", "PS256", "ES256"), min_length=1, description="signatures that are taken"
    )
    private_networks: tuple[str, ...] = Field(
        default=(),
        description="private networks in which the provider may be, such as 10.1.0.0/16; with one, http:// is taken too",
    )
    name_claim: str = Field(default="preferred_username", description="the claim that a new user is named by")
    roles_claim: str = Field(
        default="groups", description="the claim that `roles` looks at; dots lead inwards: realm_access.roles"
    )
    roles: dict[str, dict[QueueName, Role]] = Field(
        default_factory=dict,
        description="value of the claim -> queue (or *) -> role. Where it is given, roles are set by it with each sign-in, "
        "and who has none of the values does not come in; empty: roles are given here, by hand",
    )
    create_users: bool = Field(
        default=True,
        description="who comes for the first time becomes a user; false: only who is linked already",
    )
    link_by_mail: bool = Field(
        default=False,
        description="who comes for the first time becomes the user with the same address, if the provider verified it. "
        "Only where nobody can choose an address there",
    )

    @field_validator("private_networks")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for each in value:
            ip_network(each, strict=False)
        return value

    @model_validator(mode="after")
    def _address(self) -> Self:
        parts = urlsplit(self.issuer)
        schemes = {"https", "http"} if self.private_networks else {"https"}
        if parts.scheme not in schemes or not parts.hostname or parts.query or parts.fragment:
            raise ValueError(
                "issuer must be an https:// address without query (http:// with private_networks)"
            )
        if "openid" not in self.scopes:
            raise ValueError("scopes must hold openid")
        return self
