"""What stands of a person beside a case, but for handles: whom they belong to, what is noted, to what they agreed."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from hub.console.places import ROOT
from hub.http.context import AppContext
from processors.mail_domains import is_shared
from schemas.accounts import Principal, Role
from schemas.blocking import mail_domain
from schemas.documents import Case

URL = f"{ROOT}/organizations"


@dataclass(frozen=True, slots=True)
class AttributeField:
    """One that the configuration knows, with what is said of this person."""

    name: str
    title: str
    type: str
    choices: Sequence[str]
    value: str


@dataclass(frozen=True, slots=True)
class AboutPerson:
    organization: str = ""
    organization_url: str = ""
    suggested: str = ""
    """Where to make one of the domain, for who may."""
    consents: Sequence[tuple[str, str]] = ()
    fields: Sequence[AttributeField] = ()
    can_export: bool = False


NOTHING_KNOWN = AboutPerson()


async def about_person(context: AppContext, principal: Principal, case: Case) -> AboutPerson:
    """Of the person of a case that the principal reads."""
    customer = await context.service.customer_by_handle(case.handle)
    found = await context.organizations.of(customer.handles)
    supervises = principal.is_at_least(Role.SUPERVISOR)
    domain = next((mail_domain(each) for each in customer.handles if mail_domain(each)), "")
    offers = found is None and supervises and domain and not is_shared(domain)
    consents = {name: version for each in customer.handles for name, version in each.consents.items()}
    return AboutPerson(
        organization=found.name if found else "",
        organization_url=f"{URL}/{found.id}" if found else "",
        suggested=f"{URL}?{urlencode({'domain': domain})}" if offers else "",
        consents=sorted(consents.items()),
        fields=[
            AttributeField(
                each.name,
                each.title or each.name,
                str(each.type),
                each.choices,
                customer.attributes.get(each.name, ""),
            )
            for each in context.service.company.current.configuration.person_attributes
        ],
        can_export=supervises,
    )
