/* SPDX-License-Identifier: ISC */
#include "db/master_key.h"

#include "common/file.h"
#include "common/process.h"
#include "common/text.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int
stat_check(const struct stat *st, const char *path, struct err *e)
{
	mode_t shared = st->st_mode & (st->st_uid == 0 && geteuid() != 0 ? 037 : 077);

	if (!S_ISREG(st->st_mode))
		return err_set(e, ERR_INTEGRITY, "master key %s: expected a plain file, found something else", path);
	if (shared != 0)
		return err_set(e, ERR_INTEGRITY,
		    "master key %s: expected a file for its owner only (0600), found mode %04o; if nobody else has "
		    "read it, chmod 600 it",
		    path, (unsigned int)(st->st_mode & 07777));
	if (st->st_size != SEAL_KEY_SIZE)
		return err_set(e, ERR_INTEGRITY, "master key %s: expected %d bytes, found %lld", path, SEAL_KEY_SIZE,
		    (long long)st->st_size);
	return 0;
}

int
master_key_load(const char *path, unsigned char ret[SEAL_KEY_SIZE], struct err *e)
{
	unsigned char key[SEAL_KEY_SIZE];
	struct stat st;
	ssize_t n;
	int fd, rc = -1;

	/* O_NONBLOCK: a FIFO in its place must be an error, not a wait. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return err_errno(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_FAILED, errno, "master key %s", path);
	if (fstat(fd, &st) != 0) {
		err_errno(e, ERR_FAILED, errno, "master key %s", path);
		goto out;
	}
	if (stat_check(&st, path, e) != 0)
		goto out;
	n = read(fd, key, sizeof(key));
	if (n != (ssize_t)sizeof(key)) {
		err_errno(e, ERR_FAILED, n < 0 ? errno : EIO, "master key %s", path);
		goto out;
	}
	memcpy(ret, key, sizeof(key));
	rc = 0;
out:
	OPENSSL_cleanse(key, sizeof(key));
	(void)close(fd);
	return rc;
}

/*
 * A new key appears whole or not at all, and never in the place of another one, which may hold somebody's only copy:
 * so a file beside it and link(), which a rename() would not do.
 */
static int
key_make(const char *path, bool *ret_made, struct err *e)
{
	unsigned char key[SEAL_KEY_SIZE];
	char *beside = text_format("%s.new", path);
	int rc = -1;

	if (beside == NULL)
		return err_set(e, ERR_FAILED, "master key %s: no memory", path);
	/* What an earlier attempt left when it was killed was never used. */
	(void)unlink(beside);
	if (process_random(key, sizeof(key), e) != 0 || file_create(beside, key, sizeof(key), 0600, e) != 0)
		goto out;
	if (link(beside, path) == 0) {
		*ret_made = true;
	} else if (errno != EEXIST) {
		err_errno(e, ERR_FAILED, errno, "master key %s", path);
		goto out;
	}
	rc = file_sync_folder(path, e);
out:
	(void)unlink(beside);
	OPENSSL_cleanse(key, sizeof(key));
	free(beside);
	return rc;
}

int
master_key_take(const char *path, unsigned char ret[SEAL_KEY_SIZE], bool *ret_made, struct err *e)
{
	*ret_made = false;
	if (access(path, F_OK) != 0 && errno == ENOENT && key_make(path, ret_made, e) != 0)
		return -1;
	return master_key_load(path, ret, e);
}
