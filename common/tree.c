/* SPDX-License-Identifier: ISC */
#include "common/tree.h"

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
#include <unistd.h>

#define NEW_NAME ".phonevpn.new"

int
tree_open(struct tree *t, const char *path, mode_t mode, const char *mark, bool dry_run, struct err *e)
{
	*t = (struct tree){ .path = strdup(path), .fd = -1, .dry_run = dry_run, .mark = mark };
	if (t->path == NULL)
		return err_set(e, ERR_FAILED, "%s: no memory", path);
	if (!dry_run && file_claim_dir(path, mode, e) != 0)
		return -1;
	t->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (t->fd < 0 && !(dry_run && errno == ENOENT))
		return err_errno(e, ERR_FAILED, errno, "%s", path);
	/* Two at once would write the same new file. */
	if (!dry_run && flock(t->fd, LOCK_EX | LOCK_NB) != 0)
		return errno == EWOULDBLOCK
		           ? err_set(e, ERR_CONFLICT,
				 "%s: expected to be alone in it, found another process at work; try again", path)
		           : err_errno(e, ERR_FAILED, errno, "%s", path);
	return 0;
}

/* What is there under a name. */
struct found {
	bool exists, ours, same;
};

/* len more bytes are those of data, and then the file ends. */
static bool
same_bytes(int fd, const void *data, size_t len)
{
	const unsigned char *p = data;
	unsigned char piece[4096];
	ssize_t n;

	while ((n = read(fd, piece, sizeof(piece))) > 0) {
		if ((size_t)n > len || memcmp(piece, p, (size_t)n) != 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return n == 0 && len == 0;
}

static bool
begins_with(int fd, const char *mark)
{
	char piece[128];
	size_t len = strlen(mark);

	return len <= sizeof(piece) && pread(fd, piece, len, 0) == (ssize_t)len && memcmp(piece, mark, len) == 0;
}

static int
look(const struct tree *t, const char *name, const void *data, size_t len, mode_t mode, struct found *ret,
    struct err *e)
{
	struct stat st;
	int fd;

	*ret = (struct found){ false, false, false };
	if (t->fd < 0)
		return 0;
	fd = openat(t->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 && errno != ELOOP)
		return err_errno(e, ERR_FAILED, errno, "%s/%s", t->path, name);
	ret->exists = true;
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		ret->ours = t->mark == NULL || begins_with(fd, t->mark);
		ret->same = data != NULL && ret->ours && (st.st_mode & 07777) == mode && same_bytes(fd, data, len);
	}
	if (fd >= 0)
		(void)close(fd);
	return 0;
}

static int
write_new(const struct tree *t, const char *name, const void *data, size_t len, mode_t mode, struct err *e)
{
	int fd = openat(t->fd, NEW_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	int failed = 0;
	ssize_t n;

	if (fd < 0)
		return err_errno(e, ERR_FAILED, errno, "%s/" NEW_NAME, t->path);
	n = write(fd, data, len);
	if (n != (ssize_t)len)
		failed = n < 0 ? errno : ENOSPC;
	if (failed == 0 && fchmod(fd, mode) != 0)
		failed = errno;
	if (close(fd) != 0 && failed == 0)
		failed = errno;
	if (failed == 0 && renameat(t->fd, NEW_NAME, t->fd, name) != 0)
		failed = errno;
	if (failed == 0)
		return 0;
	(void)unlinkat(t->fd, NEW_NAME, 0);
	return err_errno(e, ERR_FAILED, failed, "%s/%s", t->path, name);
}

int
tree_put(struct tree *t, const char *name, const void *data, size_t len, mode_t mode, bool *ret_written, struct err *e)
{
	struct found found;

	if (look(t, name, data, len, mode, &found, e) != 0)
		return -1;
	if (found.exists && !found.ours)
		return err_set(e, ERR_CONFLICT,
		    "%s/%s: expected phonevpn's own file or none, found another; move it away first", t->path, name);
	*ret_written = !found.same;
	if (found.same || t->dry_run)
		return 0;
	t->changed = true;
	return write_new(t, name, data, len, mode, e);
}

static int
prune_one(struct tree *t, const char *name, int (*removed)(const char *name, void *arg, struct err *e), void *arg,
    struct err *e)
{
	struct found found;

	if (look(t, name, NULL, 0, 0, &found, e) != 0)
		return -1;
	if (!found.ours)
		return 0;
	if (!t->dry_run && unlinkat(t->fd, name, 0) != 0 && errno != ENOENT)
		return err_errno(e, ERR_FAILED, errno, "%s/%s", t->path, name);
	t->changed = t->changed || !t->dry_run;
	return removed(name, arg, e);
}

int
tree_prune(struct tree *t, bool (*keep)(const char *name, void *arg),
    int (*removed)(const char *name, void *arg, struct err *e), void *arg, struct err *e)
{
	const struct dirent *entry;
	DIR *dir;
	int rc = 0;

	if (t->fd < 0)
		return 0;
	dir = opendir(t->path);
	if (dir == NULL)
		return err_errno(e, ERR_FAILED, errno, "%s", t->path);
	while (rc == 0 && (entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 || keep(entry->d_name, arg))
			continue;
		rc = prune_one(t, entry->d_name, removed, arg, e);
	}
	(void)closedir(dir);
	return rc;
}

int
tree_close(struct tree *t, bool failed, struct err *e)
{
	int rc = 0;

	if (!failed && t->fd >= 0 && t->changed && syncfs(t->fd) != 0)
		rc = err_errno(e, ERR_FAILED, errno, "%s", t->path);
	if (t->fd >= 0)
		(void)close(t->fd);
	free(t->path);
	*t = (struct tree)TREE_INIT;
	return rc;
}
