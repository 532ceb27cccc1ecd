"""The whole wiring on one screen: settings in, a hub out. Nothing runs yet; `hub.up` starts and stops it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from typing import cast

from connectors.email.connector import EmailConnector
from connectors.kit.channel import Opened, Surroundings
from connectors.kit.cursors import Cursors
from connectors.kit.downloads import Downloads
from connectors.kit.egress import Forbidden, guarded_client
from connectors.kit.grants import Grants
from connectors.kit.intake import Intake
from connectors.kit.kept import Kept
from connectors.kit.scanned import scanning
from hub.accounts import Accounts
from hub.blocking import Blocks
from hub.channels import brands_of, capabilities, counts, sections, writers
from hub.company import Company
from hub.connecting import Activity, Controls
from hub.console.digests import Digests
from hub.consumers import AutomationConsumer, CasesConsumer, OutboundConsumer, SearchConsumer
from hub.deciding import Deciding
from hub.drafts import Drafts
from hub.engines import open_engine_of
from hub.housekeeping import Chore, Housekeeping
from hub.ingesting import MailIngester
from hub.leases import Leases
from hub.leaving import Leaving
from hub.letters import Letters
from hub.members import Members
from hub.observe import Metric, Metrics
from hub.people import People
from hub.presence import Presences
from hub.publishing import Publishing
from hub.pulling import leased
from hub.refolding import Refolding
from hub.reparsing import Reparsing
from hub.runner import Runner
from hub.secrets import derived, secret_of
from hub.service import Service
from hub.settings import HubSettings
from hub.staging import Staging
from hub.timers import Timers
from hub.verify import Verifier
from hub.waiting_changes import WaitingChanges
from schemas.ports import Clock, Connector, Deliverer, Engine
from sinks.outbound import Dispatcher
from sinks.spool.spool import Spool
from sinks.webhooks import WebhookDeliverer


class SystemClock:
    """The machine's time."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class Hub:
    """Everything that a hub is made of."""

    settings: HubSettings
    folder: Path
    secret: bytes
    clock: Clock
    engine: Engine
    company: Company
    publishing: Publishing
    accounts: Accounts
    people: People
    service: Service
    intake: Intake
    spool: Spool | None
    letters: Letters
    reparsing: Reparsing
    verifier: Verifier
    metrics: Metrics
    channels: Mapping[str, Opened]
    downloads: Downloads
    webhooks: WebhookDeliverer
    ingester: MailIngester
    dispatcher: Dispatcher
    timers: Timers
    leases: Leases
    housekeeping: Housekeeping
    controls: Controls
    connectors: Sequence[Connector] = field(default=())
    runners: Sequence[Runner] = field(default=())

    @property
    def email(self) -> EmailConnector | None:
        """The mail that comes in, which can be handed in by hand too."""
        connectors = (each for channel in self.channels.values() for each in channel.connectors)
        return next((each for each in connectors if isinstance(each, EmailConnector)), None)

    async def close_channels(self) -> None:
        """Last, when nothing is sent any more."""
        for channel in self.channels.values():
            await channel.close()
        await self.downloads.close()
        await self.webhooks.close()


async def wire(settings: HubSettings, folder: Path, clock: Clock | None = None) -> Hub:
    """Opens the data folder and the engine, and puts the parts together. Raises what opening raises."""
    clock = clock or SystemClock()
    engine = await open_engine_of(settings, folder, clock)
    try:
        return await _wire(settings, folder, clock, engine)
    except BaseException:
        await engine.close()
        raise


async def _wire(settings: HubSettings, folder: Path, clock: Clock, engine: Engine) -> Hub:
    secret = await secret_of(engine, clock, folder, settings.secret_file)
    handles = derived(secret, "handles")
    metrics = Metrics()
    company = await Company.open(engine, clock)
    spool = None if settings.spool is None else Spool(engine, settings.spool, clock)
    # Intake calls `commit` and `load` only, and those the spool has.
    activity = Activity(clock)
    told = partial(count_accepted, metrics, activity)
    scan = scanning(settings.media.scan)
    intake = Intake(engine if spool is None else cast(Engine, spool), clock, told, scan)
    downloads = Downloads(settings.media, engine.put_blob)
    opened = open_channels(settings, surroundings(settings, folder, secret, engine, clock, intake, downloads))
    offered = capabilities(settings, opened)
    deciding = Deciding(engine, clock, company, handles, answer_accounts(settings), offered, counts())
    service = Service(engine, clock, company, deciding, writers(opened), brands_of(settings))
    webhooks = WebhookDeliverer(
        {each.name: each.url for each in settings.webhooks},
        settings.webhook_secrets,
        clock,
        guarded_client([ip_network(each, strict=False) for each in settings.webhook_private_networks]),
        Forbidden,
    )
    deliverers: dict[str, Deliverer] = {webhooks.channel: webhooks}
    deliverers |= {name: each.deliverer for name, each in opened.items() if each.deliverer is not None}
    reparse = {name: each.reparse for name, each in opened.items() if each.reparse is not None}

    letters = Letters(engine, clock, intake, reparse)
    replays = {name: each.replay for name, each in opened.items() if each.replay is not None}
    controls = Controls(engine, clock, activity, settings.silent_after_hours, replays)
    members = None if settings.log is None else Members(engine, clock)
    leases = Leases(engine, clock, members, metrics=metrics)
    accounts = Accounts(
        engine,
        clock,
        secret=derived(secret, "second factor"),
        must_have_factor=settings.sign_in.second_factor,
    )
    chores: list[Chore] = [
        accounts.purge,
        Drafts(engine, clock).purge,
        Presences(engine, clock).purge,
        Staging(engine, clock, metrics).purge,
        WaitingChanges(engine, clock).purge,
        engine.expire,
        Refolding(engine).run,
        Leaving(engine, service).run,
        Blocks(engine, clock, service).purge,
        Digests(engine, clock, answer_accounts(settings), console_url(settings)).run,
    ]
    if members is not None:
        chores.append(members.purge)
    dispatcher = Dispatcher(engine, clock, deliverers, members)
    consumers = (
        CasesConsumer(deciding),
        AutomationConsumer(engine, company),
        OutboundConsumer(engine, dispatcher.wake),
        SearchConsumer(engine),
    )
    return Hub(
        settings=settings,
        folder=folder,
        secret=secret,
        clock=clock,
        engine=engine,
        company=company,
        publishing=Publishing(engine, company),
        accounts=accounts,
        people=People(engine, clock, service),
        service=service,
        intake=intake,
        spool=spool,
        letters=letters,
        reparsing=Reparsing(engine, clock, intake, letters, reparse),
        verifier=Verifier(engine, spool=None if spool is None else spool.folder),
        metrics=metrics,
        channels=opened,
        downloads=downloads,
        webhooks=webhooks,
        ingester=MailIngester(opened, clock),
        dispatcher=dispatcher,
        timers=Timers(engine, clock, leases),
        leases=leases,
        housekeeping=Housekeeping(chores, leases),
        controls=controls,
        connectors=[
            controls.controlled(leased(each, leases))
            for channel in opened.values()
            for each in channel.connectors
        ],
        runners=[Runner(engine, clock, each, metrics=metrics) for each in consumers],
    )


def surroundings(
    settings: HubSettings,
    folder: Path,
    secret: bytes,
    engine: Engine,
    clock: Clock,
    intake: Intake,
    downloads: Downloads,
) -> Surroundings:
    """What each channel is given."""
    return Surroundings(
        intake=intake,
        clock=clock,
        cursors=Cursors(engine, clock),
        fetch_blob=engine.blob,
        secret=partial(derived, secret),
        downloads=downloads,
        kept=Kept(engine),
        public_url=settings.intake.public_url,
        trusted_proxies=tuple(ip_network(each, strict=False) for each in settings.intake.trusted_proxies),
        folder=folder,
        grants=Grants(engine, clock, derived(secret, "grants")),
    )


def open_channels(settings: HubSettings, around: Surroundings) -> dict[str, Opened]:
    """The channels that the settings name, ready to start. Raises Invalid where one cannot be."""
    return {channel.name: channel.open(section, around) for channel, section in sections(settings)}


def count_accepted(metrics: Metrics, activity: Activity, channel: str, account: str, outcome: str) -> None:
    activity.came(channel, account)
    metrics.add(Metric.ACCEPTED, channel=channel, account=account, outcome=outcome)


def console_url(settings: HubSettings) -> str:
    """Where people reach the console, as far as the settings tell."""
    console = settings.console
    return console.public_url or f"http://{console.host}:{console.port}"


def answer_accounts(settings: HubSettings) -> Mapping[str, str]:
    """Brand -> the mail account that answers for it: the first of each brand."""
    accounts: dict[str, str] = {}
    for account in settings.email.accounts if settings.email else ():
        accounts.setdefault(account.brand, account.name)
    return accounts
