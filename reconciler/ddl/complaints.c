/* Several problems told in one sentence. */
#include "ddl/desired_private.h"

void complaints_init(struct complaints *problems)
{
    *problems = (struct complaints){.first = FAULT_INIT};
    buf_init(&problems->text, COMPLAINTS_SHOWN * sizeof(problems->first.text));
}

void complaints_deinit(struct complaints *problems)
{
    buf_deinit(&problems->text);
}

void complaints_add(struct complaints *problems, const struct fault *fault)
{
    if (problems->count == 0) {
        problems->first = *fault;
    }
    if (problems->count < COMPLAINTS_SHOWN) {
        buf_addf(&problems->text, "%s%s", problems->count > 0 ? "; " : "", fault->text);
    }
    problems->count++;
}

bool complaints_check(const struct complaints *problems, const struct mysql_table *table,
                      struct fault *fault)
{
    if (problems->count == 0) {
        return true;
    }
    if (problems->first.class != FAULT_REFUSED) {
        *fault = problems->first;
        return false;
    }
    if (problems->count > COMPLAINTS_SHOWN) {
        return fault_set(fault, FAULT_REFUSED, problems->first.reason,
                         "%s.%s: %s; and %zu more", table->database, table->name,
                         buf_z(&problems->text), problems->count - COMPLAINTS_SHOWN);
    }
    return fault_set(fault, FAULT_REFUSED, problems->first.reason, "%s.%s: %s",
                     table->database, table->name, buf_z(&problems->text));
}
