"""Any webhook as the hub finds it."""

from ipaddress import ip_network

from connectors.kit.channel import Channel, Opened, Surroundings, brands_in, mentions_in
from connectors.kit.intake import Accepted
from connectors.kit.quality import Rule, quality
from connectors.webhook.settings import WebhookSettings
from schemas.capabilities import Capabilities
from schemas.errors import Invalid
from schemas.letters import QuarantineItem

EXAMPLE = """\
sources:
  - name: shop                       # posts to https://YOUR-INTAKE/hooks/webhook_in/shop
    signature:
      scheme: standard-webhooks      # or github, stripe, meta, shopify, hmac, bearer, basic
      secrets: ["${env:SHOP_WEBHOOK_SECRET}"]
    mapping:                         # where in the payload things stand (JSON pointers)
      id: /event_id
      conversation: /ticket/id
      text: /ticket/message
      subject: /ticket/title
      sender_id: /customer/id
      sender_name: /customer/name
      sender_email: /customer/email
    # reply:                         # how answers leave; without it by mail to sender_email
    #   url: https://shop.example.com/tickets/{conversation}/answers
    #   body: {text: "{text}", author: "{author}"}
    #   signing_secret: ${env:SHOP_REPLY_SECRET}
"""


def _open(settings: WebhookSettings, around: Surroundings) -> Opened:
    from connectors.kit.egress import guarded_client
    from connectors.kit.hooks import read_again
    from connectors.kit.items import Receiver
    from connectors.webhook.hook import FileEnricher, WebhookHook
    from connectors.webhook.reading import CHANNEL as NAME
    from connectors.webhook.reading import understanding
    from connectors.webhook.reply import WebhookDeliverer

    sources = {each.name: each for each in settings.sources}
    hooks = {
        name: WebhookHook(
            each,
            Receiver(
                NAME,
                name,
                each.brand,
                around.intake,
                understanding(each),
                FileEnricher(each, around.downloads) if each.mapping.files else None,
            ),
        )
        for name, each in sources.items()
    }
    client = guarded_client([ip_network(each, strict=False) for each in settings.private_networks])

    async def reparse(original: bytes, item: QuarantineItem) -> Accepted:
        hook = hooks.get(item.account)
        if hook is None:
            raise Invalid(f"there is no webhook source {item.account!r} any more")
        return read_again(hook, original, item)

    answering = {
        name: CAPABILITIES.model_copy(
            update={"reply": True, "longest": each.reply.longest, "answered_by": ""}
        )
        for name, each in sources.items()
        if each.reply is not None
    }
    return Opened(
        deliverer=WebhookDeliverer(sources, client, around.clock),
        reparse=reparse,
        hooks=hooks,
        capabilities=answering,
        close=client.aclose,
    )


CAPABILITIES = Capabilities(answered_by="email")
CHANNEL = Channel(
    name="webhook_in",
    title="Any webhook",
    describes="webhooks that come in, each described here; none: none",
    settings=WebhookSettings,
    capabilities=CAPABILITIES,
    open=_open,
    accounts=brands_in("sources"),
    example=EXAMPLE,
    mentions=mentions_in("sources"),
    quality=quality(
        Rule.VERIFIES_RAW_BYTES,
        Rule.ACKNOWLEDGES_AFTER_LOG,
        Rule.KEEPS_ORIGINALS,
        Rule.QUARANTINES_MALFORMED,
        Rule.BOUNDS_INPUT,
        Rule.HIDES_SECRETS,
        Rule.ENDS_EVERY_SEND,
        Rule.ROTATES_SECRETS,
        Rule.FETCHES_FILES_SAFELY,
        Rule.TRIES_PAYLOADS,
        Rule.PASSES_CONTRACT,
        Rule.HAS_STANDIN,
        Rule.HAS_FIXTURES,
        Rule.HAS_OPERATOR_PAGE,
        exempt={
            Rule.RESUMES_WITHOUT_GAP: "nothing is fetched; the source repeats what was not acknowledged",
            Rule.RECOGNISES_OWN_ECHO: "what a source sends back can be told apart by `when` only",
            Rule.FOLLOWS_EDITS_AND_DELETIONS: "a mapping tells of messages, not of what happened to them",
            Rule.OBEYS_RATE_LIMITS: "a receiver's Retry-After is obeyed; limits of no vendor are known",
            Rule.SETTLES_UNKNOWN_SENDS: "a receiver knows a repeat by its Idempotency-Key, or a person decides",
            Rule.REPORTS_HEALTH: "it only listens; what was accepted and refused is counted by account in the metrics",
            Rule.CHECKS_CREDENTIALS: "secrets are the other side's to use; there is nothing to try them at",
        },
    ),
)
