"""What a message only refers to: names of people, bytes of files. Fetched before the event is written.

Slack waits three seconds for an answer. What takes longer goes on meanwhile, and Slack is asked to come again.
"""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from connectors.kit.downloads import Downloads, Wanted
from connectors.kit.intake import Accepted
from connectors.slack.parse.blocks import Json
from connectors.slack.parse.content import SlackFile, attachment_of, files_of
from connectors.slack.parse.envelope import event_of, load
from connectors.slack.people import People, Person
from connectors.slack.web import FAILURES, SlackWeb, error_of
from schemas.errors import Outage
from schemas.interactions import (
    Attachment,
    Content,
    InteractionChange,
    InteractionEdited,
    InteractionEvent,
    InteractionIgnored,
    InteractionReceived,
    Participant,
)

BUDGET_SECONDS = 2.2
AGAIN_SECONDS = 20.0
MOST_UNDER_WAY = 200
MENTION = re.compile(r"@([UW][A-Z0-9]{5,20})\b")
PEOPLE_CHANGED = frozenset({"user_change", "user_profile_changed", "team_join"})
REMOVED = {
    "app_uninstalled": "the app was removed from the workspace; install it again",
    "tokens_revoked": "the workspace took tokens of the app back; install it again",
}
FILES_ORIGIN = "https://files.slack.com"


class Enricher:
    """The `Enrich` of one account."""

    def __init__(
        self,
        web: SlackWeb,
        people: People,
        downloads: Downloads,
        removed: Callable[[str], None] = lambda reason: None,
    ) -> None:
        """`removed` is told when the workspace took the app or its tokens away."""
        self._web = web
        self._people = people
        self._downloads = downloads
        self._removed = removed
        self._under_way: OrderedDict[UUID, asyncio.Task[Accepted]] = OrderedDict()

    async def __call__(self, accepted: Accepted) -> Accepted:
        """Raises Outage where it takes longer than Slack waits: the next try finds it done."""
        if all(isinstance(each, InteractionIgnored) for each in accepted.interactions):
            self._noticed(event_of_original(accepted.original.content))
            return accepted
        task = self._under_way.get(accepted.item)
        if task is None:
            task = asyncio.create_task(self._enriched(accepted))
            self._under_way[accepted.item] = task
            self._drop_oldest()
        await asyncio.wait({task}, timeout=BUDGET_SECONDS)
        if not task.done():
            raise Outage("files of the message are still being fetched", AGAIN_SECONDS)
        self._under_way.pop(accepted.item, None)
        return task.result()

    def _noticed(self, event: Json) -> None:
        """What is no message may still tell of people, and of us."""
        kind, user = event.get("type"), event.get("user")
        if kind in PEOPLE_CHANGED and isinstance(user, dict):
            self._people.forget(str(user.get("id")))
        elif kind in REMOVED and _is_of_the_app(event):
            self._removed(REMOVED[str(kind)])

    async def close(self) -> None:
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _drop_oldest(self) -> None:
        if len(self._under_way) > MOST_UNDER_WAY:
            _, oldest = self._under_way.popitem(last=False)
            oldest.cancel()

    async def _enriched(self, accepted: Accepted) -> Accepted:
        return Accepted(
            accepted.item,
            accepted.original,
            tuple([await self._event(each, accepted.original.content) for each in accepted.interactions]),
            accepted.blobs,
        )

    async def _event(self, event: InteractionEvent, original: bytes) -> InteractionEvent:
        if isinstance(event, InteractionReceived | InteractionEdited):
            people, files = await asyncio.gather(
                self._people.named(_users(event)), self._files(_message(original), event.attachments)
            )
            update: dict[str, object] = {"content": _named(event.content, people), "attachments": files}
        elif isinstance(event, InteractionChange):
            people, update = await self._people.named(_users(event)), {}
        else:
            return event
        if isinstance(event, InteractionReceived):
            update["participants"] = tuple(_introduced(each, people) for each in event.participants)
        elif event.author is not None:
            update["author"] = _introduced(event.author, people)
        return event.model_copy(update=update)

    async def _files(self, message: Json, known: Sequence[Attachment]) -> tuple[Attachment, ...]:
        if not known:
            return ()
        files = [await self._informed(each) for each in files_of(message)]
        fetched = iter(await self._downloads.fetch_all([self._wanted(each) for each in files if each.url]))
        return tuple(
            _what_was_asked_for(each, next(fetched)) if each.url else attachment_of(each) for each in files
        )

    async def _informed(self, file: SlackFile) -> SlackFile:
        """With its address, which Slack tells of another organization's files only when asked."""
        if not file.needs_info:
            return file
        try:
            answer = await self._web.ask("files.info", file=file.id)
        except FAILURES as error:
            note = f"Slack does not give it to this app: {error_of(error)}"
            return _noted(file, note)
        found = files_of({"files": [answer.get("file")]})
        return found[0] if found else file

    def _wanted(self, file: SlackFile) -> Wanted:
        """The token goes to Slack's hosts alone."""
        origins = [FILES_ORIGIN, self._web.api_url]
        is_slack = file.url.startswith((f"{FILES_ORIGIN}/", _root(self._web.api_url)))
        headers = {"authorization": f"Bearer {self._web.token}"} if is_slack else {}
        return Wanted(file.url, file.name, file.media_type, file.size, headers, origins if is_slack else ())


def _is_of_the_app(event: Json) -> bool:
    """Tokens of people may be taken back, and the app stays. https://docs.slack.dev/reference/events/tokens_revoked"""
    tokens = event.get("tokens")
    return not isinstance(tokens, dict) or bool(tokens.get("bot"))


def _what_was_asked_for(file: SlackFile, fetched: Attachment) -> Attachment:
    """Without the scope files:read Slack answers with a page to sign in, and 200."""
    if (
        fetched.media_type != "text/html"
        or "html" in file.media_type
        or file.name.endswith((".html", ".htm"))
    ):
        return fetched
    return attachment_of(_noted(file, "Slack asks to sign in; add the scope files:read to the app"))


def _root(api_url: str) -> str:
    return api_url.removesuffix("api/")


def _noted(file: SlackFile, note: str) -> SlackFile:
    return SlackFile(file.id, file.name, file.media_type, file.size, "", note, needs_info=False)


def event_of_original(original: bytes) -> Json:
    """The event of an original that may have none."""
    event = load(original).get("event")
    return event if isinstance(event, dict) else {}


def _message(original: bytes) -> Json:
    event = event_of(load(original))
    inner = event.get("message")
    return inner if isinstance(inner, dict) and event.get("subtype") == "message_changed" else event


def _users(event: InteractionEvent) -> set[str]:
    """Who wrote, and who is mentioned."""
    users: set[str] = set()
    if isinstance(event, InteractionReceived | InteractionEdited):
        users.update(MENTION.findall(event.content.text))
    people: Sequence[Participant | None] = ()
    if isinstance(event, InteractionReceived):
        people = event.participants
    elif isinstance(event, InteractionChange):
        people = (event.author,)
    users.update(each.value.partition("/")[2] for each in people if each is not None)
    return users


def _introduced(participant: Participant, people: Mapping[str, Person]) -> Participant:
    known = people.get(participant.value.partition("/")[2])
    if known is None or not known.name:
        return participant
    return participant.model_copy(update={"name": known.name})


def _named(content: Content, people: Mapping[str, Person]) -> Content:
    """Mentions in words. Names are text that somebody chose, so in HTML they are escaped."""
    if "@" not in content.text:
        return content

    def name(match: re.Match[str]) -> str:
        known = people.get(match[1])
        return f"@{known.name}" if known is not None and known.name else match[0]

    def escaped(match: re.Match[str]) -> str:
        return name(match).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

    text = MENTION.sub(name, content.text)
    update = {
        "text": text,
        "text_new": text,
        "subject": MENTION.sub(name, content.subject),
        "html": MENTION.sub(escaped, content.html),
    }
    return content.model_copy(update=update)
