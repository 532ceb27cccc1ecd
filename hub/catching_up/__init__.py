"""A store that is older than its log (a backup was put back) is brought up to what the log tells, before anything works again.

The log is the truth. What it tells and the store does not know is folded into the store; nothing is decided, sent or told again.
Consumers then read on from the positions that the store holds, and find all of it done.
"""

from hub.catching_up.older import refuse_older
from hub.catching_up.run import catch_up

__all__ = ["catch_up", "refuse_older"]
