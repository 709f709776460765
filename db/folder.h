/* SPDX-License-Identifier: ISC */
#ifndef DB_FOLDER_H
#define DB_FOLDER_H

#include "common/err.h"

#include <stdbool.h>

/*
 * The state folder itself. Only its owner may look into it: a folder with any permission for group or others is
 * refused with ERR_INTEGRITY, because what lies in it may have been changed. Only a new or an empty folder is brought
 * to 0700 by us, since one with other things in it may be shared on purpose.
 */

/* It is there, a folder, and open to this process. ERR_NOT_FOUND when there is none. */
int folder_check(const char *dir, struct err *e);

/* Nobody else may look into it. */
int folder_check_private(const char *dir, struct err *e);

/* Make it (0700) or take an existing one over. */
int folder_make(const char *dir, bool *ret_made, struct err *e);

/*
 * The writer's lock: flock() on dir/lock, so that it ends with the process, however it ends. The file tells who holds
 * it.
 */
struct folder_lock {
	int fd;		/* -1: not held */
	char *path;
	bool made;	/* the file was not there before */
};

#define FOLDER_LOCK_INIT { .fd = -1 }

/*
 * ERR_CONFLICT names the holder, who has had a second to end, but for at_once. Release it with folder_lock_release().
 */
int folder_lock_take(const char *dir, const char *actor, bool at_once, struct folder_lock *ret, struct err *e);

/* Takes a lock that is not held, too. */
void folder_lock_release(struct folder_lock *lock);

/* The same, and remove the file. */
void folder_lock_remove(struct folder_lock *lock);

#endif
