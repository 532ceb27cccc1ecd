"""Names of Slack's users, asked once and remembered for a while. A name that cannot be had is none, and holds nothing up."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from connectors.slack.parse.blocks import Json, string
from connectors.slack.web import FAILURES, SlackWeb
from schemas.ports import Clock

KNOWN_FOR = timedelta(hours=6)
UNKNOWN_FOR = timedelta(minutes=2)
MOST_KNOWN = 20_000
ASKED_AT_ONCE = 20
ASK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Person:
    name: str = ""
    email: str = ""


class People:
    """users.info, cached. https://docs.slack.dev/reference/methods/users.info"""

    def __init__(self, web: SlackWeb, clock: Clock) -> None:
        self._web = web
        self._clock = clock
        self._known: OrderedDict[str, tuple[Person, datetime]] = OrderedDict()

    async def named(self, users: Iterable[str]) -> Mapping[str, Person]:
        """Those of these users who are known or answer within a second."""
        wanted = sorted({each for each in users if each.startswith(("U", "W"))})[:ASKED_AT_ONCE]
        now = self._clock.now()
        missing = [each for each in wanted if each not in self._known or self._known[each][1] <= now]
        if missing:
            await asyncio.gather(*(self._ask(each) for each in missing))
        return {each: self._known[each][0] for each in wanted if each in self._known}

    def forget(self, user: str) -> None:
        """They changed something about themselves."""
        self._known.pop(user, None)

    async def _ask(self, user: str) -> None:
        now = self._clock.now()
        try:
            async with asyncio.timeout(ASK_SECONDS):
                answer = await self._web.ask("users.info", user=user)
        except FAILURES:
            self._keep(user, self._known.get(user, (Person(), now))[0], now + UNKNOWN_FOR)
            return
        self._keep(user, person_of(answer.get("user")), now + KNOWN_FOR)

    def _keep(self, user: str, person: Person, until: datetime) -> None:
        self._known[user] = (person, until)
        self._known.move_to_end(user)
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)


def person_of(user: object) -> Person:
    """Of a user object: the name that they chose, else their real one. Strangers of Slack Connect have few fields."""
    if not isinstance(user, dict):
        return Person()
    profile: Json = user["profile"] if isinstance(user.get("profile"), dict) else {}
    names = (profile.get("display_name"), profile.get("real_name"), user.get("real_name"), user.get("name"))
    name = next((string(each).strip() for each in names if string(each).strip()), "")
    return Person(name[:200], string(profile.get("email"))[:320])
