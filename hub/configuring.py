"""The next configuration: whoever may has a draft of it, sees what it changes, publishes it, or goes back to an older one.

Who may is looked at by the callers (`Right.CONFIGURE`); what only administrators change is looked at here.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hub.publishing import Publishing, parts_of_file
from processors.configuration_difference import Change, changes
from processors.configuration_merging import Met, merged
from schemas.accounts import Principal, Role
from schemas.configuration import Configuration, Origin
from schemas.documents import ConfigurationDraft, PublishedConfiguration
from schemas.errors import Conflict, Forbidden, Invalid, Outage, Stale
from schemas.events import Actor
from schemas.ids import derive
from schemas.ports import Clock, Engine
from schemas.sentences import said
from schemas.steps import References, Step

ATTEMPTS = 5
LONGEST_NOTE = 500
LARGEST_DRAFT = 1_000_000
Edit = Callable[[Configuration], Configuration]


@dataclass(frozen=True, slots=True)
class Standing:
    """A draft as it stands: what it changes of the version it was begun on, and what keeps it from being published.

    `overtaken` is the version that somebody published meanwhile; None: the draft can be published as it is.
    """

    draft: ConfigurationDraft
    changes: tuple[Change, ...]
    problems: Mapping[str, str]
    overtaken: PublishedConfiguration | None


class Configuring:
    def __init__(self, engine: Engine, clock: Clock, versions: Publishing) -> None:
        self._engine = engine
        self._clock = clock
        self._versions = versions

    async def in_force(self) -> tuple[int, Configuration]:
        published = await self._versions.current()
        return (published.number, published.configuration) if published else (0, Configuration())

    async def at(self, number: int) -> Configuration:
        """Raises Unknown when there is no such version."""
        return (await self._versions.version(number)).configuration if number else Configuration()

    # -- the draft --------------------------------------------------------------------------------------------------

    async def draft(self, user: str) -> ConfigurationDraft:
        """What this person keeps, else the version in force, not kept yet (revision 0)."""
        kept = await self._kept(user)
        if kept is not None:
            return kept
        number, configuration = await self.in_force()
        return self._new(user, number, configuration)

    async def edit(self, user: str, edit: Edit) -> ConfigurationDraft:
        """Change the draft. Durable when it returns; what is as in its base again is no draft. Raises what `edit` raises."""
        for _ in range(ATTEMPTS):
            before = await self.draft(user)
            after = edit(before.configuration)
            if len(after.model_dump_json()) > LARGEST_DRAFT:
                raise Invalid(
                    "the configuration is too large",
                    {"configuration": said("at most {n} bytes", n=LARGEST_DRAFT)},
                )
            try:
                if before.revision and after == await self.at(before.base):
                    await self._engine.commit(Step(deletions=[(ConfigurationDraft, before.id)]))
                    return self._new(user, before.base, after)
                draft = before.model_copy(update={"configuration": after, "kept_at": self._clock.now()})
                if after != before.configuration:
                    await self._engine.commit(Step(documents=[(draft, before.revision)]))
            except Conflict:
                continue  # in another window, at the same moment
            return await self.draft(user)
        raise Outage("the draft is written in several windows at once", retry_after_seconds=1)

    async def drop(self, user: str) -> None:
        kept = await self._kept(user)
        if kept is not None:
            await self._engine.commit(Step(deletions=[(ConfigurationDraft, kept.id)]))

    async def standing(self, user: str) -> Standing:
        draft = await self.draft(user)
        published = await self._versions.current()
        overtaken = published if published is not None and published.number != draft.base else None
        return Standing(
            draft,
            tuple(changes(await self.at(draft.base), draft.configuration)),
            await asyncio.to_thread(
                self._versions.problems, draft.configuration
            ),  # of hundreds of rules: a second
            overtaken,
        )

    async def take_over(self, user: str) -> tuple[ConfigurationDraft, tuple[Met, ...]]:
        """Put the draft on the version in force: what others changed is taken over, what both changed stays ours and is told."""
        draft = await self.draft(user)
        number, theirs = await self.in_force()
        if number == draft.base:
            return draft, ()
        joined, met = merged(await self.at(draft.base), draft.configuration, theirs)
        moved = draft.model_copy(
            update={"base": number, "configuration": joined, "kept_at": self._clock.now()}
        )
        try:
            if joined == theirs:
                await self.drop(user)
            else:
                await self._engine.commit(Step(documents=[(moved, draft.revision)]))
        except Conflict:
            raise Stale("the draft was changed in another window; look at it again") from None
        return await self.draft(user), met

    # -- versions ---------------------------------------------------------------------------------------------------

    async def publish(self, principal: Principal, actor: Actor, note: str, origin: Origin) -> int:
        """Put the draft in force. Raises Stale where another version than its base is, Invalid with all problems."""
        draft = await self.draft(principal.id)
        before = await self.at(draft.base)
        if draft.configuration == before:
            raise Invalid("the draft changes nothing", {"draft": "edit something first"})
        _must_be_allowed(principal, before, draft.configuration)
        number = await self._versions.publish(
            draft.configuration, actor, over=draft.base, note=_noted(note), origin=origin
        )
        await self.drop(principal.id)
        return number

    async def back(
        self, principal: Principal, actor: Actor, number: int, over: int, note: str, origin: Origin
    ) -> int:
        """Publish an older version anew, over the version that was looked at. Raises Unknown, Stale, Invalid."""
        wanted = (await self._versions.version(number)).configuration
        _, current = await self.in_force()
        _must_be_allowed(principal, current, wanted)
        return await self._versions.publish(
            wanted, actor, over=over, note=_noted(note), origin=origin, back_to=number
        )

    def _new(self, user: str, number: int, configuration: Configuration) -> ConfigurationDraft:
        return ConfigurationDraft(
            id=derive("configuration draft", user),
            user=user,
            base=number,
            configuration=configuration,
            kept_at=self._clock.now(),
        )

    async def _kept(self, user: str) -> ConfigurationDraft | None:
        id = derive("configuration draft", user)
        found = (await self._engine.load(References(documents={ConfigurationDraft: {id}}))).documents.get(id)
        return found if isinstance(found, ConfigurationDraft) else None


def _noted(note: str) -> str:
    if len(note) > LONGEST_NOTE:
        raise Invalid("the note is too long", {"note": said("at most {n} characters", n=LONGEST_NOTE)})
    return note.strip()


def _must_be_allowed(principal: Principal, before: Configuration, after: Configuration) -> None:
    kept = parts_of_file(before)
    parts = [name for name, value in parts_of_file(after).items() if kept[name] != value]
    if parts and not principal.is_at_least(Role.ADMIN):
        raise Forbidden(
            said("changing {names} needs the role admin in every queue ('*')", names=" and ".join(parts))
        )
