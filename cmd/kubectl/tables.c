/* `kubectl tablesync tables` and `discover`: `tablesync discover` with kubectl's manners.
 */
#include "cmd/kubectl/kubectl.h"

#include <string.h>

static int discover(const struct options *options, const char *connection,
                    const char *output)
{
    AUTO(arena_freep) struct arena *arena = arena_new(ARENA_CEILING_BYTES);
    struct options with = *options;

    with.values[OPTION_NAMESPACE] = kubectl_namespace(options, arena);
    with.values[OPTION_CONNECTION] = connection;
    with.values[OPTION_OUTPUT] = output;
    return command_discover(&with);
}

int kubectl_tables(const struct options *options)
{
    struct fault fault = FAULT_INIT;
    const char *connection = NULL;

    return kubectl_name(options, &connection, &fault)
               ? discover(options, connection, options->values[OPTION_OUTPUT])
               : kubectl_failed(&fault);
}

int kubectl_discover(const struct options *options)
{
    return discover(options, options->values[OPTION_CONNECTION],
                    options->values[OPTION_DISCOVER_OUTPUT]);
}
