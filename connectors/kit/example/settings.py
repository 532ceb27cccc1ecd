"""Settings of the channel."""

from pydantic import Field, SecretStr

from schemas.configuration import Name, Setting

API_URL = "https://api.example.com"


class ExampleAccount(Setting):
    name: Name = Field(description="name of the account, as rules and cases show it; it never changes")
    brand: Name = Field(default="default", description="brand of all that comes in here")
    queue: Name | None = Field(default=None, description="queue to prefer where no routing rule decides")
    signing_secrets: tuple[SecretStr, ...] = Field(
        min_length=1, max_length=5, description="secrets of the webhook; several during a rotation"
    )
    token: SecretStr = Field(description="credential for sending")
    api_url: str = Field(
        default=API_URL, description="a proxy, a sandbox or a stand-in instead of the vendor"
    )


class ExampleSettings(Setting):
    """The channel's section."""

    accounts: tuple[ExampleAccount, ...] = Field(min_length=1, description="accounts of ours")
