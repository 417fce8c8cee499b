"""SHOW statements about the cluster, accounts and things that are always empty."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

from .errors import plain
from .results import Cell, ResultSet, texts
from .state import VERSION
from .tree import Show
from .users import BUILTIN_ROLES

if TYPE_CHECKING:
    from .session import Session

_BACKEND_COLUMNS = [
    "BackendId", "IP", "HeartbeatPort", "BePort", "HttpPort", "BrpcPort", "LastStartTime",
    "LastHeartbeat", "Alive", "SystemDecommissioned", "ClusterDecommissioned", "TabletNum",
    "DataUsedCapacity", "AvailCapacity", "TotalCapacity", "UsedPct", "MaxDiskUsedPct", "ErrMsg",
    "Version", "Status", "DataTotalCapacity", "DataUsedPct", "CpuCores", "MemLimit",
    "NumRunningQueries", "MemUsedPct", "CpuUsedPct", "DataCacheMetrics", "Location",
    "StatusCode"]
_FRONTEND_COLUMNS = [
    "Id", "Name", "IP", "EditLogPort", "HttpPort", "QueryPort", "RpcPort", "Role", "ClusterId",
    "Join", "Alive", "ReplayedJournalId", "LastHeartbeat", "IsHelper", "ErrMsg", "StartTime",
    "Version"]
_COMPUTE_COLUMNS = [
    "ComputeNodeId", "IP", "HeartbeatPort", "BePort", "HttpPort", "BrpcPort", "LastStartTime",
    "LastHeartbeat", "Alive", "SystemDecommissioned", "ClusterDecommissioned", "ErrMsg",
    "Version", "CpuCores", "MemLimit", "NumRunningQueries", "MemUsedPct", "CpuUsedPct",
    "DataCacheMetrics", "HasStoragePath", "StatusCode"]
_PROCESS_COLUMNS = [
    "ServerName", "Id", "User", "Host", "Db", "Command", "ConnectionStartTime", "Time", "State",
    "Info", "IsPending", "Warehouse", "CNGroup", "Catalog", "QueryId"]
_PARTITION_COLUMNS = [
    "PartitionId", "PartitionName", "VisibleVersion", "VisibleVersionTime", "VisibleVersionHash",
    "State", "PartitionKey", "Range", "DistributionKey", "Buckets", "ReplicationNum",
    "StorageMedium", "CooldownTime", "LastConsistencyCheckTime", "DataSize", "StorageSize",
    "IsInMemory", "RowCount", "DataVersion", "VersionEpoch", "VersionTxnType", "TabletBalanced"]
_JOB_TAIL = ["TransactionId", "State", "Msg", "Progress", "Timeout"]
_CONSTANT: dict[str, tuple[list[str], list[list[Cell]]]] = {
    "catalogs": (["Catalog", "Type", "Comment"], [[
        "default_catalog", "Internal",
        "An internal catalog contains this cluster's self-managed tables."]]),
    "warnings": (["Level", "Code", "Message"], []),
    "errors": (["Level", "Code", "Message"], []),
    "status": (["Variable_name", "Value"], []),
    "privileges": (["Privilege", "Context", "Comment"], []),
    "charset": (["Charset", "Description", "Default collation", "Maxlen"],
                [["utf8", "UTF-8 Unicode", "utf8_general_ci", "3"]]),
    "collation": (["Collation", "Charset", "Id", "Default", "Compiled", "Sortlen"], [
        ["utf8_general_ci", "utf8", "33", "Yes", "Yes", "1"],
        ["binary", "binary", "63", "Yes", "Yes", "1"],
        ["gbk_chinese_ci", "gbk", "28", "Yes", "Yes", "1"]]),
    "engines": (["Engine", "Support", "Comment", "Transactions", "XA", "Savepoints"], [
        ["OLAP", "YES", "Default storage engine of StarRocks", "NO", "NO", "NO"],
        ["MySQL", "YES", "MySQL server which data is in it", "NO", "NO", "NO"],
        ["ELASTICSEARCH", "YES", "ELASTICSEARCH cluster which data is in it", "NO", "NO", "NO"],
        ["HIVE", "YES", "HIVE database which data is in it", "NO", "NO", "NO"],
        ["ICEBERG", "YES", "ICEBERG data lake which data is in it", "NO", "NO", "NO"]]),
    "plugins": (["Name", "Type", "Description", "Version", "JavaVersion", "ClassName", "SoName",
                 "Sources", "Status", "Properties"],
                [["__builtin_AuditLogBuilder", "AUDIT", "builtin audit logger", "0.12.0",
                  "1.8.31", "com.starrocks.qe.AuditLogBuilder", None, "Builtin", "INSTALLED",
                  "{}"]]),
    "procedure status": (["Db", "Name", "Type", "Definer", "Modified", "Created",
                          "Security_type", "Comment", "character_set_client",
                          "collation_connection", "Database Collation"], []),
    "events": (["Db", "Name", "Definer", "Time", "Type", "Execute at", "Interval value",
                "Interval field", "Status", "Ends", "Status", "Originator",
                "character_set_client", "collation_connection", "Database Collation"], []),
    "triggers": (["Trigger", "Event", "Table", "Statement", "Timing", "Created", "sql_mode",
                  "Definer", "character_set_client", "collation_connection",
                  "Database Collation"], []),
    "alter rollup": (["JobId", "TableName", "CreateTime", "FinishedTime", "BaseIndexName",
                      "RollupIndexName", "RollupId", *_JOB_TAIL], []),
    "alter optimize": (["JobId", "TableName", "CreateTime", "FinishTime", "Operation",
                        *_JOB_TAIL], []),
}


def run(session: Session, statement: Show) -> ResultSet:
    if statement.what in _CONSTANT:
        names, rows = _CONSTANT[statement.what]
        return texts(names, rows)
    if statement.what == "warehouses":
        raise plain("unsupported statement in shared_nothing mode", 5907)
    return _HANDLERS[statement.what](session, statement)


def _need_node(session: Session) -> None:
    allowed = session.accounts.allowed
    if not (allowed(session.who, "OPERATE", "SYSTEM") or allowed(session.who, "NODE", "SYSTEM")):
        raise session.accounts.denial(session.who, "OPERATE OR NODE", "SYSTEM")


def _backends(session: Session, statement: Show) -> ResultSet:
    from .show import fe_time
    _need_node(session)
    state, now = session.state, fe_time(time.time())
    rows: list[list[Cell]] = []
    for number in range(state.config.backends):
        alive, base = number < state.alive_backends, 12100 + 4 * number
        rows.append([
            str(10001 + number), state.backend_ip(number), str(base + 1), str(base + 2),
            str(base + 3), str(base), None, now, "true" if alive else "false", "false", "false",
            "0", "18.626 GB", "46.566 GB", "93.132 GB", "50.00 %", "50.00 %",
            "" if alive else f"backend {10001 + number} shutdown", "",
            f'{{"lastSuccessReportTabletsTime":"{now}"}}', "65.193 GB", "28.57 %", "0", "0.000B",
            "0", "0.00 %", "0.0 %", "N/A", "", "OK" if alive else "DISCONNECTED"])
    return texts(_BACKEND_COLUMNS, rows)


def _frontends(session: Session, statement: Show) -> ResultSet:
    from .show import fe_time
    _need_node(session)
    state = session.state
    row = ["2", _server_name(session), "127.0.0.1", "9010", str(state.config.http_port),
           str(state.config.mysql_port), "9020", "LEADER", str(state.cluster_id), "true", "true",
           str(state.catalog.version + 6), fe_time(time.time()), "true", "",
           fe_time(state.started), VERSION]
    return texts(_FRONTEND_COLUMNS, [row])


def _server_name(session: Session) -> str:
    return f"127.0.0.1_9010_{int(session.state.started * 1000)}"


def _compute_nodes(session: Session, statement: Show) -> ResultSet:
    _need_node(session)
    return texts(_COMPUTE_COLUMNS, [])


def _processlist(session: Session, statement: Show) -> ResultSet:
    from .show import fe_time
    everyone = session.accounts.allowed(session.who, "OPERATE", "SYSTEM")
    rows: list[list[Cell]] = []
    for other in session.state.sessions.values():
        if not everyone and other.who.user != session.who.user:
            continue
        rows.append([_server_name(session), str(other.thread_id), other.who.user.user, other.host,
                     other.db or "", "Query" if other.running else "Sleep",
                     fe_time(other.started), "0", "OK" if other.running else "", other.running,
                     "false", "default_warehouse", "", "default_catalog", str(uuid.uuid4())])
    return texts(_PROCESS_COLUMNS, rows)


def _partitions(session: Session, statement: Show) -> ResultSet:
    from .show import fe_time
    assert statement.name is not None
    database, table = session.table(statement.name)
    session.accounts.need(session.who, "ANY", "TABLE", database, table)
    if table.partition:
        raise plain("SHOW PARTITIONS of a partitioned table is not supported here")
    backends = session.state.config.backends
    buckets = table.buckets or max(16, min(2 * backends, 48))
    row = [str(table.id + 2), table.name, "1", fe_time(table.created), "0", "NORMAL", "", "",
           ", ".join(table.hash_columns), str(buckets), table.properties["replication_num"],
           "SSD", "9999-12-31 23:59:59", None, "0B", "0B", "false",
           str(session.state.store.count(table)), "1", str(table.id << 20), "TXN_NORMAL", "true"]
    return texts(_PARTITION_COLUMNS, [row])


def _roles(session: Session, statement: Show) -> ResultSet:
    session.accounts.need(session.who, "GRANT", "SYSTEM")
    rows: list[list[Cell]] = [
        [name, "true" if name in BUILTIN_ROLES else "false", BUILTIN_ROLES.get(name, "")]
        for name in session.accounts.roles]
    return texts(["Name", "Builtin", "Comment"], rows)


def _users(session: Session, statement: Show) -> ResultSet:
    session.accounts.need(session.who, "GRANT", "SYSTEM")
    return texts(["User"], [[str(name)] for name in session.accounts.users])


def _authentication(session: Session, statement: Show) -> ResultSet:
    session.accounts.need(session.who, "GRANT", "SYSTEM")
    rows: list[list[Cell]] = [
        [str(user.name), "Yes" if user.password else "No", "MYSQL_NATIVE_PASSWORD", None]
        for user in session.accounts.users.values()]
    return texts(["UserIdentity", "Password", "AuthPlugin", "UserForAuthPlugin"], rows)


def _grants(session: Session, statement: Show) -> ResultSet:
    user = statement.user or session.who.user
    if user != session.who.user:
        session.accounts.need(session.who, "GRANT", "SYSTEM")
    rows: list[list[Cell]] = [[str(user), catalog, text]
                              for catalog, text in session.accounts.grant_lines(user)]
    return texts(["UserIdentity", "Catalog", "Grants"], rows)


# Known configuration items: value, type, mutable, comment (FE transcript 1).
_CONFIG: dict[str, tuple[str, str, str, str]] = {
    "default_replication_num": ("3", "short", "true", ""),
    "run_mode": ("shared_nothing", "String", "false", ""),
    "enable_range_distribution": ("false", "boolean", "true",
                                  "Whether enable range distribution."),
    "max_varchar_length": ("1048576", "int", "true", ""),
    "enable_fast_schema_evolution": ("true", "boolean", "true", ""),
    "enable_fast_schema_evolution_in_share_data_mode": ("true", "boolean", "true", ""),
    "mv_fast_schema_change_mode": (
        "strict", "String", "true",
        "MV fast schema evolution (FSE) mode. Values: strict (default) - only allow when "
        "isSupportFastSchemaEvolutionInDanger, clear partition entries; force - allow FSE even "
        "when isSupportFastSchemaEvolutionInDanger is false, clear partition entries; "
        "force_no_clear - allow FSE even when isSupportFastSchemaEvolutionInDanger is false, do "
        "not clear."),
    "enable_table_name_case_insensitive": (
        "false", "boolean", "false",
        "Enable case-insensitive catalog/database/table names. Only configurable during cluster "
        "initialization, immutable once set."),
}


def _frontend_config(session: Session, statement: Show) -> ResultSet:
    from .show import matching
    session.accounts.need(session.who, "OPERATE", "SYSTEM")
    rows: list[list[Cell]] = []
    for name in matching(list(_CONFIG), statement.like):
        value, kind, mutable, comment = _CONFIG[name]
        value = session.state.frontend_config.get(name, value)
        rows.append([name, "[]", value, kind, mutable, comment])
    return texts(["Key", "AliasNames", "Value", "Type", "IsMutable", "Comment"], rows)


_HANDLERS: dict[str, Callable[[Session, Show], ResultSet]] = {
    "backends": _backends, "frontends": _frontends, "compute nodes": _compute_nodes,
    "processlist": _processlist, "partitions": _partitions, "roles": _roles, "users": _users,
    "all authentication": _authentication, "grants": _grants,
    "frontend config": _frontend_config,
}
