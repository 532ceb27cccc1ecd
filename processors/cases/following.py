"""What policies and timers ask for: come back later, tell somebody outside, do what is due."""

from uuid import UUID

from processors.cases import answers
from processors.cases.replying import release_answer
from processors.cases.timers import FIRST_RESPONSE, SNOOZE, automation_timer
from processors.cases.work import Nothing, Work
from schemas.case_messages import CaseNotified
from schemas.case_work import CaseOverdue, CaseScheduled, CaseScheduleReached, CaseWoken
from schemas.commands import (
    NotifyOutside,
    ScheduleAutomation,
    TimerDue,
)
from schemas.documents import Case
from schemas.errors import Invalid
from schemas.events import SYSTEM
from schemas.notices import CaseNotice, NoticedCase


def schedule(work: Work, case: Case, command: ScheduleAutomation) -> None:
    scheduled = CaseScheduled(
        case=case.id, actor=command.actor, automation=command.automation, due_at=command.due_at
    )
    work.emit(case, scheduled)


def notify(work: Work, case: Case, command: NotifyOutside) -> None:
    id = work.next_id()
    if command.endpoint is not None:
        told = NoticedCase(id=case.id, **dict(case.summary()))
        notice = CaseNotice(about=command.about, automation=command.actor.id, case=told)
        message = answers.webhook(work, case, id, command.actor, command.endpoint, notice.payload())
    else:
        template = work.facts.templates.get(command.template or "")
        if template is None or command.to is None:
            raise Invalid(
                "a notice needs an address and a template that exist", {"template": str(command.template)}
            )
        subject, text = answers.from_template(work, case, template)
        message = answers.notice(work, case, id, command.actor, command.to, subject, text)
    work.emit(case, CaseNotified(case=case.id, actor=command.actor, message=message))
    work.send(message)


def timer(work: Work, case: Case, command: TimerDue) -> None:
    held = next((timer for timer in case.timers if timer.name == command.timer), None)
    if held is None or held.due_at != command.due_at:
        raise Nothing(f"the case no longer holds the timer {command.timer}")
    if held.name == SNOOZE:
        work.emit(case, CaseWoken(case=case.id, actor=SYSTEM, reason="time"))
    elif held.name == FIRST_RESPONSE:
        work.emit(case, CaseOverdue(case=case.id, actor=SYSTEM, due_at=held.due_at))
    elif held.name.startswith("automation:"):
        name = held.name.removeprefix(automation_timer(""))
        work.emit(case, CaseScheduleReached(case=case.id, actor=SYSTEM, automation=name))
    else:
        release_answer(work, case, UUID(held.name.removeprefix("send:")))
