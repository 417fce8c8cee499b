"""Streaming actors: how many each job runs, and the cluster's limit of them.

A worker's actors are compared with its parallelism: above 100 for each unit CREATE prints a
NOTICE, above 400 it is refused (verified.md 18; RisingWave 3.0.3 cluster_limit.rs, session.rs).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .catalog import Relation, Sink, Source, Table
from .errors import PgError

if TYPE_CHECKING:
    from .server import Server
    from .session import Session

COMPUTE_NODE = 2  # its id among the workers
SOFT_LIMIT, HARD_LIMIT = 100, 400  # actors for each unit of parallelism
# 40 CDC tables of the default parallelism pass the soft limit of a node of two units.
_PER_UNIT = {Table: 3, Sink: 1}


def units(relation: Relation, cores: int) -> int:
    """How many units of parallelism a job runs on."""
    if isinstance(relation, Source):
        return 1  # a shared source has one split
    number = re.search(r"\d+", relation.parallelism)
    if number is None or "." in relation.parallelism:
        return cores
    return max(1, min(cores, int(number.group())))


def count(relation: Relation, cores: int) -> int:
    return units(relation, cores) * _PER_UNIT.get(type(relation), 1)


def rows(server: Server) -> Iterator[tuple[int, int, int, str]]:
    """rw_actors."""
    number = 0
    for relation in server.catalog.relations.values():
        for _ in range(count(relation, server.cores)):
            number += 1
            yield number, relation.fragment, COMPUTE_NODE, "RUNNING"


def check_limits(session: Session) -> None:
    """What CREATE TABLE and CREATE SINK ask before they begin."""
    server = session.server
    if session.flag("bypass_cluster_limits"):
        return
    total = sum(count(relation, server.cores) for relation in server.catalog.relations.values())
    if total > HARD_LIMIT * server.cores:
        raise PgError("Protocol error: " + _message(total, server.cores, "critical",
                                                    "Scale the cluster immediately to proceed."))
    if total > SOFT_LIMIT * server.cores:
        session.notice(_message(total, server.cores, "recommended",
                                "Consider scaling the cluster for optimal performance."))


def _message(total: int, cores: int, limit: str, action: str) -> str:
    return (f"Actor count per parallelism exceeds the {limit} limit.\n\nDepending on your workload, "
            f"this may overload the cluster and cause performance/stability issues. {action}\n\n"
            "HINT:\n- For best practices on managing streaming jobs: "
            "https://docs.risingwave.com/operate/manage-a-large-number-of-streaming-jobs\n"
            "- To bypass the check (if the cluster load is acceptable): "
            "`[ALTER SYSTEM] SET bypass_cluster_limits TO true`.\n  See https://docs.risingwave.com/"
            "operate/view-configure-runtime-parameters#how-to-configure-runtime-parameters\n"
            "- Contact us via slack or https://risingwave.com/contact-us/ for further enquiry.\n\n"
            f"DETAILS:\n- hard limit: {HARD_LIMIT}\n- soft limit: {SOFT_LIMIT}\n"
            f'- worker_id_to_actor_count: ["{COMPUTE_NODE} -> WorkerActorCount {{ actor_count: '
            f'{total}, parallelism: {cores} }}"]')
