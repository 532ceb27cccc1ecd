"""Trying rules, automations and templates on what really came, by the API."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from hub.http.cases import Context
from hub.http.problems import responses
from hub.http.requests import Operation
from hub.http.rights import Configurer
from hub.trying import DAYS, MOST_DAYS, Outcome
from processors.automation_problems import problems as automation_problems
from processors.condition_problems import problems as condition_problems
from processors.configuration import OPENING, choices
from processors.explaining import phrase
from processors.problems import Problem
from schemas.configuration import Automation, Configuration, Rule
from schemas.errors import Invalid

router = APIRouter(
    prefix="/api/v1/configuration/trial",
    tags=["configuration"],
    route_class=Operation,
    responses=responses(401, 403, 422),
)
Days = Annotated[int, Field(ge=1, le=MOST_DAYS, description="so far back")]


class RuleTrial(BaseModel):
    rule: Rule
    days: Days = DAYS


class AutomationTrial(BaseModel):
    automation: Automation
    days: Days = DAYS


class ClauseOut(BaseModel):
    clause: str
    unless: bool = Field(description="it stands under a `not`: it lets through where it does not hold")
    through: int = Field(description="so many it lets through by itself")
    alone: int = Field(description="of these, so many the others stop")


class MatchOut(BaseModel):
    at: datetime
    number: str
    queue: str
    subject: str
    sender: str
    does: str = Field(description="`decides` the queue, `matches` behind another rule, `fires`, `held-back`")


class TrialOut(BaseModel):
    """Of `seen` new cases (or events) since `since`, so many matched. `cut`: a bound was reached, and older ones not read."""

    since: datetime
    seen: int
    matched: int
    acts: int = Field(description="of the matched: the rule decides the queue, the automation does something")
    cut: bool
    clauses: list[ClauseOut]
    matches: list[MatchOut] = Field(description="the newest, at most 50")

    @classmethod
    def of(cls, outcome: Outcome) -> "TrialOut":
        return cls(
            since=outcome.since,
            seen=outcome.seen,
            matched=outcome.matched,
            acts=outcome.acts,
            cut=outcome.cut,
            clauses=[
                ClauseOut(
                    clause=phrase(each.clause), unless=each.unless, through=each.through, alone=each.alone
                )
                for each in outcome.clauses
            ],
            matches=[
                MatchOut(**{name: getattr(each, name) for name in MatchOut.model_fields})
                for each in outcome.matches
            ],
        )


@router.post("/rule", summary="Try a rule on last week's messages")
async def try_rule(context: Context, principal: Configurer, body: RuleTrial) -> TrialOut:
    """Over the messages that opened cases, with the other rules of your draft around it. Changes nothing."""
    configuration = (await context.configuring.draft(principal.id)).configuration
    _refuse(condition_problems(body.rule.when, choices(configuration), "rule.when", OPENING))
    return TrialOut.of(await context.trying.rule(body.rule, configuration, body.days))


@router.post("/automation", summary="Try an automation on last week's events")
async def try_automation(context: Context, principal: Configurer, body: AutomationTrial) -> TrialOut:
    """How often it would have run. Changes nothing, and sends nothing."""
    configuration = (await context.configuring.draft(principal.id)).configuration
    _refuse(_problems_of(body.automation, configuration))
    return TrialOut.of(await context.trying.automation(body.automation, configuration, body.days))


def _problems_of(automation: Automation, configuration: Configuration) -> list[Problem]:
    alone = configuration.model_copy(update={"automations": (automation,)})
    return [each for each in automation_problems(alone, choices(configuration)) if "[0].when." in each.path]


def _refuse(found: list[Problem]) -> None:
    if found:
        raise Invalid("the condition cannot be tried", {each.path: each.message for each in found})
