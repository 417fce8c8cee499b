"""A stand-in for a StarRocks 4.1 cluster: one FE with its MySQL and HTTP ports, and backends.

    PYTHONPATH=tests python -m standins.starrocks --mysql-port 9030 --http-port 8030 ...

It answers what the contract describes, with the contract's error texts, and refuses the
rest. Reading order:

    __main__       options, listeners, the schema change scheduler
    state          what a server holds; catalog, users, store are its parts
    mysql_server   login and commands -> session -> parse -> one handler per statement
    lexer, cursor, parse*   own grammar for everything but queries, with the FE's syntax errors
    create, defaults, partition, alter, ddl   definitions and their checks
    show*, infoschema, variables   introspection
    query, sources, functions, labels, render, dml   SELECT and writes, run by DuckDB
    http, load_server, transactions, values   Transaction Stream Load
    control        the test control port
"""
