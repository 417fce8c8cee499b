/*
 * footprint: gives back memory that only starting up needed.
 *
 * A program of many shared libraries is resident mostly by their pages: the dynamic
 * linker and the libraries' own beginnings read tables that nobody looks at again. Pages
 * of a file that were never written to are the page cache's own; a process that gave its
 * claim on them back maps them anew when it touches them, without a read.
 *
 * Why this is safe. Only mappings of a file are given back that are private, not writable
 * and, as the kernel counts, without a single page that differs from the file: relocated
 * read-only data (RELRO) does, and MADV_DONTNEED would lose it; a mapping with such a
 * page is left alone as a whole. These mappings are those of the program and of the
 * libraries it is linked with, which are never unloaded and never written to again.
 *
 * Why it has to look before the first thread exists. A dlopen() in another thread maps a
 * library read-only before it relocates it: seen at that moment it would look clean.
 */
#ifndef BASE_FOOTPRINT_H
#define BASE_FOOTPRINT_H

#include <stddef.h>

struct footprint;

/* Looks which mappings can be given back. Before the first thread, when all is loaded.
 * Where /proc tells nothing there are none, which does no harm. */
struct footprint *footprint_new(void);
void footprint_free(struct footprint *footprint);
void footprint_freep(struct footprint **footprint);

/* Gives them back, and free pages of the heap; at any time, from any thread. Returns the
 * bytes of mappings given back, resident or not. */
size_t footprint_trim(const struct footprint *footprint);

#endif
