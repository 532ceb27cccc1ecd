"""One workspace (or organization, where that installed the app as a whole) that an account is in: its token, its names and files, what is sent there, what was missed there."""

from dataclasses import dataclass, field
from datetime import datetime

import structlog

from connectors.kit.channel import Surroundings
from connectors.kit.downloads import Downloads
from connectors.kit.items import Receiver
from connectors.slack.answers import ACCOUNT
from connectors.slack.catchup import CatchUp
from connectors.slack.deliver import Sender
from connectors.slack.enrich import Enricher
from connectors.slack.names import ORGANIZATION
from connectors.slack.parse.blocks import Json, objects, string
from connectors.slack.parse.events import SlackContext
from connectors.slack.people import People
from connectors.slack.scopes import NEEDED
from connectors.slack.settings import SlackAccount
from connectors.slack.web import FAILURES, SlackWeb, error_of
from schemas.errors import Outage

MOST_TEAMS = 10_000
log = structlog.get_logger("connectors.slack")


class WrongWorkspace(Exception):
    """The token is of another workspace than the settings say."""


class NoWorkspace(Exception):
    """An organization installed the app, and added it to none of its workspaces so far."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the workspaces of one account share."""

    settings: SlackAccount
    around: Surroundings
    downloads: Downloads
    receiver: Receiver


@dataclass
class Workspace:
    """`look_after` is called now and then, and says whether all is well."""

    parts: Parts
    team: str
    token: str = field(repr=False)
    title: str = ""
    is_only_one: bool = True
    """The account has no others."""
    is_caught_up: bool = False
    trouble: str = ""
    removed: str = ""
    lacks: str = ""
    """Scopes without which something does not work, in words."""

    def __post_init__(self) -> None:
        settings, around = self.parts.settings, self.parts.around
        self.web = SlackWeb(self.token, settings.api_url)
        self.context = SlackContext(
            team=self.team,
            queue=settings.queue,
            channels=frozenset(settings.channels),
            outsiders_only=settings.customers == "outsiders",
        )
        self.people = People(self.web, around.clock)
        self.enricher = Enricher(self.web, self.people, self.parts.downloads, self._was_removed)
        self.sender = Sender(settings, self.team, self.web, around.clock, around.fetch_blob)
        stream = "" if self.is_only_one else f":{self.team}"
        self.catch_up = CatchUp(
            self.web,
            self.parts.receiver,
            around.cursors,
            around.clock,
            self.team,
            settings.channels,
            settings.catch_up_hours,
            stream=stream,
            teams=self.context.teams if self.is_organization else None,
        )
        self._is_known = False

    @property
    def is_organization(self) -> bool:
        return self.team.startswith(ORGANIZATION)

    async def look_after(self, comes_through: bool) -> bool:
        """Learn who we are, then read what was missed, and say that nothing is. False where it is to be called again soon."""
        try:
            if not self._is_known:
                self.context.own_ids.update(await self._identity())
                self._is_known, self.removed = True, ""
            elif self.is_organization:  # workspaces come and go
                await self._learn_teams()
            if not self.is_caught_up:
                turn = await self.catch_up.run()
                self.is_caught_up = turn.is_over
                if turn.taken:
                    account = self.parts.settings.name
                    log.info("slack: read what was missed", account=account, messages=turn.taken)
            elif comes_through:
                await self.catch_up.mark()
        except (Outage, WrongWorkspace, NoWorkspace) as error:
            self.trouble = str(error)
            return False
        except FAILURES as error:
            self.trouble = f"Slack says {error_of(error)}"
            return False
        self.trouble = ""
        return True

    def fall_behind(self) -> None:
        """Events may have been missed just now."""
        self.is_caught_up = False
        self.catch_up.fell_behind()

    def read_again(self, since: datetime) -> None:
        self.is_caught_up = False
        self.catch_up.read_again(since)

    async def is_gone(self) -> bool:
        """Whether Slack does not know us any more. What tells of a removal may come late, when the app is back already."""
        try:
            self.context.own_ids.update(await self._identity())
        except FAILURES as error:
            return error_of(error) in ACCOUNT
        except WrongWorkspace:
            return True
        except NoWorkspace:
            self.removed = ""
            return False
        self._is_known, self.removed = True, ""
        return False

    async def close(self) -> None:
        await self.web.close()

    def _was_removed(self, reason: str) -> None:
        """It counts until Slack knows us again."""
        log.error("slack: the app was removed", account=self.parts.settings.name, team=self.team)
        self.removed, self._is_known = reason, False

    async def _learn_teams(self) -> set[str]:
        """Of an organization: its workspaces that added the app. https://docs.slack.dev/reference/methods/auth.teams.list"""
        found: set[str] = set()
        cursor: str | None = None
        while len(found) < MOST_TEAMS:
            answer = await self.web.ask("auth.teams.list", limit=200, cursor=cursor)
            found |= {string(each.get("id")) for each in objects(answer.get("teams"))} - {""}
            meta = answer.get("response_metadata")
            cursor = string(meta.get("next_cursor")) if isinstance(meta, dict) else ""
            if not cursor:
                break
        self.context.teams.clear()
        self.context.teams.update(found)
        return found

    async def _identity(self) -> set[str]:
        """App, bot and user ids of ours. https://docs.slack.dev/reference/methods/auth.test"""
        answer = await self.web.client.auth_test()
        who: Json = answer.data if isinstance(answer.data, dict) else {}
        granted = {each.strip() for each in str(answer.headers.get("x-oauth-scopes", "")).split(",")}
        missing = [each for each in NEEDED if granted != {""} and each not in granted]
        self.lacks = (
            f"it lacks {', '.join(missing)}; add the scopes and install the app again" if missing else ""
        )
        if self.team not in (string(who.get("team_id")), string(who.get("enterprise_id"))):
            raise WrongWorkspace(f"the token is of {who.get('team_id')}, and not of {self.team}")
        bot_id = string(who.get("bot_id"))
        ids = {string(who.get("user_id")), bot_id}
        if bot_id:
            team = min(await self._learn_teams(), default=None) if self.is_organization else None
            if self.is_organization and team is None:
                raise NoWorkspace(
                    "the app is in no workspace of the organization yet; add it to some in Slack"
                )
            bot = (await self.web.ask("bots.info", bot=bot_id, team_id=team)).get("bot")
            known: Json = bot if isinstance(bot, dict) else {}
            ids.add(string(known.get("app_id")))
        return ids - {""}
