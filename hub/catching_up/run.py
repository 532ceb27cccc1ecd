"""All of it, in the order in which one part needs another."""

from collections import Counter
from collections.abc import Mapping

from hub.catching_up.cases import Cases
from hub.catching_up.handles import Handles
from hub.catching_up.outbound import Outbound
from hub.catching_up.positions import Positions
from hub.catching_up.rest import Configurations, Quarantine
from schemas.errors import Refused
from schemas.ports import Clock, Engine

ONE = "log and states are one file here: a backup that is put back has both of one moment"


async def catch_up(engine: Engine, clock: Clock) -> Mapping[str, int]:
    """Brings the store up to its log. No other process of the installation may run. Doing it twice does nothing more.

    Returns how many of each kind were changed. Raises Refused on the embedded engine, and Outage.
    """
    if engine.is_one_order:
        raise Refused(ONE)
    counts: Counter[str] = Counter()
    await Configurations(engine, counts).run()
    await Handles(engine, counts).run()
    await Outbound(engine, counts, clock.now()).run()
    await Quarantine(engine, counts).run()
    cases = Cases(engine, counts)
    await cases.run()  # by which a start is let through again, so all that could do harm is done by now
    await Positions(engine, clock, counts, cases.caused).run()
    return counts
