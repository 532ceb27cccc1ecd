"""What a company says about its Slack workspaces."""

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from connectors.slack.names import ID
from schemas.configuration import Name, Setting

PICTURE = "https://cdn.example.com/mia.png"
LONGEST_PICTURE = 1000
API_URL = "https://slack.com/api/"


def _is_picture(url: str) -> bool:
    """Everybody in the channel sees the address: no credentials are in it, and it is no name of the company's own network."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    is_public = "." in host and not host.replace(".", "").isdigit() and ":" not in host
    is_inside = host.endswith((".local", ".internal", ".localhost", ".lan", ".home.arpa"))
    is_plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= LONGEST_PICTURE
    return parts.scheme == "https" and is_public and not is_inside and is_plain and "@" not in parts.netloc


class SlackOAuth(Setting):
    """An app that workspaces install by its page, each with a token of its own that is renewed."""

    client_id: str = Field(min_length=1, max_length=100, description="Client ID under Basic Information")
    client_secret: SecretStr = Field(description="Client Secret under Basic Information")
    teams: tuple[str, ...] = Field(
        default=(),
        max_length=1000,
        description="ids of the workspaces (T…) and organizations (E…) that may install it",
    )
    anyone: bool = Field(
        default=False,
        description="any workspace or organization may install it; whoever does can write to you",
    )

    @field_validator("teams")
    @classmethod
    def _are_ids(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(_id, value))

    @model_validator(mode="after")
    def _is_for_somebody(self) -> "SlackOAuth":
        if not self.teams and not self.anyone:
            raise ValueError("name the workspaces that may install the app in teams, or set anyone: true")
        return self


def _id(value: str) -> str:
    if not ID.fullmatch(value):
        raise ValueError(f"{value!r} is no id of Slack; ids are capitals and digits, such as C0123ABCD")
    return value


class SlackAccount(Setting):
    """One app: in one workspace by a token, or in any number of them that install it (`oauth`)."""

    name: Name = Field(description="the account's name; Slack calls /hooks/slack/NAME")
    brand: Name = Field(default="default", description="the brand that its conversations belong to")
    team: str | None = Field(
        default=None,
        description="the workspace's id, such as T0123ABCD: Slack's web address has it after /client/",
    )
    bot_token: SecretStr | None = Field(
        default=None, description="xoxb-…, under OAuth & Permissions of the app; with `team`"
    )
    oauth: SlackOAuth | None = Field(
        default=None,
        description="instead of team and bot_token: workspaces install the app at /hooks/slack/NAME/install",
    )
    signing_secrets: tuple[SecretStr, ...] = Field(
        default=(),
        max_length=3,
        description="Signing Secret under Basic Information; two while you change it. Needed for the Events API",
    )
    app_token: SecretStr | None = Field(
        default=None,
        description="xapp-… with the scope connections:write: events come by Socket Mode; no public address is needed",
    )
    connections: int = Field(
        default=2,
        ge=1,
        le=10,
        description="Socket Mode connections, so that one is up while another is renewed",
    )
    channels: tuple[str, ...] = Field(
        default=(),
        description="ids of the channels in which customers write; empty: every channel that the app was invited to",
    )
    customers: Literal["everyone", "outsiders"] = Field(
        default="everyone",
        description="outsiders: who belongs to this workspace is a colleague, and what they write opens no case",
    )
    as_agent: bool = Field(
        default=False, description="answers bear the agent's name; needs the scope chat:write.customize"
    )
    pictures: dict[str, str] = Field(
        default_factory=dict,
        max_length=1000,
        description="user -> https address of a picture that stands at that agent's answers; with as_agent. Slack fetches it",
    )
    queue: Name | None = Field(default=None, description="hint for the routing")
    catch_up_hours: int = Field(
        default=24, ge=0, le=720, description="how far back channels are read after an outage; 0: not at all"
    )
    api_url: str = Field(default=API_URL, description="a proxy, a sandbox or a stand-in of the Web API")

    @field_validator("team", "channels")
    @classmethod
    def _are_ids(cls, value: str | tuple[str, ...] | None) -> str | tuple[str, ...] | None:
        return _id(value) if isinstance(value, str) else value and tuple(map(_id, value))

    @field_validator("pictures")
    @classmethod
    def _are_pictures(cls, value: dict[str, str]) -> dict[str, str]:
        for user, url in value.items():
            if not _is_picture(url):
                raise ValueError(
                    f"the picture of {user!r} must be at a public https:// address, such as {PICTURE}"
                )
        return value

    @field_validator("api_url")
    @classmethod
    def _is_address(cls, value: str) -> str:
        if urlsplit(value).scheme not in {"https", "http"} or not urlsplit(value).hostname:
            raise ValueError(f"{value!r} is no address; write it whole, such as {API_URL}")
        return value if value.endswith("/") else f"{value}/"

    @model_validator(mode="after")
    def _has_a_way_in(self) -> "SlackAccount":
        is_one = self.team is not None and self.bot_token is not None
        if is_one == (self.oauth is not None) or (self.team is None) != (self.bot_token is None):
            raise ValueError(
                f"Slack account {self.name!r}: set team and bot_token for one workspace, or oauth for many"
            )
        if not self.signing_secrets and self.app_token is None:
            raise ValueError(
                f"Slack account {self.name!r} has no way in: set signing_secrets (Events API) or app_token (Socket Mode)"
            )
        return self


class SlackSettings(Setting):
    accounts: tuple[SlackAccount, ...] = Field(default=(), max_length=200)

    @model_validator(mode="after")
    def _names_are_unique(self) -> "SlackSettings":
        names = [each.name for each in self.accounts]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two Slack accounts are named {', '.join(twice)}")
        return self
