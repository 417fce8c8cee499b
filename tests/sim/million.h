/*
 * million: histories without end, on all processors.
 *
 *   sim million                    one million steps, from seed 1 on
 *   sim million --steps 5000000 --seed 1000 --jobs 4
 *   sim million --seed 4711        replays one history, step by step as it was
 *
 * A step is an attempt of the controller, a move of the clock to the next thing that is
 * due, or one act of chaos. A history that fails prints its seed; add it to seeds.def.
 */
#ifndef MILLION_H
#define MILLION_H

#define MILLION_STEPS "1000000"

/* The arguments behind "million". Returns the exit code: 1 when a history failed, 2 for
 * arguments that cannot be read. */
int million_main(int argc, char **argv);

#endif
