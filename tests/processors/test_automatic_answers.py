"""Automatic answers go to nobody often, whoever asks for them."""

from processors.cases.decide import leads_on, wants
from schemas.commands import AnswerFromTemplate
from schemas.documents import Case, Handle
from schemas.events import Event
from schemas.identity import HandleSeen
from schemas.interactions import Participant, Role
from schemas.outbound import OutboundQueued
from schemas.steps import Found, OutcomeKind
from tests.processors.world import CONFIGURATION, RULE, World, event_of, mail

VICTIM = Participant(role=Role.REPLY_TO, scheme="email", value="victim@example.org")


def stranger(number: int) -> Participant:
    return Participant(role=Role.FROM, scheme="email", value=f"stranger-{number}@example.net")


def answer(case: Case) -> AnswerFromTemplate:
    return AnswerFromTemplate(case=case.id, actor=RULE, template="thanks")


def load(world: World, *inputs: Event) -> Found:
    """As the hub loads: no further than answers lead on."""
    found = Found()
    while references := wants(inputs, found, world.handle_id):
        more = world.load(references)
        found.absorb(references, more)
        if not leads_on(found, more):
            break
    return found


def test_many_who_ask_for_answers_at_one_address_cannot_flood_it() -> None:
    for at_once in (True, False):
        world = World()
        world.do(
            *(
                mail(str(number), stranger(number), participants=(stranger(number), VICTIM))
                for number in range(9)
            )
        )
        commands = [answer(case) for case in world.cases()]
        results = world.do(*commands) if at_once else [world.do(each)[0] for each in commands]
        sent = [each.message.recipients[0].value for each in world.told(OutboundQueued)]
        assert sent == [VICTIM.value] * CONFIGURATION.automatic_answers_per_day
        assert [each.kind for each in results[2:]] == [OutcomeKind.IGNORED] * 7
        assert [each.value for each in world.told(HandleSeen)].count(VICTIM.value) == 1


def test_the_same_command_twice_answers_once() -> None:
    world = World()
    world.do(mail("a", participants=(stranger(1), VICTIM)))
    event = event_of(answer(world.case()))
    world.decide(event)
    _, results = world.decide(event)
    assert results[0].kind is OutcomeKind.DUPLICATE
    assert len(world.told(OutboundQueued)) == 1


def test_the_one_who_is_answered_is_looked_up_though_the_writer_is_known_already() -> None:
    world = World()
    world.do(mail("a", participants=(stranger(1), VICTIM)))
    again = mail("b", participants=(stranger(1),), parents=("mail:a",))
    found = load(world, event_of(again), event_of(answer(world.case())))
    assert world.handle_id(VICTIM.scheme, VICTIM.value) in found.asked.documents[Handle]
