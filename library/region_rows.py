"""Regions read by id or by row of their table, and kept in memory: versions never change."""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from threading import RLock
from typing import TypeVar

from pagehop.library.matches import quoted
from pagehop.library.tables import to_regions
from pagehop.library.visible_rows import SHOWN, TableRow, VisibleRows
from pagehop.types import Region

K = TypeVar("K")
V = TypeVar("V")
CACHED_REGIONS = 20_000


class RegionRows:
    """The regions of one snapshot."""

    def __init__(self, visible: VisibleRows) -> None:
        """Read nothing yet."""
        self._visible = visible
        self._by_id: OrderedDict[str, Region] = OrderedDict()
        self._by_row: OrderedDict[TableRow, Region] = OrderedDict()
        self._lock = RLock()

    def with_ids(self, ids: Iterable[str]) -> dict[str, Region]:
        """Return the regions that exist and are visible, by id."""
        wanted = list(dict.fromkeys(ids))
        with self._lock:
            found = {id: self._by_id[id] for id in wanted if id in self._by_id}
        missing = [id for id in wanted if id not in found]
        if missing:
            where = f"id IN ({quoted(missing)})"
            for key in self._visible.partitions:
                for region in to_regions(self._visible.rows(key, "regions", where)):
                    if self._visible.home(region.document) == key:
                        found[region.id] = region
            with self._lock:
                remember(self._by_id, found, CACHED_REGIONS)
        return {id: found[id] for id in wanted if id in found}

    def at(self, rows: Collection[TableRow]) -> dict[TableRow, Region]:
        """Return what stands in some rows; those of documents read from elsewhere are left out."""
        with self._lock:
            found = {row: self._by_row[row] for row in rows if row in self._by_row}
        missing: dict[str, list[int]] = {}
        for key, number in rows:
            if (key, number) not in found:
                missing.setdefault(key, []).append(number)
        for key, numbers in missing.items():
            where = f"_rowid IN ({', '.join(map(str, numbers))})"
            read = self._visible.rows(key, "regions", where, [*SHOWN["regions"], "_rowid"])
            numbers = read["_rowid"].to_pylist()
            regions = to_regions(read.drop_columns("_rowid"))
            found |= {(key, row): region for row, region in zip(numbers, regions, strict=True)}
        own = {row: of for row, of in found.items() if self._visible.home(of.document) == row[0]}
        with self._lock:
            remember(self._by_row, found, CACHED_REGIONS)
            remember(self._by_id, {region.id: region for region in own.values()}, CACHED_REGIONS)
        return own


def remember(cache: OrderedDict[K, V], values: Mapping[K, V], size: int) -> None:
    """Keep values as the ones asked for last, and at most so many."""
    for key, value in values.items():
        cache[key] = value
        cache.move_to_end(key)
    while len(cache) > size:
        cache.popitem(last=False)
