"""What a principal may see and do to cases. What may not be seen does not exist (`Unknown`)."""

from collections.abc import Sequence

from hub.company import Company
from schemas.accounts import Principal, Role, Scope
from schemas.commands import AssignCase, Command, SplitCase, StartCase, TransferCase
from schemas.documents import Case
from schemas.errors import Forbidden, Invalid, Unknown
from schemas.sentences import said


def visible_queues(principal: Principal) -> Sequence[str] | None:
    """None: all."""
    queues = principal.queues()
    return None if queues is None else sorted(queues)


def must_read_log(principal: Principal) -> None:
    if Scope.EVENTS not in principal.scopes or principal.queues() is not None:
        raise Forbidden("reading the log needs the scope 'events' and a role in every queue ('*')")


def must_see(principal: Principal, queue: str) -> None:
    if principal.role_in(queue) is None:
        raise Unknown(said("there is no queue {queue!r}, or you do not read it", queue=queue))


def must_command(principal: Principal, company: Company, case: Case, command: Command) -> None:
    _must_write(principal)
    needs_supervisor = isinstance(command, AssignCase) and command.assignee not in (None, principal.id)
    if needs_supervisor and not principal.is_at_least(Role.SUPERVISOR, case.queue):
        raise Forbidden("giving a case to somebody else needs the role supervisor in its queue")
    if isinstance(command, TransferCase | SplitCase):
        _must_be_queue(company, command.queue)


def must_start(principal: Principal, company: Company, brand: str | None, command: StartCase) -> None:
    """`brand` is that of the account from which it is written."""
    _must_write(principal)
    must_see(principal, command.queue)
    _must_be_queue(company, command.queue)
    if brand != command.brand:
        raise Invalid("choose from whom it comes", {"sender": "the account is none of this brand"})


def _must_write(principal: Principal) -> None:
    if Scope.WRITE not in principal.scopes:
        raise Forbidden("this key may only read")


def _must_be_queue(company: Company, queue: str) -> None:
    if not company.has_queue(queue):
        raise Invalid("queue is not known", {"queue": said("there is no queue {name!r}", name=queue)})
