"""Messages that go on in a case of their own. They stay where they were written; the new case shows them, too.

So nothing that was decided about them is another: entries, threads and the fold of the old case are as they were. Merging the
new case into the old one takes it back.
"""

from processors.cases.answers import MAIL
from processors.cases.receive import due_at
from processors.cases.work import Work
from schemas.case_messages import CaseStarted
from schemas.case_work import CaseSplit
from schemas.cases import CaseState
from schemas.commands import SplitCase
from schemas.documents import Case
from schemas.errors import Invalid
from schemas.ids import case_number
from schemas.sentences import said


def split(work: Work, case: Case, command: SplitCase) -> None:
    if case.state is CaseState.SPAM:
        raise Invalid(
            said("case {number} is marked as spam", number=case.number),
            {"case": "clear the mark before you split it"},
        )
    number = case_number(command.into)
    told = CaseSplit(
        case=case.id, actor=command.actor, into=command.into, number=number, entries=command.entries
    )
    work.emit(case, told)
    work.emit(
        None,
        CaseStarted(
            case=command.into,
            actor=command.actor,
            number=number,
            brand=case.brand,
            channel=case.channel,
            account=case.account,
            # Mail finds its case by what the answer bears; elsewhere the place itself is the conversation.
            conversation=f"case:{command.into}" if case.channel == MAIL else case.conversation,
            handle=command.handle,
            queue=command.queue,
            subject=command.subject.strip() or case.subject,
            language=case.language,
            reply_recipients=command.to,
            related=case.id,
            brought=command.entries,
            waiting_since=command.waiting_since,
            due_at=due_at(work, command.queue, work.facts.now),
        ),
    )
