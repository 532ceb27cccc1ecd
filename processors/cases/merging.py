"""Cases that become part of another, or are none: merging, and spam. Answers that were to leave later do not leave from there."""

from processors.cases.work import MOST_MERGES, MOST_PENDING, Nothing, Work
from schemas.case_messages import CaseReplied, CaseReplyCancelled
from schemas.case_work import CaseAbsorbed, CaseMerged, CaseReopened, CaseSpamCleared, CaseSpamMarked
from schemas.cases import CaseState
from schemas.commands import (
    ClearSpam,
    Command,
    MarkSpam,
    MergeCase,
)
from schemas.documents import Case
from schemas.errors import Invalid, Unknown
from schemas.sentences import said


def merge(work: Work, case: Case, command: MergeCase) -> None:
    target = work.case(command.into)
    if target is None:
        raise Unknown(said("there is no case {into}", into=command.into))
    if target.id == case.id:
        raise Invalid("a case cannot be merged into itself", {"into": "name another case"})
    if target.state is CaseState.SPAM:
        raise Invalid(
            said("case {number} is marked as spam", number=target.number), {"into": "clear the mark first"}
        )
    if len(case.absorbed) + len(target.absorbed) >= MOST_MERGES:
        raise Invalid(
            said("at most {n} cases can be merged into one", n=MOST_MERGES), {"into": "name another case"}
        )
    if len(case.pending) + len(target.pending) > MOST_PENDING:
        raise Invalid(
            said("the cases have more than {n} answers that leave later", n=MOST_PENDING),
            {"into": "cancel some first"},
        )
    pending = case.pending
    case = _cancel_pending(work, case, command)
    work.emit(case, CaseMerged(case=case.id, actor=command.actor, into=target.id))
    target = work.emit(
        target,
        CaseAbsorbed(
            case=target.id,
            actor=command.actor,
            absorbed=case.id,
            participants=case.participants,
            earlier=case.absorbed,
            brought=case.brought,
            steps=case.revision + case.ahead,
            waiting_since=case.waiting_since,
            due_at=case.due_at,
        ),
    )
    if case.waiting_since is not None and target.state is not CaseState.OPEN:
        reason = f"case {case.number}, which waits for an answer, was merged into it"
        target = work.emit(target, CaseReopened(case=target.id, actor=command.actor, reason=reason))
    for each in pending:  # what somebody wrote leaves when it was meant to, from the case that stays
        moved = {"message": work.next_id(), "case": target.id, "conversation": f"case:{target.id}"}
        message = each.message.model_copy(update=moved)
        replied = CaseReplied(case=target.id, actor=message.author, message=message, send_at=each.send_at)
        target = work.emit(target, replied)


def _cancel_pending(work: Work, case: Case, command: Command) -> Case:
    """Say of each answer that leaves later that it does not leave from this case."""
    for each in case.pending:
        cancelled = CaseReplyCancelled(case=case.id, actor=command.actor, message=each.message.message)
        case = work.emit(case, cancelled)
    return case


def mark_spam(work: Work, case: Case, command: MarkSpam) -> None:
    if case.state is CaseState.SPAM:
        raise Nothing(f"case {case.number} is marked as spam already")
    case = _cancel_pending(work, case, command)
    work.emit(case, CaseSpamMarked(case=case.id, actor=command.actor, keeps_wait=True))


def clear_spam(work: Work, case: Case, command: ClearSpam) -> None:
    if case.state is not CaseState.SPAM:
        raise Nothing(f"case {case.number} is not marked as spam")
    waits_again = case.unanswered is not None
    work.emit(case, CaseSpamCleared(case=case.id, actor=command.actor, waits_again=waits_again))
