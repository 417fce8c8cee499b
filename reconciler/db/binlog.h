/* binlog: a place in MySQL's binary log, which RisingWave knows and MySQL may have lost.
 */
#ifndef DB_BINLOG_H
#define DB_BINLOG_H

#include <stdbool.h>
#include <stdint.h>

/* Where a reader of the binary log stands. */
struct binlog_position {
    const char *file;  /* "mysql-bin.000067"; NULL: nowhere yet */
    int64_t pos;       /* in the file; -1 unknown */
    const char *gtids; /* all that was read; NULL: MySQL writes none */
};
struct binlog_answer {
    bool lost;          /* what comes next there is not on the server any more */
    const char *oldest; /* the oldest file there is; NULL: decided by GTIDs */
};

#endif
