/*
 * siphash: SipHash-1-3 (Aumasson and Bernstein 2012), a keyed hash for tables: keys come
 * from users, and without the seed nobody can choose keys that meet in one slot.
 */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include "base/sv.h"

#include <stdint.h>

uint64_t siphash(const uint64_t seed[2], struct sv key);

#endif
