"""The workspaces of one account: the one that the settings name, or those that installed the app. Each event and each answer
goes to its own."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from connectors.kit.grants import Grants
from connectors.kit.intake import Accepted
from connectors.kit.items import NotForUs
from connectors.slack.names import CHANNEL, team_of
from connectors.slack.parse.blocks import Json
from connectors.slack.parse.envelope import load, teams_named
from connectors.slack.parse.events import SlackContext
from connectors.slack.renewing import Renewal
from connectors.slack.workspace import Parts, Workspace
from schemas.connecting import Grant
from schemas.errors import Invalid, Outage
from schemas.interactions import InteractionIgnored
from schemas.outbound import OutboundMessage
from schemas.ports import Clock, Receipt, ReceiptStatus

ENDED_IS_TOLD_FOR = timedelta(days=1)
JUST_INSTALLED_SECONDS = 1.0


class Workspaces:
    """Implements kit.sending.Sender. `understand` needs `context_of`, and `enrich` is the receiver's."""

    def __init__(self, clock: Clock, grants: Grants | None, renewal: Renewal | None, account: str) -> None:
        """`grants` and `renewal` are of an app that is installed; None: `add` names the only workspace."""
        self._clock = clock
        self._grants = grants
        self._renewal = renewal
        self._account = account
        self._parts: Parts | None = None
        self._of: dict[str, Workspace] = {}
        self._grant_of: dict[str, Grant] = {}
        self._ended: list[Grant] = []
        self._turn = asyncio.Lock()
        self.trouble = ""

    def __iter__(self) -> Iterator[Workspace]:
        return iter(list(self._of.values()))

    def __len__(self) -> int:
        return len(self._of)

    @property
    def are_installed(self) -> bool:
        return self._grants is not None

    def begin(self, parts: Parts) -> None:
        self._parts = parts

    def add(self, team: str, token: str) -> None:
        """The only one."""
        assert self._parts is not None
        self._of[team] = Workspace(self._parts, team, token)

    async def refresh(self) -> None:
        """Those that installed the app, or removed it, wherever that was told; tokens that end soon are renewed.

        Raises Outage.
        """
        if self._grants is None or self._parts is None:
            return
        async with self._turn:
            await self._refresh(self._grants)

    async def _refresh(self, grants: Grants) -> None:
        for each in self:
            if each.removed and await each.is_gone() and each.team in self._grant_of:
                await grants.end(self._grant_of[each.team], each.removed)
        found = await grants.all(CHANNEL, self._account)
        self._ended = [each for each in found if each.ended_at is not None]
        for grant in self._ended:
            await self._leave(grant.name)
        troubles = [await self._kept(each) for each in found if each.ended_at is None]
        self.trouble = "; ".join(each for each in troubles if each)

    async def _kept(self, grant: Grant) -> str:
        """The workspace with the token that its grant has now, renewed where it is time. What is wrong, if anything."""
        assert self._grants is not None and self._parts is not None
        known = self._grant_of.get(grant.name)
        trouble = ""
        if self._renewal is not None and self._renewal.is_due(grant):
            grant, trouble = await self._renewal.renewed(grant)
        if known is not None and known.revision == grant.revision:
            return trouble
        try:
            token = self._grants.tokens(grant).get("token", "")
        except Invalid as error:
            return f"{_called(grant)}: {error}; install the app again"
        workspace = self._of.get(grant.name)
        if workspace is not None and known is not None and known.granted_at != grant.granted_at:
            await self._leave(grant.name)  # installed again: everything is learned anew
            workspace = None
        if workspace is None:
            self._of[grant.name] = Workspace(
                self._parts, grant.name, token, title=grant.title, is_only_one=False
            )
        else:
            workspace.web.use(token)
        self._grant_of[grant.name] = grant
        return trouble

    async def _leave(self, team: str) -> None:
        self._grant_of.pop(team, None)
        workspace = self._of.pop(team, None)
        if workspace is not None:
            await workspace.enricher.close()
            await workspace.close()

    # -- what comes in ------------------------------------------------------------------------------------------------

    def context_of(self, envelope: Json) -> SlackContext:
        """Raises NotForUs where the event names none of the workspaces."""
        named = teams_named(envelope)
        found = next((self._of[each] for each in named if each in self._of), None)
        if found is None and len(self._of) == 1 and (not named or not self.are_installed):
            found = next(iter(self._of.values()))
        if found is None:
            raise NotForUs(f"the app is not installed in {', '.join(named)[:100] or 'any workspace'}")
        return found.context

    async def enrich(self, accepted: Accepted) -> Accepted:
        """As Enricher. Raises Outage, too, for an event of a workspace that another process saw install the app just now."""
        envelope = load(accepted.original.content)
        team = next((each for each in teams_named(envelope) if each in self._of), "")
        if not team and self.are_installed and _is_ignored(accepted):
            await self.refresh()
            if any(each in self._of for each in teams_named(envelope)):
                raise Outage("the workspace has just installed the app", JUST_INSTALLED_SECONDS)
        workspace = self._of.get(team) or (None if self.are_installed else next(iter(self), None))
        return accepted if workspace is None else await workspace.enricher(accepted)

    # -- what goes out ------------------------------------------------------------------------------------------------

    async def deliver(self, message: OutboundMessage) -> Receipt:
        workspace = await self._of_message(message)
        if workspace is None:
            reason = f"the app is not installed in the workspace {team_of(message.conversation)} any more"
            return Receipt(ReceiptStatus.FAILED, reason=reason)
        receipt = await workspace.sender.deliver(message)
        if self.are_installed and receipt.stop_account:  # of this workspace; the others go on
            return replace(receipt, stop_account=False)
        return receipt

    async def reconcile(self, message: OutboundMessage, tried_at: datetime) -> Receipt | None:
        workspace = await self._of_message(message)
        return await workspace.sender.reconcile(message, tried_at) if workspace is not None else None

    async def _of_message(self, message: OutboundMessage) -> Workspace | None:
        if not self.are_installed:
            return next(iter(self), None)
        team = team_of(message.conversation)
        if team not in self._of:
            try:
                await self.refresh()
            except Outage:
                return None
        return self._of.get(team)

    # -- how they are -------------------------------------------------------------------------------------------------

    def troubles(self) -> Sequence[str]:
        """In words, each with the workspace where there may be several."""
        now = self._clock.now()
        told = [
            f"{each.title or each.team}: {words}" if self.are_installed else words
            for each in self
            if (words := each.removed or each.trouble or each.lacks or each.catch_up.gap)
        ]
        told += [
            f"{_called(each)}: {each.reason}"
            for each in self._ended
            if each.ended_at is not None and now - each.ended_at < ENDED_IS_TOLD_FOR
        ]
        return [each for each in (self.trouble, *told) if each]

    async def close_enrichers(self) -> None:
        for each in self:
            await each.enricher.close()

    async def close(self) -> None:
        for each in self:
            await each.close()
        if self._renewal is not None:
            await self._renewal.close()


def _called(grant: Grant) -> str:
    return grant.title or grant.name


def _is_ignored(accepted: Accepted) -> bool:
    return all(isinstance(each, InteractionIgnored) for each in accepted.interactions)
