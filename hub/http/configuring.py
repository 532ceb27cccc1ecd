"""The next configuration by the API: draft, difference, publishing, going back. What the console's forms do, without forms."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field, JsonValue
from pydantic_core import to_jsonable_python

from hub.configuring import LONGEST_NOTE, Standing
from hub.http.cases import Context
from hub.http.configuration import LARGEST_NUMBER, Published
from hub.http.problems import FieldProblem, responses
from hub.http.requests import Operation
from hub.http.rights import Acting, Configurer, Supervisor
from processors.configuration_difference import Change, changes
from processors.hours import next_change
from schemas.configuration import Configuration, Origin, Template

router = APIRouter(
    prefix="/api/v1/configuration",
    tags=["configuration"],
    route_class=Operation,
    responses=responses(401, 403, 404, 409, 422),
)
Number = Annotated[int, Path(ge=1, le=LARGEST_NUMBER)]
Note = Annotated[str, Field(max_length=LONGEST_NOTE, description="why, for the history")]


class ChangeOut(BaseModel):
    """One change, as data and as a sentence."""

    kind: str = Field(description="queues, rules …, or the name of a setting that is no list")
    what: str = Field(description="new, removed, changed, order")
    name: str = Field(description="of the queue, rule …")
    field: str = Field(description="what of it changed")
    old: JsonValue
    new: JsonValue
    sentence: str

    @classmethod
    def of(cls, change: Change) -> "ChangeOut":
        return cls(
            kind=change.kind,
            what=change.what,
            name=change.name,
            field=change.field,
            old=to_jsonable_python(change.old, by_alias=True),
            new=to_jsonable_python(change.new, by_alias=True),
            sentence=str(change),
        )


class Difference(BaseModel):
    changes: list[ChangeOut]


class DraftOut(BaseModel):
    """Yours, or the version in force where you keep none (`kept` false)."""

    base: int = Field(description="the version that it was begun on")
    kept: bool
    kept_at: datetime
    changes: list[ChangeOut]
    problems: list[FieldProblem] = Field(description="what keeps it from being published")
    overtaken_by: int | None = Field(description="a version that was published meanwhile: take it over first")
    configuration: Configuration

    @classmethod
    def of(cls, standing: Standing) -> "DraftOut":
        draft = standing.draft
        return cls(
            base=draft.base,
            kept=draft.revision > 0,
            kept_at=draft.kept_at,
            changes=[ChangeOut.of(each) for each in standing.changes],
            problems=[FieldProblem(field=at, detail=text) for at, text in standing.problems.items()],
            overtaken_by=standing.overtaken.number if standing.overtaken else None,
            configuration=draft.configuration,
        )


class TakenOver(BaseModel):
    """`met`: what both had changed, and stayed as in the draft, such as `rules.invoices`."""

    met: list[str]


class PublishIn(BaseModel):
    note: Note = ""


class BackIn(BaseModel):
    over: int = Field(ge=0, le=LARGEST_NUMBER, description="the version in force, as you know it")
    note: Note = ""


class PreviewIn(BaseModel):
    template: Template
    case: str = Field(
        default="", max_length=20, description="a case's number; empty: the newest that you read"
    )


class VariantOut(BaseModel):
    language: str
    subject: str
    text: str
    empty: list[str] = Field(description="variables that have no value in this case")


class PreviewOut(BaseModel):
    case: str
    variants: list[VariantOut]


class OpeningOut(BaseModel):
    """Whether a calendar is open now, and when that changes; null where it never does."""

    name: str
    is_open: bool
    changes_at: datetime | None


@router.get("/draft", summary="Your draft of the next configuration")
async def draft(context: Context, principal: Configurer) -> DraftOut:
    return DraftOut.of(await context.configuring.standing(principal.id))


@router.put("/draft", summary="Keep your draft")
async def keep(context: Context, principal: Configurer, body: Configuration) -> DraftOut:
    """Kept even with problems; they are told, and keep it from being published."""
    await context.configuring.edit(principal.id, lambda _: body)
    return DraftOut.of(await context.configuring.standing(principal.id))


@router.delete("/draft", summary="Give your draft up", status_code=204)
async def drop(context: Context, principal: Configurer) -> None:
    await context.configuring.drop(principal.id)


@router.post("/draft/take-over", summary="Put your draft on the version in force")
async def take_over(context: Context, principal: Configurer) -> TakenOver:
    _, met = await context.configuring.take_over(principal.id)
    return TakenOver(met=[f"{each.kind}.{each.name}" if each.name else each.kind for each in met])


@router.post("/draft/publish", summary="Publish your draft")
async def publish(context: Context, principal: Configurer, actor: Acting, body: PublishIn) -> Published:
    """Refused (409) where another version than its base is in force."""
    return Published(number=await context.configuring.publish(principal, actor, body.note, Origin.API))


@router.get("/versions/{number}/difference", summary="What a version changed")
async def difference(
    context: Context,
    principal: Supervisor,
    number: Number,
    of: Annotated[
        int | None,
        Query(ge=0, le=LARGEST_NUMBER, description="compared with this one; the one before if left out"),
    ] = None,
) -> Difference:
    configuring = context.configuring
    new = await configuring.at(number)
    old = await configuring.at(number - 1 if of is None else of)
    return Difference(changes=[ChangeOut.of(each) for each in changes(old, new)])


@router.post("/versions/{number}/back", summary="Go back to a version")
async def back(
    context: Context, principal: Configurer, actor: Acting, number: Number, body: BackIn
) -> Published:
    """It is published anew, under a new number; nothing of the history is lost."""
    return Published(
        number=await context.configuring.back(principal, actor, number, body.over, body.note, Origin.API)
    )


@router.post("/preview", summary="Show a template in a real case")
async def preview(context: Context, principal: Configurer, body: PreviewIn) -> PreviewOut:
    """Each language of it. Refused (422) with what is wrong, by line. Nothing is sent."""
    configuration = (await context.configuring.draft(principal.id)).configuration
    shown = await context.previewing.template(principal, body.template, configuration, body.case)
    variants = [
        VariantOut(language=each.language, subject=each.subject, text=each.text, empty=list(each.empty))
        for each in shown.variants
    ]
    return PreviewOut(case=shown.case.number, variants=variants)


@router.get("/hours", summary="Which business hours are open now")
async def opening(context: Context, principal: Supervisor) -> list[OpeningOut]:
    """Of the calendars in force."""
    _, configuration = await context.configuring.in_force()
    now = context.clock.now()
    changes_at = [(each.name, next_change(each, now)) for each in configuration.hours]
    return [OpeningOut(name=name, is_open=is_open, changes_at=at) for name, (is_open, at) in changes_at]
