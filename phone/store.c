/* SPDX-License-Identifier: ISC */
#include "phone/store.h"

#include "common/file.h"
#include "common/text.h"
#include "phone/store_state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATE_FILE "state.json"
#define STATE_MAX 16384
#define LOCK_FILE "lock"
#define BUNDLE_PREFIX "bundle-"
#define BUNDLE_SUFFIX ".ovpn"
#define BUNDLE_NAME_SIZE (sizeof(BUNDLE_PREFIX BUNDLE_SUFFIX) + MD5_HEX_SIZE)
#define NEW_SUFFIX ".new" /* of common/file.h's half-written files */

static void
bundle_name(const char *md5, char out[BUNDLE_NAME_SIZE])
{
	(void)snprintf(out, BUNDLE_NAME_SIZE, BUNDLE_PREFIX "%s" BUNDLE_SUFFIX, md5);
}

static int
state_read(struct store *s, struct err *e)
{
	struct buf text = BUF_INIT(STATE_MAX);
	struct err mine = ERR_INIT;
	char *path = file_path(s->dir, STATE_FILE, e);
	json_t *doc = NULL;
	json_error_t why;
	int rc = -1;

	if (path == NULL)
		return -1;
	if (file_read(path, &text, &mine) != 0) {
		s->fresh = mine.code == ERR_NOT_FOUND;
		rc = s->fresh ? 0 : err_set(e, mine.code, "%s", mine.text);
		goto out;
	}
	doc = json_loadb(buf_string(&text), text.len, JSON_REJECT_DUPLICATES, &why);
	if (!json_is_object(doc)) {
		err_set(e, ERR_INTEGRITY,
		    "%s: expected the JSON that refphone wrote, found other text; remove the folder to begin with a fresh phone",
		    path);
		goto out;
	}
	rc = store_state_decode(s, doc, e);
	if (rc != 0) {
		if (e != NULL && e->code == ERR_INPUT)
			e->code = ERR_INTEGRITY;
		err_prefix(e, "%s", path);
	}
out:
	json_decref(doc);
	buf_release(&text);
	free(path);
	return rc;
}

/* Nobody but the owner may plant a file here or read a key. */
static int
folder_check(const char *dir, struct err *e)
{
	struct stat st;

	if (stat(dir, &st) != 0)
		return err_errno(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_FAILED, errno, "%s", dir);
	if (!S_ISDIR(st.st_mode))
		return err_set(e, ERR_CONFLICT, "%s: expected a folder, found a file", dir);
	if (st.st_uid != geteuid())
		return err_set(e, ERR_CONFLICT, "%s: expected a folder of user %u, found one of user %u", dir,
		    (unsigned int)geteuid(), (unsigned int)st.st_uid);
	if ((st.st_mode & 077) != 0)
		return err_set(e, ERR_CONFLICT, "%s: expected mode 0700, found 0%03o; chmod 700 it, or name another",
		    dir, (unsigned int)(st.st_mode & 0777));
	return 0;
}

int
store_lock(const char *dir, const char *name, const char *held, int *ret_fd, struct err *e)
{
	char *path = file_path(dir, name, e);
	int fd, rc = 0;

	if (path == NULL)
		return -1;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		rc = err_errno(e, ERR_FAILED, errno, "%s", path);
	else if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		rc = errno == EWOULDBLOCK ? err_set(e, ERR_CONFLICT, "%s: %s", dir, held)
		                          : err_errno(e, ERR_FAILED, errno, "%s", path);
	free(path);
	if (rc == 0)
		*ret_fd = fd;
	else if (fd >= 0)
		(void)close(fd);
	return rc;
}

static int
store_start(struct store *s, const char *dir, struct err *e)
{
	memset(s, 0, sizeof(*s));
	s->lock = -1;
	s->dir = strdup(dir);
	return s->dir != NULL ? 0 : err_set(e, ERR_FAILED, "%s: no memory", dir);
}

void
store_memory(struct store *ret)
{
	*ret = (struct store){ .lock = -1, .fresh = true, .memory = BUF_INIT(STORE_BUNDLE_MAX) };
}

int
store_open(const char *dir, struct store *ret, struct err *e)
{
	struct store s;

	if (store_start(&s, dir, e) != 0)
		return -1;
	if (file_make_dir(dir, 0700, NULL, e) != 0 || folder_check(dir, e) != 0 ||
	    store_lock(dir, LOCK_FILE, "another refphone is at work on this phone", &s.lock, e) != 0 ||
	    state_read(&s, e) != 0) {
		store_close(&s);
		return -1;
	}
	*ret = s;
	return 0;
}

int
store_look(const char *dir, struct store *ret, struct err *e)
{
	struct store s;

	if (store_start(&s, dir, e) != 0)
		return -1;
	if (folder_check(dir, e) != 0 || state_read(&s, e) != 0)
		goto failed;
	if (s.fresh) {
		err_set(e, ERR_NOT_FOUND, "%s: expected a phone's state, found none; boot the phone first", dir);
		goto failed;
	}
	*ret = s;
	return 0;
failed:
	store_close(&s);
	return -1;
}

void
store_close(struct store *s)
{
	free(s->dir);
	buf_release(&s->memory);
	if (s->lock >= 0)
		(void)close(s->lock);
	OPENSSL_cleanse(s, sizeof(*s));
	s->lock = -1;
}

int
store_save(const struct store *s, struct err *e)
{
	char *path, *text = NULL;
	json_t *doc;
	int rc = -1;

	if (s->dir == NULL)
		return 0;
	doc = store_state_encode(s);
	path = file_path(s->dir, STATE_FILE, e);
	if (path == NULL)
		goto out;
	text = doc != NULL ? json_dumps(doc, JSON_INDENT(2) | JSON_PRESERVE_ORDER) : NULL;
	if (text == NULL) {
		err_set(e, ERR_FAILED, "%s: no memory", path);
		goto out;
	}
	rc = file_replace(path, text, strlen(text), 0600, e);
	OPENSSL_cleanse(text, strlen(text));
out:
	free(text);
	free(path);
	json_decref(doc);
	return rc;
}

static char *
bundle_path(const struct store *s, const char *md5, struct err *e)
{
	char name[BUNDLE_NAME_SIZE];

	bundle_name(md5, name);
	return file_path(s->dir, name, e);
}

bool
store_enabled(const struct store *s)
{
	return s->local.on ? s->local.enable : s->enable;
}

const char *
store_md5(const struct store *s)
{
	return s->local.on && s->local.md5[0] != '\0' ? s->local.md5 : s->md5;
}

static int
bundle_check(const char *where, const struct buf *bundle, const char *md5, struct err *e)
{
	char found[MD5_HEX_SIZE];

	if (md5_hex(bundle->data, bundle->len, found, e) != 0)
		return -1;
	return strcmp(found, md5) == 0 ? 0
	                               : err_set(e, ERR_INTEGRITY,
					     "%s: expected the bytes that were installed, found md5 %s", where, found);
}

int
store_bundle_load(const struct store *s, const char *md5, struct buf *out, struct err *e)
{
	char *path;
	int rc = -1;

	if (md5[0] == '\0')
		return err_set(e, ERR_NOT_FOUND, "%s: expected an OpenVPN configuration file, found none stored",
		    s->dir != NULL ? s->dir : s->mac);
	if (s->dir == NULL) {
		buf_add(out, s->memory.data, s->memory.len);
		return buf_check(out, "OpenVPN configuration file", e);
	}
	path = bundle_path(s, md5, e);
	if (path == NULL)
		return -1;
	if (file_read(path, out, e) == 0)
		rc = bundle_check(path, out, md5, e);
	free(path);
	return rc;
}

/* On disk, before state.json names it. */
static int
bundle_write(struct store *s, const struct buf *bundle, const char *md5, struct err *e)
{
	char *path;
	int rc;

	if (!text_is_hex(md5, MD5_HEX_SIZE - 1))
		return err_set(e, ERR_FAILED, "md5: expected 32 hex digits, found others");
	if (s->dir == NULL) {
		buf_clear(&s->memory);
		buf_add(&s->memory, bundle->data, bundle->len);
		return buf_check(&s->memory, "OpenVPN configuration file", e);
	}
	path = bundle_path(s, md5, e);
	if (path == NULL)
		return -1;
	rc = file_replace(path, bundle->data, bundle->len, 0600, e);
	free(path);
	return rc;
}

int
store_bundle_install(struct store *s, const struct buf *bundle, const char *md5, struct err *e)
{
	char before[MD5_HEX_SIZE];

	if (bundle_write(s, bundle, md5, e) != 0)
		return -1;
	memcpy(before, s->md5, sizeof(before));
	memcpy(s->md5, md5, sizeof(s->md5));
	if (store_save(s, e) != 0) {
		memcpy(s->md5, before, sizeof(s->md5));
		return -1;
	}
	/* It is installed; what stays beside it is removed at the next boot. */
	(void)store_tidy(s, NULL);
	return 0;
}

/* The new override is committed, or the old one stays. */
static int
local_commit(struct store *s, const struct store_local *l, struct err *e)
{
	const struct store_local before = s->local;

	s->local = *l;
	if (store_save(s, e) != 0) {
		s->local = before;
		return -1;
	}
	(void)store_tidy(s, NULL);
	return 0;
}

int
store_local_set(struct store *s, bool enable, const struct buf *bundle, const char *md5, struct err *e)
{
	struct store_local l = s->local;

	if (bundle != NULL) {
		if (bundle_write(s, bundle, md5, e) != 0)
			return -1;
		memcpy(l.md5, md5, sizeof(l.md5));
	}
	l.on = true;
	l.enable = enable;
	return local_commit(s, &l, e);
}

int
store_local_delete(struct store *s, struct err *e)
{
	struct store_local l = s->local;

	l.md5[0] = '\0';
	return local_commit(s, &l, e);
}

int
store_local_revert(struct store *s, struct err *e)
{
	return local_commit(s, &(struct store_local){ .on = false }, e);
}

/* A name that only a power cut leaves: a half-written file of ours, or a bundle that state.json does not name. */
static bool
is_leftover(const struct store *s, const char *name)
{
	size_t len = strlen(name), suffix = strlen(NEW_SUFFIX), prefix = strlen(BUNDLE_PREFIX);
	bool ours = strncmp(name, BUNDLE_PREFIX, prefix) == 0;
	char server[BUNDLE_NAME_SIZE], local[BUNDLE_NAME_SIZE];

	if (len > suffix && strcmp(name + len - suffix, NEW_SUFFIX) == 0)
		return ours || strncmp(name, STATE_FILE ".", strlen(STATE_FILE ".")) == 0;
	bundle_name(s->md5, server);
	bundle_name(s->local.md5, local);
	suffix = strlen(BUNDLE_SUFFIX);
	return ours && len > suffix && strcmp(name + len - suffix, BUNDLE_SUFFIX) == 0 && strcmp(name, server) != 0 &&
	       strcmp(name, local) != 0;
}

int
store_tidy(const struct store *s, struct err *e)
{
	const struct dirent *entry;
	DIR *dir;
	int rc = 0;

	if (s->dir == NULL)
		return 0;
	dir = opendir(s->dir);
	if (dir == NULL)
		return err_errno(e, ERR_FAILED, errno, "%s", s->dir);
	while ((entry = readdir(dir)) != NULL) {
		if (!is_leftover(s, entry->d_name))
			continue;
		if (unlinkat(dirfd(dir), entry->d_name, 0) != 0 && rc == 0)
			rc = err_errno(e, ERR_FAILED, errno, "%s/%s", s->dir, entry->d_name);
	}
	(void)closedir(dir);
	return rc;
}

int
store_reset(struct store *s, struct err *e)
{
	OPENSSL_cleanse(s->config_url, sizeof(s->config_url));
	OPENSSL_cleanse(s->admin_password, sizeof(s->admin_password));
	buf_clear(&s->memory);
	s->md5[0] = s->tunnel_md5[0] = s->tunnel_failure[0] = '\0';
	s->enable = s->logging = false;
	s->local = (struct store_local){ .on = false };
	/* The bundles first: a full disk has room for the rest then, and what a power cut leaves names a file that is gone. */
	if (store_tidy(s, e) != 0)
		return -1;
	return store_save(s, e);
}

int
store_destroy(const char *dir, struct err *e)
{
	const struct dirent *entry;
	DIR *d = opendir(dir);

	if (d == NULL)
		return err_errno(e, ERR_FAILED, errno, "%s", dir);
	/* There are no folders in it. */
	while ((entry = readdir(d)) != NULL)
		(void)unlinkat(dirfd(d), entry->d_name, 0);
	(void)closedir(d);
	return rmdir(dir) == 0 ? 0 : err_errno(e, ERR_FAILED, errno, "%s", dir);
}
