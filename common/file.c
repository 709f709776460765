/* SPDX-License-Identifier: ISC */
#include "common/file.h"

#include "common/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK 16384
#define NEW_SUFFIX ".new"

/* At most that many bytes. */
static int
read_up_to(int fd, const char *path, size_t most, struct buf *out, struct err *e)
{
	unsigned char chunk[CHUNK];
	const size_t before = out->len;
	int failed = 0;
	ssize_t n;

	do {
		const size_t left = most - (out->len - before);

		n = read(fd, chunk, left < sizeof(chunk) ? left : sizeof(chunk));
		if (n > 0)
			buf_add(out, chunk, (size_t)n);
		else if (n < 0)
			failed = errno;
	} while ((n > 0 && !out->broken) || (n < 0 && failed == EINTR));
	explicit_bzero(chunk, sizeof(chunk));
	if (n < 0)
		return err_errno(e, ERR_FAILED, failed, "%s", path);
	return buf_check(out, path, e);
}

static int
read_all(int fd, const char *path, struct buf *out, struct err *e)
{
	return read_up_to(fd, path, SIZE_MAX, out, e);
}

static int
open_and_read(const char *path, size_t most, struct buf *out, struct err *e)
{
	int fd, rc;

	if (strcmp(path, "-") == 0)
		return read_up_to(STDIN_FILENO, "standard input", most, out, e);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_FAILED, errno, "%s", path);
	rc = read_up_to(fd, path, most, out, e);
	(void)close(fd);
	return rc;
}

int
file_read(const char *path, struct buf *out, struct err *e)
{
	return open_and_read(path, SIZE_MAX, out, e);
}

int
file_read_start(const char *path, struct buf *out, struct err *e)
{
	return open_and_read(path, out->max - out->len, out, e);
}

int
file_read_plain(const char *path, struct buf *out, struct err *e)
{
	struct stat st;
	int fd, rc;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return err_errno(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_FAILED, errno, "%s", path);
	if (fstat(fd, &st) != 0)
		rc = err_errno(e, ERR_FAILED, errno, "%s", path);
	else if (!S_ISREG(st.st_mode))
		rc = err_set(e, ERR_FAILED, "%s: expected a plain file, found something else", path);
	else
		rc = read_all(fd, path, out, e);
	(void)close(fd);
	return rc;
}

int
file_check_dir(const char *path, struct err *e)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return err_errno(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_FAILED, errno, "%s", path);
	if (!S_ISDIR(st.st_mode))
		return err_set(e, ERR_FAILED, "%s: expected a folder, found a file", path);
	if (eaccess(path, X_OK) != 0)
		return err_errno(e, ERR_FAILED, errno, "%s", path);
	return 0;
}

int
file_read_secret(const char *path, struct buf *out, struct err *e)
{
	size_t len;

	if (file_read(path, out, e) != 0)
		return -1;
	len = strcspn(buf_string(out), "\r\n");
	if (len == 0)
		return err_set(e, ERR_INPUT, "%s: expected a secret in the first line, found it empty", path);
	if (strspn(buf_string(out) + len, "\r\n") + len != out->len)
		return err_set(e, ERR_INPUT, "%s: expected one line of text, found more or a NUL byte", path);
	buf_cut(out, len);
	out->data[len] = '\0';
	return 0;
}

static int
write_all(int fd, const void *data, size_t len)
{
	const unsigned char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return fsync(fd);
}

int
file_sync_folder(const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	char *dir;
	int fd, failed;

	dir = slash == NULL ? strdup(".") : strndup(path, slash == path ? 1 : (size_t)(slash - path));
	fd = dir == NULL ? -1 : open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	failed = fd < 0 || fsync(fd) != 0 ? errno : 0;
	if (fd >= 0)
		(void)close(fd);
	free(dir);
	return failed != 0 ? err_errno(e, ERR_FAILED, failed, "folder of %s", path) : 0;
}

/* Write all of a new file, and close it; on failure it is removed again. */
static int
fill_new(int fd, const char *path, const void *data, size_t len, mode_t mode, struct err *e)
{
	int failed = fchmod(fd, mode) != 0 || write_all(fd, data, len) != 0 ? errno : 0;

	if (close(fd) != 0 && failed == 0)
		failed = errno;
	if (failed == 0)
		return 0;
	(void)unlink(path);
	return err_errno(e, ERR_FAILED, failed, "%s", path);
}

int
file_create(const char *path, const void *data, size_t len, mode_t mode, struct err *e)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_errno(e, errno == EEXIST ? ERR_CONFLICT : ERR_FAILED, errno, "%s", path);
	if (fill_new(fd, path, data, len, mode, e) != 0)
		return -1;
	return file_sync_folder(path, e);
}

int
file_replace(const char *path, const void *data, size_t len, mode_t mode, struct err *e)
{
	char *beside;
	struct stat st;
	int fd, rc = -1;

	/* A rename over /dev/stdout would take it away from everybody. */
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return err_set(e, ERR_CONFLICT, "%s: expected a file or nothing, found %s", path,
		    S_ISDIR(st.st_mode) ? "a folder" : "a device, a pipe or a socket");
	beside = text_format("%s.XXXXXX" NEW_SUFFIX, path);
	if (beside == NULL)
		return err_set(e, ERR_FAILED, "%s: no memory", path);
	fd = mkostemps(beside, (int)strlen(NEW_SUFFIX), O_CLOEXEC);
	if (fd < 0) {
		err_errno(e, ERR_FAILED, errno, "%s", path);
		goto out;
	}
	if (fill_new(fd, beside, data, len, mode, e) != 0)
		goto out;
	if (rename(beside, path) != 0) {
		err_errno(e, ERR_FAILED, errno, "%s", path);
		(void)unlink(beside);
		goto out;
	}
	rc = file_sync_folder(path, e);
out:
	free(beside);
	return rc;
}

int
file_make_dir(const char *path, mode_t mode, bool *ret_made, struct err *e)
{
	struct stat st;

	if (mkdir(path, mode) == 0) {
		/* The mode that was asked for, whatever the umask. */
		if (chmod(path, mode) != 0)
			return err_errno(e, ERR_FAILED, errno, "%s", path);
		if (ret_made != NULL)
			*ret_made = true;
		return 0;
	}
	if (errno != EEXIST)
		return err_errno(e, ERR_FAILED, errno, "%s", path);
	if (stat(path, &st) != 0)
		return err_errno(e, ERR_FAILED, errno, "%s", path);
	if (!S_ISDIR(st.st_mode))
		return err_set(e, ERR_CONFLICT, "%s: expected a folder, found a file", path);
	if (ret_made != NULL)
		*ret_made = false;
	return 0;
}

int
file_claim_dir(const char *path, mode_t mode, struct err *e)
{
	struct stat st;
	int fd, rc = -1;

	if (file_make_dir(path, mode, NULL, e) != 0)
		return -1;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && (errno == ELOOP || errno == ENOTDIR))
		return err_set(e, ERR_CONFLICT, "%s: expected a folder, found a symlink", path);
	if (fd < 0 || fstat(fd, &st) != 0)
		err_errno(e, ERR_FAILED, errno, "%s", path);
	else if (st.st_uid != geteuid())
		err_set(e, ERR_CONFLICT, "%s: expected a folder of user id %u, found one of %u", path,
		    (unsigned int)geteuid(), (unsigned int)st.st_uid);
	else if ((st.st_mode & 07777) != mode && fchmod(fd, mode) != 0)
		err_errno(e, ERR_FAILED, errno, "%s", path);
	else
		rc = 0;
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

char *
file_path(const char *dir, const char *name, struct err *e)
{
	char *path = text_format("%s/%s", dir, name);

	if (path == NULL)
		err_set(e, ERR_FAILED, "%s/%s: no memory", dir, name);
	return path;
}
