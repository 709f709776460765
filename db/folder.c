/* SPDX-License-Identifier: ISC */
#include "db/folder.h"

#include "common/file.h"
#include "common/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define HOLDER_MAX 512
#define LOCK_TRIES 100
#define LOCK_TRIES_AT_ONCE 2 /* a holder that is just coming or going */
#define LOCK_PAUSE_NS 10000000

int
folder_check(const char *dir, struct err *e)
{
	struct stat st;

	if (stat(dir, &st) != 0) {
		if (errno == ENOENT)
			return err_set(e, ERR_NOT_FOUND, "%s: no phonevpn state here; run 'phonevpn init' first", dir);
		return err_errno(e, ERR_FAILED, errno, "state folder %s", dir);
	}
	if (!S_ISDIR(st.st_mode))
		return err_set(e, ERR_FAILED, "state folder %s: expected a folder, found a file", dir);
	if (eaccess(dir, R_OK | W_OK | X_OK) != 0)
		return err_errno(e, ERR_FAILED, errno, "state folder %s", dir);
	return 0;
}

int
folder_check_private(const char *dir, struct err *e)
{
	struct stat st;

	if (stat(dir, &st) != 0)
		return err_errno(e, ERR_FAILED, errno, "state folder %s", dir);
	if ((st.st_mode & 077) != 0)
		return err_set(e, ERR_INTEGRITY,
		    "state folder %s: expected a folder for its owner only (0700), found mode %04o; if nobody else "
		    "has been in it, chmod 700 it",
		    dir, (unsigned int)(st.st_mode & 07777));
	return 0;
}

static bool
folder_is_empty(const char *dir)
{
	const struct dirent *entry;
	DIR *d = opendir(dir);
	bool empty = d != NULL;

	while (empty && (entry = readdir(d)) != NULL)
		empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
	if (d != NULL)
		(void)closedir(d);
	return empty;
}

int
folder_make(const char *dir, bool *ret_made, struct err *e)
{
	if (file_make_dir(dir, 0700, ret_made, e) != 0)
		return -1;
	if (!*ret_made && folder_is_empty(dir) && chmod(dir, 0700) != 0)
		return err_errno(e, ERR_FAILED, errno, "state folder %s", dir);
	return folder_check(dir, e) != 0 ? -1 : folder_check_private(dir, e);
}

static int
holder_unknown(const char *dir, struct err *e)
{
	return err_set(e, ERR_CONFLICT, "state folder %s: another process is changing it; try again when it has ended",
	    dir);
}

/* Tell who holds the lock, from the file's three lines: process id, since when, actor. */
static int
holder_report(const char *dir, int fd, struct err *e)
{
	char text[HOLDER_MAX + 1], shown[160], *since, *actor;
	ssize_t n = pread(fd, text, HOLDER_MAX, 0);

	text[n > 0 ? n : 0] = '\0';
	since = strchr(text, '\n');
	actor = since != NULL ? strchr(since + 1, '\n') : NULL;
	if (actor == NULL || actor[1] == '\0')
		return holder_unknown(dir, e);
	*since++ = '\0';
	*actor++ = '\0';
	actor[strcspn(actor, "\n")] = '\0';
	return err_set(e, ERR_CONFLICT,
	    "state folder %s: process %.20s (%s) is changing it since %.20s; try again when it has ended", dir, text,
	    text_printable(actor, shown, sizeof(shown)), since);
}

/* For people only: a disk too full for these bytes does not make the lock worse. */
static void
holder_write(int fd, const char *actor)
{
	char text[HOLDER_MAX], now[TEXT_TIME_SIZE];
	ssize_t done;
	int len;

	text_time(time(NULL), now);
	len = snprintf(text, sizeof(text), "%ld\n%s\n%s\n", (long)getpid(), now, actor);
	if (len >= (int)sizeof(text))
		len = sizeof(text) - 1;
	done = ftruncate(fd, 0);
	done = pwrite(fd, text, (size_t)len, 0);
	(void)done;
}

/* The file that was locked is still the one in the folder, not one that a failed init has removed meanwhile. */
static bool
lock_is_current(int fd, const char *path)
{
	struct stat mine, there;

	return fstat(fd, &mine) == 0 && stat(path, &there) == 0 && mine.st_dev == there.st_dev &&
	       mine.st_ino == there.st_ino;
}

static int
lock_open(const char *path, bool *ret_made)
{
	const int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	int fd = open(path, flags | O_CREAT | O_EXCL, 0600);

	*ret_made = fd >= 0;
	if (fd < 0 && errno == EEXIST)
		fd = open(path, flags);
	return fd;
}

enum lock_attempt {
	LOCK_TAKEN,
	LOCK_HELD,   /* by another, whose name is in the file that is open now */
	LOCK_AGAIN,  /* the file has gone, or its holder is just coming or going: nothing is open */
	LOCK_FAILED, /* errno tells; nothing is open */
};

static enum lock_attempt
lock_try(struct folder_lock *lock)
{
	enum lock_attempt result = LOCK_AGAIN;
	struct stat st;
	int failed = 0;

	lock->fd = lock_open(lock->path, &lock->made);
	if (lock->fd < 0)
		return errno == ENOENT ? LOCK_AGAIN : LOCK_FAILED;
	if (flock(lock->fd, LOCK_EX | LOCK_NB) == 0) {
		if (lock_is_current(lock->fd, lock->path))
			return LOCK_TAKEN;
	} else if (errno != EWOULDBLOCK) {
		failed = errno;
		result = LOCK_FAILED;
	} else if (fstat(lock->fd, &st) == 0 && st.st_size > 0) {
		return LOCK_HELD;
	}
	(void)close(lock->fd);
	lock->fd = -1;
	errno = failed;
	return result;
}

int
folder_lock_take(const char *dir, const char *actor, bool at_once, struct folder_lock *ret, struct err *e)
{
	const int most = at_once ? LOCK_TRIES_AT_ONCE : LOCK_TRIES;
	const struct timespec pause = { 0, LOCK_PAUSE_NS };
	struct folder_lock lock = { .fd = -1, .path = file_path(dir, "lock", e) };
	enum lock_attempt attempt = LOCK_AGAIN;

	if (lock.path == NULL)
		return -1;
	/* Most who have it are done soon: a server that puts keys into the pool, a phone that is added. */
	for (int tries = 1;; tries++) {
		attempt = lock_try(&lock);
		if (attempt == LOCK_TAKEN || attempt == LOCK_FAILED || tries == most)
			break;
		if (attempt == LOCK_HELD)
			(void)close(lock.fd);
		(void)nanosleep(&pause, NULL);
	}
	switch (attempt) {
	case LOCK_TAKEN:
		holder_write(lock.fd, actor);
		*ret = lock;
		return 0;
	case LOCK_HELD:
		holder_report(dir, lock.fd, e);
		(void)close(lock.fd);
		break;
	case LOCK_AGAIN:
		holder_unknown(dir, e);
		break;
	case LOCK_FAILED:
		err_errno(e, ERR_FAILED, errno, "%s", lock.path);
		break;
	}
	free(lock.path);
	return -1;
}

static void
lock_end(struct folder_lock *lock, bool remove)
{
	int done;

	if (lock->fd < 0)
		return;
	if (remove) {
		(void)unlink(lock->path);
	} else {
		done = ftruncate(lock->fd, 0);
		(void)done;
	}
	(void)close(lock->fd);
	free(lock->path);
	*lock = (struct folder_lock)FOLDER_LOCK_INIT;
}

void
folder_lock_release(struct folder_lock *lock)
{
	lock_end(lock, false);
}

void
folder_lock_remove(struct folder_lock *lock)
{
	lock_end(lock, true);
}
