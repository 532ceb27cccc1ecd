"""Web forms as the hub finds them."""

from collections.abc import Sequence

from connectors.kit.channel import Channel, Opened, Payload, Surroundings, brands_in, mentions_in
from connectors.kit.intake import Accepted
from connectors.kit.quality import Rule, quality
from connectors.webform.settings import WebformSettings
from schemas.capabilities import Capabilities
from schemas.letters import QuarantineItem

EXAMPLE = """\
forms:
  - name: contact               # its page: /f/contact of the public address
    title: {en: Contact us, de: Kontakt}
    fields:
      - {name: name, label: {en: Name, de: Name}}
      - {name: email, type: email, label: {en: Email, de: E-Mail}, required: true}
      - {name: message, type: textarea, label: {en: Your message, de: Ihre Nachricht}, required: true}
    allowed_origins: []         # sites that embed the form, such as https://www.example.com
    # signing_secrets: ["${env:FORM_SECRET}"]   # whsec_... of servers of yours that post for known customers
"""


def _open(settings: WebformSettings, around: Surroundings) -> Opened:
    from connectors.webform.connector import WebformConnector

    told = settings.model_copy(
        update={
            "public_url": settings.public_url or around.public_url,
            "trusted_proxies": (*settings.trusted_proxies, *around.trusted_proxies),
        }
    )
    connector = WebformConnector(told, around.intake, around.secret("forms"))

    async def reparse(original: bytes, item: QuarantineItem) -> Accepted:
        return await connector.reparse(item.account, original, item.envelope, item.received_at)

    async def understand(payload: Payload) -> Sequence[Accepted]:
        form = payload.account or settings.forms[0].name
        facts = {"content-type": payload.media_type, "webhook-id": payload.headers.get("webhook-id", "try")}
        return [await connector.reparse(form, payload.content, facts, payload.received_at)]

    return Opened(connectors=(connector,), app=connector.app, reparse=reparse, understand=understand)


CHANNEL = Channel(
    name="webform",
    title="Web forms",
    describes="forms; none: no forms",
    settings=WebformSettings,
    capabilities=Capabilities(answered_by="email"),
    open=_open,
    accounts=brands_in("forms"),
    example=EXAMPLE,
    mentions=mentions_in("forms"),
    quality=quality(
        Rule.VERIFIES_RAW_BYTES,
        Rule.ACKNOWLEDGES_AFTER_LOG,
        Rule.KEEPS_ORIGINALS,
        Rule.QUARANTINES_MALFORMED,
        Rule.BOUNDS_INPUT,
        Rule.HIDES_SECRETS,
        Rule.ROTATES_SECRETS,
        Rule.FETCHES_FILES_SAFELY,
        Rule.HAS_STANDIN,
        Rule.TESTED_WITH_REAL_PEER,
        Rule.TRIES_PAYLOADS,
        Rule.HAS_FIXTURES,
        Rule.PASSES_CONTRACT,
        Rule.HAS_OPERATOR_PAGE,
        Rule.REPORTS_HEALTH,
        exempt={
            Rule.ENDS_EVERY_SEND: "forms send nothing; their answers leave by mail",
            Rule.RESUMES_WITHOUT_GAP: "nothing is fetched; a browser keeps an entry until it is taken",
            Rule.RECOGNISES_OWN_ECHO: "nothing that we send comes back through a form",
            Rule.FOLLOWS_EDITS_AND_DELETIONS: "an entry cannot be changed by its sender",
            Rule.OBEYS_RATE_LIMITS: "forms call nobody",
            Rule.SETTLES_UNKNOWN_SENDS: "forms send nothing",
            Rule.CHECKS_CREDENTIALS: "forms need no credentials of anybody",
        },
    ),
)
