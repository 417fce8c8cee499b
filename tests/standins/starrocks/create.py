"""CREATE TABLE: the checks in the order in which the real FE makes them.

Sources: the contract's starrocks.md 1.3-1.10 and section 4 of the FE transcript.
"""

from __future__ import annotations

import re
import time

from . import defaults, partition
from .catalog import Catalog, Column, Database, Table, check_column_name, check_table_name
from .errors import SqlError, analyzing, plain
from .tree import ColumnDef, CreateTable, Default
from .types import KEY_TYPES, MAX_VARCHAR, SqlType

MAX_COLUMNS = 10000
_FLAGS = {"compression": "LZ4", "fast_schema_evolution": "true", "replicated_storage": "true"}
_KNOWN_PROPERTIES = {
    *_FLAGS, "replication_num", "enable_persistent_index", "write_quorum", "bloom_filter_columns",
    "storage_medium", "primary_index_cache_expire_sec", "colocate_with"}
_COMPRESSION = re.compile(r"LZ4|ZSTD(\(\d+\))?|ZLIB|SNAPPY", re.I)
_PRINTED = {"bloom_filter_columns", "write_quorum", "colocate_with"}


def analyze(statement: CreateTable) -> list[Column]:
    """Checks a definition by itself and returns its columns; raises the first problem."""
    check_table_name(statement.name.name)
    if statement.engine and statement.engine.lower() != "olap":
        raise analyzing(f"Unknown engine name: {statement.engine}")
    if statement.charset and statement.charset.lower() != "utf8":
        raise analyzing(f"charset name {statement.charset} is not supported yet")
    if len(statement.columns) > MAX_COLUMNS:
        raise analyzing(
            f"The number of columns in a table must be less than or equal to {MAX_COLUMNS}, Please "
            "decrease the number of columns or increase frontend config "
            "'max_column_number_per_table'.", 1117)
    keys = _check_keys(statement)
    columns = [analyze_column(column, key=number < len(keys))
               for number, column in enumerate(statement.columns)]
    _check_columns(statement, columns, keys)
    _check_partition(statement, len(keys))
    _check_distribution(statement, columns)
    return columns


def _check_keys(statement: CreateTable) -> list[str]:
    if statement.keys is None:
        return []
    kind, keys = statement.keys
    names = [column.name.lower() for column in statement.columns]
    if len(keys) > len(names):
        raise analyzing("The number of key columns should be less than the number of columns.")
    for number, key in enumerate(keys):
        if key.lower() not in names:
            raise analyzing(f"Key column({key}) doesn't exist.")
        if names[number] != key.lower():
            raise analyzing("Key columns must be the first few columns of the schema and the order "
                            " of the key columns must be consistent with the order of the schema")
    for column in statement.columns[:len(keys)] if kind == "PRIMARY" else []:
        if column.nullable:
            raise analyzing(f"primary key column[{column.name}] cannot be nullable")
        if column.type.name not in KEY_TYPES:
            raise analyzing(f"primary key column[{column.name}] type not supported: "
                            f"{column.type.create_text()}")
    return keys


def check_type(kind: SqlType, column: str) -> None:
    if kind.name == "CHAR" and kind.length > 255:
        raise analyzing(f"Char size must be <= 255: {kind.length}")
    if kind.name == "VARCHAR" and kind.length > MAX_VARCHAR:
        raise analyzing(f"Varchar size must be <= {MAX_VARCHAR}: {kind.length}")
    if kind.name == "VARBINARY" and kind.length > MAX_VARCHAR:
        raise analyzing(f"VARBINARY size must be <= {MAX_VARCHAR}: {kind.length}")


def analyze_column(definition: ColumnDef, key: bool) -> Column:
    """Checks one column by itself; key columns are NOT NULL without saying so."""
    check_column_name(definition.name)
    if definition.charset and definition.charset.lower() != "utf8":
        raise analyzing(f"Unknown charset name: {definition.charset}")
    check_type(definition.type, definition.name)
    if definition.generated:
        # Expressions are not evaluated here; the usual first attempt fails like this.
        raise analyzing(f"Illegal expression type for Generated Column Column Type: "
                        f"{definition.type.java_text()}, Expression Type: BIGINT")
    nullable = not key and definition.nullable is not False and not definition.auto_increment
    problem = defaults.problem(definition, nullable)
    if problem:
        raise analyzing(problem)
    default = definition.default
    if default and default.kind == "null":
        default = None
    return Column(definition.name, definition.type, nullable, key,
                  Default(default.kind, default.text) if default else None,
                  definition.auto_increment, definition.comment, definition.name)


def _check_columns(statement: CreateTable, columns: list[Column], keys: list[str]) -> None:
    seen: set[str] = set()
    automatic = 0
    for column in columns:
        if column.type.name == "TIME":
            raise analyzing(f"Type:TIME of column:{column.name} does not support")
        if column.name.lower() in seen:
            raise analyzing(f"Duplicate column name '{column.name}'", 1060)
        seen.add(column.name.lower())
        if column.auto_increment:
            automatic += 1
            if column.type.name != "BIGINT":
                raise analyzing("The AUTO_INCREMENT column must be BIGINT")
    if automatic > 1:
        raise analyzing("More than one AUTO_INCREMENT column defined in CREATE TABLE Statement")
    for name in statement.order_by:
        chosen = next((c for c in columns if c.name.lower() == name.lower()), None)
        if chosen is None:
            raise analyzing(f"Sort key column({name}) doesn't exist.")
        if chosen.type.name not in KEY_TYPES:
            raise analyzing(f"sort key column[{name}] type not supported: "
                            f"{chosen.type.create_text()}")


def _check_partition(statement: CreateTable, keys: int) -> None:
    if statement.partition is None:
        return
    primary = statement.keys is not None and statement.keys[0] == "PRIMARY"
    partition.check(statement.partition, statement.columns, keys, primary)
    if statement.distribution and statement.distribution.buckets > partition.MAX_BUCKETS:
        raise analyzing(
            f"The number of buckets is too large, the maximum is {partition.MAX_BUCKETS}. Please "
            "reduce the number of buckets or increase frontend config "
            "max_bucket_number_per_partition.", 5510)


def _check_distribution(statement: CreateTable, columns: list[Column]) -> None:
    distribution = statement.distribution
    if distribution is None:
        return
    if distribution.kind == "RANDOM":
        if statement.keys and statement.keys[0] == "PRIMARY":
            raise analyzing("PRIMARY KEY cannot use random distribution",
                            start=distribution.start, stop=distribution.stop)
        return
    for name in distribution.columns:
        if all(column.name.lower() != name.lower() for column in columns):
            raise analyzing(f"Distribution column({name}) doesn't exist.")


def too_few_backends(alive: list[int]) -> SqlError:
    listed = ",".join(map(str, alive))
    return analyzing(
        "Table replication num should be less than of equal to the number of available BE nodes. "
        "You can change this default by setting the replication_num table properties. "
        f"Current alive backend is [{listed}].")


def replication(properties: dict[str, str], table: str, alive: list[int], default: int) -> int:
    """The number of replicas; an explicit one and the default fail with different texts."""
    if "replication_num" in properties:
        written = properties["replication_num"]
        if not written.lstrip("-").isdigit():
            raise plain(f'For input string: "{written}" table={table}, '
                        f"properties.replication_num={written}")
        if int(written) <= 0:
            raise analyzing("Replication num should larger than 0")
        if int(written) > len(alive):
            raise too_few_backends(alive)
        return int(written)
    if default > len(alive):
        listed = ", ".join(map(str, alive))
        raise plain(
            "Table replication num should be less than or equal to the number of available "
            "backends. You can change this default by setting the replication_num table "
            f"properties. Current available backends: [{listed}], table={table}, "
            f"replication_num={default}, default_replication_num={default}")
    return default


def build(catalog: Catalog, database: Database, statement: CreateTable, columns: list[Column],
          alive: list[int], default_replication: int) -> Table:
    """Makes the table of a checked definition; raises what is only seen at creation."""
    name = statement.name.name
    model = "PRIMARY_KEYS" if statement.keys and statement.keys[0] == "PRIMARY" else "DUP_KEYS"
    keys = [column.name for column in columns if column.key]
    properties = _effective_properties(statement, model)
    distribution = statement.distribution
    written = distribution.columns if distribution else []
    hashed = [_stored_name(columns, name) for name in written]
    hashed = hashed or keys or [columns[0].name]
    if model == "PRIMARY_KEYS":
        for column_name in hashed:
            if column_name not in keys:
                raise plain(f"Distribution column[{column_name}] is not key column")
    elif not keys:
        keys = _duplicate_keys(columns)
    properties["replication_num"] = str(
        replication(statement.properties, name, alive, default_replication))
    if not alive:
        raise plain("Cluster has no available capacity")
    now = time.time()
    table_id = catalog.new_id()
    table = Table(table_id, catalog.new_id(), name, columns, model, keys, statement.comment, hashed,
                  distribution.buckets if distribution else 0,
                  [_stored_name(columns, item) for item in statement.order_by] or None,
                  properties, now, now, partition=statement.partition)
    for column in columns:
        column.column_id = column.column_id or column.name
    return table


def _effective_properties(statement: CreateTable, model: str) -> dict[str, str]:
    unknown = {k: v for k, v in statement.properties.items() if k not in _KNOWN_PROPERTIES}
    if statement.properties.get("enable_persistent_index", "true").lower() == "false":
        raise plain("In-Memory index is not supported, please create table with persistent index")
    if unknown:
        listed = ", ".join(f"{key}={value}" for key, value in unknown.items())
        raise plain(f"Unknown properties: {{{listed}}}")
    _check_values(statement)
    effective = {key: statement.properties.get(key, value) for key, value in _FLAGS.items()}
    effective["compression"] = effective["compression"].upper()
    for key in ("fast_schema_evolution", "replicated_storage"):  # whatever is not true is false
        effective[key] = str(effective[key].lower() == "true").lower()
    if model == "PRIMARY_KEYS":
        effective["enable_persistent_index"] = "true"
    effective.update({k: v for k, v in statement.properties.items() if k in _PRINTED})
    return effective


def _check_values(statement: CreateTable) -> None:
    """StarRocks 4.1 PropertyAnalyzer.java."""
    given = statement.properties
    compression = given.get("compression", "LZ4")
    if not _COMPRESSION.fullmatch(compression):
        raise plain(f"unknown compression type: {compression}")
    quorum = given.get("write_quorum", "MAJORITY")
    if quorum.upper() not in ("MAJORITY", "ONE", "ALL"):
        raise plain(f"unknown write quorum: {quorum}")
    medium = given.get("storage_medium", "SSD")
    if medium.upper() not in ("SSD", "HDD"):
        raise plain(f"Invalid storage medium: {medium}")
    names = [column.name.lower() for column in statement.columns]
    for name in filter(None, given.get("bloom_filter_columns", "").split(",")):
        if name.strip().lower() not in names:
            raise plain("Bloom filter column does not exist in table. invalid column: "
                        f"{name.strip()}")


def _stored_name(columns: list[Column], name: str) -> str:
    return next(c.name for c in columns if c.name.lower() == name.lower())


def _duplicate_keys(columns: list[Column]) -> list[str]:
    """Without a key clause the first three columns of fitting types are the sort key."""
    keys: list[str] = []
    for column in columns[:3]:
        if column.type.name not in KEY_TYPES | {"CHAR", "DECIMAL"}:
            break
        column.key = True
        keys.append(column.name)
    return keys
