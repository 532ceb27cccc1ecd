"""What an agent does with a case, apart from answering it: take it, put it off, put it away, sort it."""

from processors.cases.receive import due_at
from processors.cases.work import Nothing, Work
from schemas.case_messages import CaseNoted
from schemas.case_work import (
    CaseAssigned,
    CaseClaimed,
    CasePrioritized,
    CaseReopened,
    CaseResolved,
    CaseSnoozed,
    CaseTagged,
    CaseTransferred,
    CaseWoken,
)
from schemas.cases import CaseState
from schemas.commands import (
    AssignCase,
    ClaimCase,
    NoteCase,
    PrioritizeCase,
    ReopenCase,
    ResolveCase,
    SnoozeCase,
    TagCase,
    TransferCase,
    WakeCase,
)
from schemas.documents import Case
from schemas.errors import Invalid, Stale
from schemas.sentences import said

MOST_TAGS = 50


def note(work: Work, case: Case, command: NoteCase) -> None:
    work.emit(case, CaseNoted(case=case.id, actor=command.actor, text=command.text))


def claim(work: Work, case: Case, command: ClaimCase) -> None:
    if case.assignee == command.actor.id:
        raise Nothing(f"case {case.number} is yours already")
    if case.assignee is not None:
        since = case.assigned_at.isoformat() if case.assigned_at else ""
        raise Stale(
            said("{assignee} took case {number} first", assignee=case.assignee, number=case.number),
            {"assignee": case.assignee, "assigned_at": since},
        )
    work.emit(case, CaseClaimed(case=case.id, actor=command.actor, assignee=command.actor.id))


def assign(work: Work, case: Case, command: AssignCase) -> None:
    if case.assignee == command.assignee:
        raise Nothing(f"case {case.number} is with {command.assignee or 'nobody'} already")
    work.emit(case, CaseAssigned(case=case.id, actor=command.actor, assignee=command.assignee))


def snooze(work: Work, case: Case, command: SnoozeCase) -> None:
    if case.state is CaseState.SPAM:
        raise Invalid(
            said("case {number} is marked as spam", number=case.number),
            {"case": "clear the mark before you snooze it"},
        )
    if command.until <= work.facts.now:
        raise Invalid("snooze ends in the past", {"until": "give a time to come"})
    work.emit(case, CaseSnoozed(case=case.id, actor=command.actor, until=command.until))


def wake(work: Work, case: Case, command: WakeCase) -> None:
    if case.state is not CaseState.SNOOZED:
        raise Nothing(f"case {case.number} is not snoozed")
    work.emit(case, CaseWoken(case=case.id, actor=command.actor, reason="by hand"))


def resolve(work: Work, case: Case, command: ResolveCase) -> None:
    if case.state is CaseState.RESOLVED:
        raise Nothing(f"case {case.number} is resolved already")
    if case.state is CaseState.SPAM:
        raise Invalid(
            said("case {number} is marked as spam", number=case.number),
            {"case": "clear the mark before you resolve it"},
        )
    work.emit(case, CaseResolved(case=case.id, actor=command.actor))


def reopen(work: Work, case: Case, command: ReopenCase) -> None:
    if case.state is not CaseState.RESOLVED:
        raise Nothing(f"case {case.number} is not resolved")
    waits_again = case.unanswered is not None
    work.emit(
        case, CaseReopened(case=case.id, actor=command.actor, reason="by hand", waits_again=waits_again)
    )


def tag(work: Work, case: Case, command: TagCase) -> None:
    added = tuple(dict.fromkeys(tag for tag in command.add if tag not in case.tags))
    removed = tuple(dict.fromkeys(tag for tag in command.remove if tag in case.tags))
    if not added and not removed:
        raise Nothing(f"case {case.number} has these tags already")
    if len(case.tags) + len(added) - len(removed) > MOST_TAGS:
        raise Invalid(said("a case has at most {n} tags", n=MOST_TAGS), {"add": "remove others first"})
    work.emit(case, CaseTagged(case=case.id, actor=command.actor, added=added, removed=removed))


def prioritize(work: Work, case: Case, command: PrioritizeCase) -> None:
    if case.priority is command.priority:
        raise Nothing(f"case {case.number} has the priority {command.priority} already")
    work.emit(case, CasePrioritized(case=case.id, actor=command.actor, priority=command.priority))


def transfer(work: Work, case: Case, command: TransferCase) -> None:
    if command.queue not in work.facts.queues:
        raise Invalid(
            said("there is no queue {name!r}", name=command.queue),
            {"queue": said("one of {names}", names=", ".join(work.facts.queues))},
        )
    if case.queue == command.queue:
        raise Nothing(f"case {case.number} is in {command.queue} already")
    due = (
        due_at(work, command.queue, work.facts.now) if case.waiting_since and not case.responded_at else None
    )
    work.emit(case, CaseTransferred(case=case.id, actor=command.actor, queue=command.queue, due_at=due))
