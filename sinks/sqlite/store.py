"""What one step changes, in the order in which it is written. Used by the one thread that writes."""

from dataclasses import dataclass, field

import apsw

from schemas.crash import crash_point
from schemas.errors import Conflict
from schemas.steps import Step
from sinks.sqlite.blobs import write_blob_row
from sinks.sqlite.consumers import claim, move, write_outcomes
from sinks.sqlite.documents import Tables, delete_documents, write_documents, write_remade
from sinks.sqlite.entries import Refs, change_entries, write_entries
from sinks.sqlite.log import Head, Names, append, write_head
from sinks.sqlite.search_index import write_search


@dataclass(slots=True)
class Store:
    """The connection that writes, and what it remembers between steps."""

    connection: apsw.Connection
    tables: Tables
    names: Names
    head: Head
    refs: Refs = field(default_factory=Refs)

    def apply(self, step: Step) -> None:
        """Writes a step within the open savepoint. Raises Conflict before anything that cannot be rolled back."""
        connection = self.connection
        if step.consumer is not None and step.position is not None:
            move(connection, step.consumer, step.before, step.position)
        claim(connection, step.claims)
        try:
            write_documents(connection, self.tables, step.documents)
            write_remade(connection, self.tables, step.remade)
        except apsw.ConstraintError as error:
            raise Conflict(f"a document with the same unique columns exists ({error})") from error
        delete_documents(connection, self.tables, step.deletions)
        for blob in step.blobs:
            write_blob_row(connection, blob)
        if step.events:
            self.head = append(connection, self.names, self.head, step.events)
        crash_point("engine.after-events")
        write_entries(connection, self.refs, step.entries)
        change_entries(connection, step.changes)
        write_outcomes(connection, step.outcomes)
        write_search(connection, step.search)
        crash_point("engine.before-step-end")

    def finish(self, before: Head) -> None:
        """Before the commit of a group: the head is written once for all of its steps."""
        if self.head != before:
            write_head(self.connection, self.head)

    def roll_back_to(self, head: Head) -> None:
        """What was remembered of a step that did not come to be is forgotten."""
        self.head = head
        self.refs.forget()
