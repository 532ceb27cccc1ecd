"""Canned answers: the company's templates, filled for one case and one agent, ready to be edited and sent."""

import asyncio
from dataclasses import dataclass

from hub.service import Service
from processors.cases.answers import brand_of, template_variables
from processors.customers import Customer
from processors.templates import Variables, render
from schemas.accounts import Principal
from schemas.configuration import Template
from schemas.documents import Case, EntryKind
from schemas.errors import Never, Unknown


@dataclass(frozen=True, slots=True)
class CannedAnswer:
    """`problem` says why a template cannot be filled; `text` is empty then."""

    name: str
    text: str
    problem: str = ""


async def canned_answers(service: Service, principal: Principal, case: Case) -> list[CannedAnswer]:
    """All templates in the order of the configuration, in the language of the case."""
    configuration = service.company.current.configuration
    if not configuration.templates:
        return []
    customer, message = await asyncio.gather(
        _customer(service, case), service.timeline(principal, case, 1, kinds=(EntryKind.MESSAGE,))
    )
    written = next((entry.text_new or entry.text for entry in message.items), "")
    variables = template_variables(
        case, customer, brand_of(configuration, case.brand), principal.name or principal.id, written
    )
    return [_filled(template, case.language, variables) for template in configuration.templates]


async def _customer(service: Service, case: Case) -> Customer | None:
    try:
        return await service.customer_by_handle(case.handle)
    except Unknown:
        return None


def _filled(template: Template, language: str, variables: Variables) -> CannedAnswer:
    try:
        _, text = render(template, language, variables)
    except Never as error:
        return CannedAnswer(template.name, "", str(error))
    return CannedAnswer(template.name, text.strip())
