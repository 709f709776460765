/* SPDX-License-Identifier: ISC */
#ifndef COMMON_TREE_H
#define COMMON_TREE_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * A folder of many small files that one program makes again and again: only what differs is written, each file at one
 * stroke; what is the same keeps its inode and its times. They are on disk when tree_close() has returned 0; after a
 * crash before that the next run finds what is missing or torn, and writes it.
 */
struct tree {
	char *path;
	int fd;			/* -1: the folder is not there, which only a dry run leaves so */
	bool dry_run;		/* tell what would be done, and do nothing */
	bool changed;
	const char *mark;	/* what every file of ours begins with; NULL: any */
};

#define TREE_INIT { .fd = -1 }

/* Open or make the folder. mark is borrowed. */
int tree_open(struct tree *t, const char *path, mode_t mode, const char *mark, bool dry_run, struct err *e);

/*
 * Make or replace a file, unless it has these bytes and this mode. *ret_written tells which. ERR_CONFLICT when there is
 * something that is not ours.
 */
int tree_put(struct tree *t, const char *name, const void *data, size_t len, mode_t mode, bool *ret_written,
    struct err *e);

/* Remove every file of ours that keep() does not want; removed() is told of each. */
int tree_prune(struct tree *t, bool (*keep)(const char *name, void *arg),
    int (*removed)(const char *name, void *arg, struct err *e), void *arg, struct err *e);

/* Make sure of what was written, unless failed. Frees all that the tree holds in either case. */
int tree_close(struct tree *t, bool failed, struct err *e);

#endif
