"""The whole wiring on one screen: settings in, a hub out. Nothing runs yet; `hub.up` starts and stops it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from ipaddress import ip_network
from pathlib import Path

from connectors.email.connector import EmailConnector, email_deliverer
from connectors.email.deliver import EmailDeliverer
from connectors.kit.cursors import Cursors
from connectors.kit.egress import Forbidden, guarded_client
from connectors.kit.intake import Intake
from connectors.webform.connector import WebformConnector
from hub.accounts import Accounts
from hub.company import Company
from hub.consumers import AutomationConsumer, CasesConsumer, OutboundConsumer, SearchConsumer
from hub.deciding import Deciding
from hub.engines import open_engine_of
from hub.ingesting import MailIngester, read_again, read_form_again
from hub.letters import Letters, Reparse
from hub.observe import Metric, Metrics
from hub.people import People
from hub.publishing import Publishing
from hub.runner import Runner
from hub.secrets import derived, installation_secret
from hub.service import Service
from hub.settings import HubSettings
from hub.timers import Timers
from hub.verify import Verifier
from schemas.ports import START, Clock, Connector, Deliverer, Engine
from sinks.outbound import Dispatcher
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
    letters: Letters
    verifier: Verifier
    metrics: Metrics
    email: EmailConnector | None
    webform: WebformConnector | None
    mail_out: EmailDeliverer | None
    webhooks: WebhookDeliverer
    ingester: MailIngester
    dispatcher: Dispatcher
    timers: Timers
    runners: Sequence[Runner] = field(default=())

    @property
    def connectors(self) -> list[Connector]:
        mailboxes = self.email.mailboxes if self.email else ()
        return [each for each in (self.email, *mailboxes, self.webform) if each is not None]


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
    secret = installation_secret(folder, is_new=await engine.tail() == START)
    handles = derived(secret, "handles")
    metrics = Metrics()
    company = await Company.open(engine, clock)
    deciding = Deciding(engine, clock, company, handles, answer_accounts(settings))
    service = Service(engine, clock, company, deciding)
    intake = Intake(engine, clock, partial(count_accepted, metrics))

    mail_secrets = [derived(secret, "mail")]
    cursors = Cursors(engine, clock)
    email = EmailConnector(settings.email, intake, mail_secrets, cursors) if settings.email else None
    forms = settings.forms()
    webform = WebformConnector(forms, intake, derived(secret, "forms")) if forms else None
    webhooks = WebhookDeliverer(
        {each.name: each.url for each in settings.webhooks},
        settings.webhook_secrets,
        clock,
        guarded_client([ip_network(each, strict=False) for each in settings.webhook_private_networks]),
        Forbidden,
    )
    deliverers: dict[str, Deliverer] = {webhooks.channel: webhooks}
    reparse: dict[str, Reparse] = {}
    if email is not None:
        reparse[email.channel] = partial(read_again, email)
    if webform is not None:
        reparse[webform.channel] = partial(read_form_again, webform)
    mail_out = email_deliverer(settings.email, mail_secrets, engine.blob) if settings.email else None
    if mail_out is not None:
        deliverers[mail_out.channel] = mail_out

    dispatcher = Dispatcher(engine, clock, deliverers)
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
        accounts=Accounts(engine, clock),
        people=People(engine, clock, service),
        service=service,
        intake=intake,
        letters=Letters(engine, clock, intake, reparse),
        verifier=Verifier(engine),
        metrics=metrics,
        email=email,
        webform=webform,
        mail_out=mail_out,
        webhooks=webhooks,
        ingester=MailIngester(email, clock),
        dispatcher=dispatcher,
        timers=Timers(engine, clock),
        runners=[Runner(engine, clock, each, metrics=metrics) for each in consumers],
    )


def count_accepted(metrics: Metrics, channel: str, account: str, outcome: str) -> None:
    metrics.add(Metric.ACCEPTED, channel=channel, account=account, outcome=outcome)


def answer_accounts(settings: HubSettings) -> Mapping[str, str]:
    """Brand -> the mail account that answers for it: the first of each brand."""
    accounts: dict[str, str] = {}
    for account in settings.email.accounts if settings.email else ():
        accounts.setdefault(account.brand, account.name)
    return accounts
