"""Sets of MySQL GTIDs: `uuid:1-5:7, uuid2:1`."""

from __future__ import annotations


class GtidSet:
    def __init__(self, text: str = ""):
        self.intervals: dict[str, list[list[int]]] = {}
        for part in filter(None, (part.strip() for part in text.split(","))):
            uuid, *ranges = part.split(":")
            for span in ranges:
                first, _, last = span.partition("-")
                self._add(uuid, int(first), int(last or first))

    def add(self, gtid: str) -> None:
        uuid, _, number = gtid.partition(":")
        self._add(uuid, int(number), int(number))

    def _add(self, uuid: str, first: int, last: int) -> None:
        spans = sorted([*self.intervals.get(uuid, []), [first, last]])
        merged: list[list[int]] = []
        for span in spans:
            if merged and span[0] <= merged[-1][1] + 1:
                merged[-1][1] = max(merged[-1][1], span[1])
            else:
                merged.append(list(span))
        self.intervals[uuid] = merged

    def __str__(self) -> str:
        return ",".join(
            ":".join([uuid, *(str(a) if a == b else f"{a}-{b}" for a, b in spans)])
            for uuid, spans in sorted(self.intervals.items()))
