/* SPDX-License-Identifier: ISC */
#ifndef COMMON_FILE_H
#define COMMON_FILE_H

#include "common/buf.h"
#include "common/err.h"

#include <stdbool.h>
#include <sys/types.h>

/*
 * Append the whole file to out; "-" reads standard input. More bytes than out may hold are an error. The code is
 * ERR_NOT_FOUND when there is no such file, else ERR_FAILED.
 */
int file_read(const char *path, struct buf *out, struct err *e);

/* The same for as much of it as out may hold; what is behind is not read, and no error. */
int file_read_start(const char *path, struct buf *out, struct err *e);

/* As file_read() for a file on disk and nothing else: a FIFO or a device in its place is an error, and not a wait. */
int file_read_plain(const char *path, struct buf *out, struct err *e);

/* A folder that can be entered, or ERR_NOT_FOUND or ERR_FAILED with the reason. */
int file_check_dir(const char *path, struct err *e);

/*
 * The first line of a file (or of standard input, "-") that holds a secret, without its end of line. ERR_INPUT when it
 * is empty, has a NUL byte, or when more than one line follows. The caller releases out.
 */
int file_read_secret(const char *path, struct buf *out, struct err *e);

/*
 * Replace or make path with these bytes so that a crash leaves the old file or the new one, whole: written beside it
 * (a name of its own that ends in ".new"), fsync, rename, fsync of the folder. mode is the permission of the new file.
 * ERR_CONFLICT when something else than a file is there, as a device or a folder.
 */
int file_replace(const char *path, const void *data, size_t len, mode_t mode, struct err *e);

/* Make a new file with these bytes, fsynced with its folder. ERR_CONFLICT when it exists. */
int file_create(const char *path, const void *data, size_t len, mode_t mode, struct err *e);

/* fsync the folder that path is in: a new name is durable only then. */
int file_sync_folder(const char *path, struct err *e);

/* mkdir that takes an existing folder for success. *ret_made (may be NULL) tells whether it was made now. */
int file_make_dir(const char *path, mode_t mode, bool *ret_made, struct err *e);

/*
 * A folder that others could get into by, or be kept out of: made, or found as a real folder (no symlink) of this user,
 * and given this mode. ERR_CONFLICT when it is another's or none.
 */
int file_claim_dir(const char *path, mode_t mode, struct err *e);

/* dir + "/" + name in new memory; NULL with e filled when there is none. */
char *file_path(const char *dir, const char *name, struct err *e);

#endif
