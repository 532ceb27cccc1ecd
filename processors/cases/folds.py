"""Versions of the fold: what a case stored by an earlier version of Hubbub lacks, and how it is compared all the same.

`FOLD` rises whenever the same events make another case than before: a new folded field, a new column, a fault put right. A stored
case says which fold made it. It is folded again when it is decided on, or in the background (hub.refolding); until then a
fresh fold is brought down to what the earlier one made (`as_of`), so that what differs for another reason is still seen.
"""

from collections.abc import Callable, Mapping
from typing import Any

from schemas.documents import Case

FOLD = 2
"""The version of the fold in processors.cases.evolve. To raise it: add a line to EARLIER that takes the difference back."""


def _first(case: Case) -> dict[str, Any]:
    return {
        "timers": tuple(each.model_copy(update={"chain": ()}) for each in case.timers),
        "wrote_at": None,
    }


EARLIER: Mapping[int, Callable[[Case], dict[str, Any]]] = {1: _first}
"""Version -> what the fold of that version made otherwise than the one after it. 1 knew neither which automations set a timer nor
when the customer wrote last."""


def as_of(case: Case, version: int) -> Case:
    """The case as an earlier fold makes it of the same events."""
    for each in range(FOLD - 1, version - 1, -1):
        case = case.model_copy(update={**EARLIER[each](case), "fold": each})
    return case
