"""What a condition would have done with what came: how often it held, and how often each of its clauses did by itself."""

from dataclasses import dataclass, field

from processors.conditions import clause_test, clauses, compile_condition
from processors.looking import Facts, Looked
from schemas.conditions import Clause, Condition


@dataclass(slots=True)
class ClauseCount:
    """`held`: of all that were looked at, whatever the other clauses said. `alone`: held here, and the whole did not."""

    clause: Clause
    held: int = 0
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
        found = clauses(self.condition) if self.condition is not None else ()
        self.clauses = tuple(map(ClauseCount, found))
        self._tests = tuple(map(clause_test, found))

    def look(self, facts: Facts) -> bool:
        """Whether the condition holds; counted."""
        looked = Looked(facts)
        holds = self._compiled is None or self._compiled.holds(looked)
        self.seen += 1
        self.matched += holds
        for count, test in zip(self.clauses, self._tests, strict=True):
            if test(looked):
                count.held += 1
                count.alone += not holds
        return holds
