/*
 * banned: functions no file of ours may name. The Makefile puts this header in front of
 * every C file (-include), so the system headers that declare them have to come first
 * here.
 *
 * No bounds: strcpy strcat sprintf gets strncpy (and no NUL). Shared state: strtok
 * strerror gmtime localtime asctime rand. No error: atoi. A shell, or the stack as a
 * heap, or jumps that skip every AUTO: system popen alloca setjmp. Instead: buf,
 * arena_printf, sv_cut, strerrordesc_np, clock, rng, sv_int64.
 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#include <alloca.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Macros in glibc, or in its fortified headers: taken away to be banned quietly. */
#undef alloca
#undef setjmp
#undef sprintf
#undef strcpy
#undef strncpy

#pragma GCC poison strcat sprintf strtok atoi
#pragma GCC poison gmtime localtime asctime gets strerror
#pragma GCC poison popen alloca setjmp

/*
 * Names that library headers and our own structs use for other things (OpenSSL has
 * parameters called rand, mysql.h macros with strcpy): only calls of them are refused.
 */
#define BANNED_CALL(name)                                                                \
    __extension__({                                                                      \
        _Static_assert(0, "attempt to use banned " name "()");                           \
        0;                                                                               \
    })
#define strcpy(...) BANNED_CALL("strcpy")
#define strncpy(...) BANNED_CALL("strncpy")
#define rand(...) BANNED_CALL("rand")
#define system(...) BANNED_CALL("system")

#endif
