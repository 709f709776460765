/* SPDX-License-Identifier: ISC */
#ifndef COMMON_BACKGROUND_H
#define COMMON_BACKGROUND_H

#include "common/err.h"

#include <stdbool.h>

/* A thread beside a program's main work, that does something now and then until it is told to end. */
struct background;

/* run(arg) is the thread; it asks background_wait() again and again. what names it in messages. NULL on failure. */
struct background *background_start(void (*run)(struct background *b, void *arg), void *arg, const char *what,
    struct err *e);

/* For the thread: wait so many milliseconds (0: none), or until the end; true when the end is asked for. */
bool background_wait(struct background *b, unsigned long ms);

/*
 * Ask for the end and wait for it at most so many seconds; false when it has not come by then: the thread still uses what
 * it has. NULL is taken.
 */
bool background_stop(struct background *b, unsigned int seconds);

#endif
