"""Measurements on disk: one SQLite file, a row for each. A row is safe once `add` has returned.

    store = Store()                     the user's own; Store("lab.db") for another
    store.add(Record(…))                returns it with its id and run
    compare(store.get(1), store.get(2))

Needs no torch: the code that measures makes the records.
"""

from costcalc.errors import StoreError, UnlikeRuns
from costcalc.store.canonical import graph_hash
from costcalc.store.comparison import RunComparison, compare
from costcalc.store.database import Store
from costcalc.store.export import export_rows
from costcalc.store.record import Record
from costcalc.store.seconds_lookup import seconds_lookup

__all__ = [
    "Record",
    "RunComparison",
    "Store",
    "StoreError",
    "UnlikeRuns",
    "compare",
    "export_rows",
    "graph_hash",
    "seconds_lookup",
]
