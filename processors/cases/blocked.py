"""What a blocked sender writes: kept on the log and in a list, routed nowhere, counted as ignored."""

from processors.cases.changes import Kept
from processors.cases.work import Work
from schemas.blocking import Block, HeldMessage, block_ids
from schemas.ids import derive
from schemas.interactions import InteractionReceived

EXCERPT = 200


def hold(work: Work, received: InteractionReceived) -> None:
    """Raises Kept where the sender is blocked. What they write to a case that is open is held as well."""
    if received.sender is None or not work.knows_blocks:
        return
    for id in block_ids(received.sender):
        block = work.get(Block, id)
        if block is not None:
            work.put(_held(work, received, block))
            raise Kept(f"the sender is blocked: {block.value}")


def _held(work: Work, received: InteractionReceived, block: Block) -> HeldMessage:
    sender, content = received.sender, received.content
    assert sender is not None
    return HeldMessage(
        id=derive("held", work.cause.id.hex),
        revision=1,
        block=block.id,
        event=work.cause.id,
        conversation=work.cause.key,
        channel=received.channel,
        account=received.account,
        sender=sender.value,
        sender_name=sender.name,
        subject=content.subject[:EXCERPT],
        excerpt=" ".join((content.text_new or content.text)[: EXCERPT * 2].split())[:EXCERPT],
        received_at=received.received_at,
    )
