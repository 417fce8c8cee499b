/*
 * columns: the rules between the names in spec.columns. Private to the room.
 */
#ifndef MODEL_COLUMNS_H
#define MODEL_COLUMNS_H

#include "model/problems.h"
#include "model/spec.h"

/*
 * Adds what no MySQL table could make right: "*" beside names, a name both in and out, an
 * override of a column that is left out, that asks for nothing, or that repeats another's
 * column or target. Names compare without case, as both servers compare columns.
 */
void columns_check(const struct tablesync *sync, struct problems *problems);

#endif
