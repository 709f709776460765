/* SPDX-License-Identifier: ISC */
#ifndef COMMON_COMMAND_H
#define COMMON_COMMAND_H

#include "common/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* One option; the same table makes the parser, --help and the man page's list. A table ends with a NULL name. */
struct option_def {
	const char *name;	/* long name without dashes */
	const char *argument;	/* what follows, in the help's capitals; NULL for a switch */
	const char *help;	/* one line, no full stop */
};

#define OPTIONS_MAX 32
#define OPTION_END { .name = NULL }

struct invocation;

/* One subcommand. name has one or two words ("phone add"). A table ends with a NULL name. */
struct command {
	const char *name;
	const char *arguments;	/* what follows the options, as --help shows it; NULL for nothing */
	const char *summary;	/* one line, no full stop */
	const char *details;	/* further text for --help and the man page, or NULL */
	const struct option_def *options;	/* or NULL */
	int min_arguments, max_arguments;	/* max -1: any number */
	/*
	 * Do it; 0, or -1 with e filled, whose code makes the exit status; or an exit status of the command's own,
	 * when it has told all there is to tell.
	 */
	int (*run)(const struct invocation *in, struct err *e);
};

struct program {
	const char *name;
	const char *summary;
	const struct option_def *globals;	/* --json and --quiet are always there */
	const struct command *const *commands;	/* ends with NULL */
};

/* A parsed command line. Option values are in the order of their tables: NULL when absent, "" for a switch. */
struct invocation {
	const struct program *program;
	const struct command *command;
	const char *global[OPTIONS_MAX];
	const char *option[OPTIONS_MAX];
	int argc;
	char **argv;		/* the arguments behind the options */
	bool json, quiet;
};

/*
 * Parse argv, run the command, print its error on stderr (as JSON with --json), and return the exit status. Global
 * options may stand before or behind the command. --help and --version answer on stdout; "help --mdoc" prints
 * the commands for the man page.
 */
int command_main(const struct program *program, int argc, char **argv);

/* The number of an option, where it is given; else *number stays. A bad one is ERR_USAGE. */
int command_number(const char *value, unsigned long min, unsigned long max, const char *name, unsigned long *number,
    struct err *e);

/* Print one JSON document on stdout and drop the reference to it. NULL counts as out of memory. */
int command_print_json(json_t *document, struct err *e);

#endif
