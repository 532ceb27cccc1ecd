"""What a company says about its accounts on X."""

from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from schemas.configuration import Name, Setting

API_URL = "https://api.x.com"
PRIVATE = "-dm"


class XAccount(Setting):
    """One account on X, by an app of its own. Its direct messages are the account NAME-dm: private and public stay apart."""

    name: Name = Field(max_length=55, description="webhooks of X call /hooks/x/NAME")
    brand: Name = "default"
    user_id: str = Field(pattern=r"^\d{1,20}$", description="the account's numeric id")
    consumer_key: str = Field(
        min_length=1, max_length=200, description="API Key, under Keys and tokens of the app"
    )
    consumer_secrets: tuple[SecretStr, ...] = Field(
        min_length=1,
        max_length=2,
        description="API Key Secret; the first signs, both are recognised while you change it",
    )
    access_token: str = Field(
        min_length=1,
        max_length=200,
        description="of the account, with permission to read, write and send direct messages",
    )
    access_token_secret: SecretStr
    mentions: bool = Field(
        default=True, description="mentions, replies and quotes that mention the account open cases"
    )
    direct_messages: bool = True
    poll_seconds: float = Field(
        default=90,
        ge=1,
        le=3600,
        description="how often X is asked; each look costs what it finds. 0 is not possible",
    )
    webhook: bool = Field(default=False, description="X also tells by webhook (Account Activity), at once")
    reads_a_month: int | None = Field(
        default=None, ge=1, description="posts and messages read at most; they cost money. None: no limit"
    )
    checks_a_month: int = Field(
        default=1000,
        ge=0,
        le=1_000_000,
        description="kept posts that are looked up again at most, each a read: what X shows no more is withheld here too. 0: none",
    )
    check_days: int = Field(
        default=30, ge=1, le=3650, description="posts older than that are not looked up again"
    )
    posts_a_month: int | None = Field(default=None, ge=1, description="posts and messages sent at most")
    longest: int = Field(
        default=280, ge=280, le=25_000, description="weighted length of one post; more with X Premium"
    )
    queue: Name | None = Field(default=None, description="hint for the routing")
    api_url: str = Field(default=API_URL, description="a proxy or a stand-in")

    @field_validator("api_url")
    @classmethod
    def _is_address(cls, value: str) -> str:
        if urlsplit(value).scheme not in {"https", "http"} or not urlsplit(value).hostname:
            raise ValueError(f"{value!r} is no address; write it whole, such as {API_URL}")
        return value.rstrip("/")

    @property
    def private_name(self) -> str:
        return f"{self.name}{PRIVATE}"


class XSettings(Setting):
    accounts: tuple[XAccount, ...] = Field(default=(), max_length=100)

    @model_validator(mode="after")
    def _names_are_unique(self) -> "XSettings":
        names = [name for each in self.accounts for name in (each.name, each.private_name)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(
                f"two X accounts are named {', '.join(twice)} (NAME-dm is the direct messages of NAME)"
            )
        return self
