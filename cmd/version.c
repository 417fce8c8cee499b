#include "cmd/cmd.h"

#include <stdio.h>

const char *command_version_text(void)
{
    return TABLESYNC_VERSION;
}

int command_version(const struct options *options)
{
    (void)options;
    (void)printf("tablesync %s\n", TABLESYNC_VERSION);
    return EXIT_OK;
}
