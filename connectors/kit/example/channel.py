"""The channel as the hub finds it."""

from connectors.kit.channel import Channel, Opened, Surroundings, brands_in, mentions_in
from connectors.kit.example.parse import CHANNEL as NAME
from connectors.kit.example.parse import understanding
from connectors.kit.example.settings import ExampleAccount, ExampleSettings
from connectors.kit.intake import Accepted
from connectors.kit.items import Receiver
from connectors.kit.quality import Rule, quality
from schemas.capabilities import Capabilities
from schemas.errors import Invalid
from schemas.letters import QuarantineItem

EXAMPLE = """\
accounts:
  - name: main                       # events come to https://YOUR-INTAKE/hooks/example/main
    signing_secrets: ["${env:EXAMPLE_SIGNING_SECRET}"]
    token: ${env:EXAMPLE_TOKEN}
"""


def _open(settings: ExampleSettings, around: Surroundings) -> Opened:
    from connectors.kit.example.deliver import ExampleDeliverer
    from connectors.kit.example.hook import ExampleHook
    from connectors.kit.hooks import read_again
    from connectors.kit.watching import HookConnector

    def hook(account: ExampleAccount) -> ExampleHook:
        understand = understanding(account.queue)
        receiver = Receiver(NAME, account.name, account.brand, around.intake, understand)
        return ExampleHook(receiver, [each.get_secret_value() for each in account.signing_secrets])

    hooks = {each.name: hook(each) for each in settings.accounts}
    deliverer = ExampleDeliverer({each.name: each for each in settings.accounts}, around.clock)

    async def reparse(original: bytes, item: QuarantineItem) -> Accepted:
        if item.account not in hooks:
            raise Invalid(f"there is no account {item.account!r} any more")
        return read_again(hooks[item.account], original, item)

    return Opened(
        connectors=tuple(HookConnector(NAME, name) for name in hooks),
        deliverer=deliverer,
        reparse=reparse,
        hooks=hooks,
        close=deliverer.close,
    )


CHANNEL = Channel(
    name=NAME,
    title="Example",
    describes="the channel example; none: it is not used",
    settings=ExampleSettings,
    capabilities=Capabilities(
        reply=True, longest=4000, customer_edits=True, customer_deletes=True, reactions=True, echoes=True
    ),
    open=_open,
    accounts=brands_in("accounts"),
    example=EXAMPLE,
    mentions=mentions_in("accounts"),
    quality=quality(
        Rule.VERIFIES_RAW_BYTES,
        Rule.ACKNOWLEDGES_AFTER_LOG,
        Rule.KEEPS_ORIGINALS,
        Rule.QUARANTINES_MALFORMED,
        Rule.ROTATES_SECRETS,
        Rule.TRIES_PAYLOADS,
    ),
)
