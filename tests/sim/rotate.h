/* rotate: passwords that change and servers that move, as administrators do it: on the
 * server first, and somewhat later in the Secret or the connection. */
#ifndef ROTATE_H
#define ROTATE_H

#include "sim.h"

enum rotate_what { ROTATE_MYSQL = 1, ROTATE_STARROCKS };

/* The server takes only a new password from now on. */
void rotate_server(struct sim *sim, enum rotate_what what);
/* The Secret holds what the server takes, and the controller is told. */
void rotate_secret(struct sim *sim, enum rotate_what what);
/* The Secret holds a password that nobody takes. */
void rotate_wrong(struct sim *sim, enum rotate_what what);
/* The server takes again what the Secret holds: the way back. */
void rotate_back(struct sim *sim, enum rotate_what what);
/* The server is found under another name only; then the connection names it. */
void rotate_move(struct sim *sim, enum rotate_what what);
void rotate_follow(struct sim *sim, enum rotate_what what);

/* The shop with one living TableSync, servers that know their passwords, and rows that
 * change until rotate_close(), which sees to it that all is well and frees the sim. */
struct sim *rotate_open(const char *story, uint64_t seed);
void rotate_close(struct sim *sim);
/* For sim_run_until(): source and sink use what the servers take, and it is Ready. */
bool rotate_is_current(struct sim *sim);

#endif
