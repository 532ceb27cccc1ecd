"""Templates shown as they would read in a real case, before anybody gets them. Nothing is sent."""

from collections.abc import Mapping
from dataclasses import dataclass

from hub.case_lists import CaseFilter
from hub.service import Service
from processors.cases.answers import brand_of, template_variables
from processors.template_preview import Preview, preview
from processors.template_problems import problems
from schemas.accounts import Principal
from schemas.configuration import Configuration, Template
from schemas.documents import Case, EntryKind
from schemas.errors import Invalid


@dataclass(frozen=True, slots=True)
class Previews:
    case: Case
    variants: tuple[Preview, ...]


class Previewing:
    def __init__(self, service: Service) -> None:
        self._service = service

    async def template(
        self, principal: Principal, template: Template, configuration: Configuration, number: str = ""
    ) -> Previews:
        """In the case of this number, else in the newest one that the principal reads.

        Raises Invalid with what is wrong with the template, and Unknown where there is no such case.
        """
        faults: Mapping[str, str] = {each.path: each.message for each in problems(template)}
        if faults:
            raise Invalid("the template cannot be shown", faults)
        case = await self._case(principal, number)
        view = await self._service.customer_by_handle(case.handle)
        page = await self._service.timeline(principal, case, 1, None, (EntryKind.MESSAGE,))
        said = (page.items[0].text_new or page.items[0].text) if page.items else ""
        brand = brand_of(configuration, case.brand)
        agent = principal.name or principal.id
        variables = template_variables(case, view, brand, agent, said)
        return Previews(case, tuple(preview(template, each, variables) for each in template.text))

    async def _case(self, principal: Principal, number: str) -> Case:
        if number:
            return await self._service.case(principal, number)
        page = await self._service.cases(principal, CaseFilter(states=(), sort="newest"), 1)
        if not page.items:
            raise Invalid("there is no case yet", {"case": "wait for a first message, or name a case"})
        return page.items[0]
