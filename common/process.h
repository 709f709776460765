/* SPDX-License-Identifier: ISC */
#ifndef COMMON_PROCESS_H
#define COMMON_PROCESS_H

#include "common/err.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

/* What a program that holds keys does first: no core dump, no ptrace by equals, files private, SIGPIPE ignored. */
void process_harden(void);

/*
 * From here on SIGINT, SIGTERM, SIGHUP and SIGQUIT, those of them that are not ignored, do not end the process but wait to be
 * asked for, so that long work stops at a place of its own choice. Threads made later inherit it.
 */
void process_stop_block(void);

/* The signal that came since the last call, or 0. */
int process_stop_pending(void);

/* Wait until one comes, and return it. */
int process_stop_wait(void);

/* At most so many milliseconds; the signal, or 0. */
int process_stop_wait_for(long ms);

/*
 * The same for a program that has children, and threads that call its first one: SIGCHLD and SIGUSR1 wait to be asked
 * for as well.
 */
void process_event_block(void);

/* Wait until one of these comes, at most so many milliseconds (-1: for ever); the signal, or 0. */
int process_event_wait(long ms);

/* Whether SIGINT, SIGTERM or SIGQUIT has come; it goes on waiting to be asked for. */
bool process_end_is_asked(void);

/* Processors that this process may run on, at least 1. */
unsigned int process_cpus(void);

/* Let the process open as many files and connections as its hard limit allows, and not the 1024 of a login shell. */
void process_raise_files(void);

/*
 * All memory from one arena. With one for each thread, as glibc has it, what a connection keeps lies strewn among what
 * requests have given back, and a server's peak is a third higher.
 */
void process_one_arena(void);

/* A condition whose timed waits go by CLOCK_MONOTONIC. */
void process_cond_init(pthread_cond_t *ret);

/* Random bytes for keys, nonces and serials, from the library's private generator. */
int process_random(void *out, size_t len, struct err *e);

#endif
