"""Terminated instances stay visible for an hour, as in EC2."""

from datetime import datetime, timedelta
from typing import Final

from lb.api.call import Call
from lb.resources.records import Kind

_VISIBLE: Final = timedelta(hours=1)
_MOST: Final = 100
"""So that a client that launches and terminates for an hour does not fill the store."""


def forget_terminated(call: Call) -> None:
    """Deletes the records of instances that were terminated long ago, and the oldest where there are very many."""
    gone = [each for each in call.tx.all(Kind.INSTANCE) if each.more["desired"] == "terminated"]
    gone.sort(key=lambda each: str(each.more["terminated"]))
    newest = gone[-_MOST:]
    for instance in gone:
        if instance not in newest or call.now - datetime.fromisoformat(instance.more["terminated"]) > _VISIBLE:
            call.tx.delete(Kind.INSTANCE, instance.id)
