"""What a condition would have done with what came: how often it held, and how much each of its clauses let through by itself."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from processors.conditions import clause_test, compile_condition
from processors.looking import Facts, Looked
from schemas.conditions import All, Clause, Condition, Not


@dataclass(slots=True)
class ClauseCount:
    """`through`: of all that were looked at, whatever the other clauses said. `alone`: through here, and the whole did not hold.

    What stands under a `not` lets through where it does not hold (`unless`).
    """

    clause: Clause
    unless: bool = False
    through: int = 0
    alone: int = 0


@dataclass
class Trial:
    """Counts over many facts. No condition always holds. Raises ValueError for what is no condition."""

    condition: Condition | None
    seen: int = 0
    matched: int = 0
    clauses: tuple[ClauseCount, ...] = field(init=False)

    def __post_init__(self) -> None:
        self._compiled = compile_condition(self.condition) if self.condition is not None else None
        self.clauses = tuple(_counts(self.condition, False)) if self.condition is not None else ()
        self._tests = tuple(clause_test(each.clause) for each in self.clauses)

    def look(self, facts: Facts) -> bool:
        """Whether the condition holds; counted."""
        looked = Looked(facts)
        holds = self._compiled is None or self._compiled.holds(looked)
        self.seen += 1
        self.matched += holds
        for count, test in zip(self.clauses, self._tests, strict=True):
            if test(looked) is not count.unless:
                count.through += 1
                count.alone += not holds
        return holds


def _counts(condition: Condition, unless: bool) -> Iterator[ClauseCount]:
    if isinstance(condition, Clause):
        yield ClauseCount(condition, unless)
    elif isinstance(condition, Not):
        yield from _counts(condition.not_, not unless)
    else:
        for child in condition.all if isinstance(condition, All) else condition.any:
            yield from _counts(child, unless)
