/* SPDX-License-Identifier: ISC */
#include "phone/store.h"

#include "common/file.h"
#include "common/text.h"

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

#define STATE_FORMAT 1
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

static bool
md5_is_valid(const char *md5)
{
	return md5[0] == '\0' || text_is_hex(md5, MD5_HEX_SIZE - 1);
}

/* One string of the document into a field; absent counts as "". */
static int
field_read(const json_t *doc, const char *name, char *field, size_t size, struct err *e)
{
	const json_t *value = json_object_get(doc, name);

	if (value == NULL)
		return 0;
	if (!json_is_string(value))
		return err_set(e, ERR_INTEGRITY, "%s: expected a string, found none", name);
	return text_copy(field, size, json_string_value(value), name, e);
}

static int
state_decode(struct store *s, const json_t *doc, struct err *e)
{
	json_int_t format = json_integer_value(json_object_get(doc, "format"));
	char again[MAC_SIZE];

	if (format != STATE_FORMAT)
		return err_set(e, ERR_CONFLICT, "expected format %d, found %lld: another version of refphone wrote it",
		    STATE_FORMAT, (long long)format);
	if (field_read(doc, "mac", s->mac, sizeof(s->mac), e) != 0 ||
	    field_read(doc, "model", s->model, sizeof(s->model), e) != 0 ||
	    field_read(doc, "firmware", s->firmware, sizeof(s->firmware), e) != 0 ||
	    field_read(doc, "config_url", s->config_url, sizeof(s->config_url), e) != 0 ||
	    field_read(doc, "md5", s->md5, sizeof(s->md5), e) != 0 ||
	    field_read(doc, "tunnel_md5", s->tunnel_md5, sizeof(s->tunnel_md5), e) != 0)
		return -1;
	if (mac_parse(s->mac, again, e) != 0)
		return -1;
	if (strcmp(s->mac, again) != 0 || !md5_is_valid(s->md5) || !md5_is_valid(s->tunnel_md5))
		return err_set(e, ERR_INTEGRITY, "expected a MAC and md5s in hex, found others");
	s->enable = json_is_true(json_object_get(doc, "enable"));
	s->logging = json_is_true(json_object_get(doc, "logging"));
	return 0;
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
		err_set(e, ERR_INTEGRITY, "%s: expected the JSON that refphone wrote, found other text", path);
		goto out;
	}
	rc = state_decode(s, doc, e);
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
	if ((st.st_mode & 077) != 0)
		return err_set(e, ERR_CONFLICT, "%s: expected mode 0700, found 0%03o; chmod 700 it, or name another",
		    dir, (unsigned int)(st.st_mode & 0777));
	return 0;
}

static int
folder_lock(struct store *s, struct err *e)
{
	char *path = file_path(s->dir, LOCK_FILE, e);
	int rc = 0;

	if (path == NULL)
		return -1;
	s->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->lock < 0)
		rc = err_errno(e, ERR_FAILED, errno, "%s", path);
	else if (flock(s->lock, LOCK_EX | LOCK_NB) != 0)
		rc = errno == EWOULDBLOCK
		         ? err_set(e, ERR_CONFLICT, "%s: another refphone is at work on this phone", s->dir)
		         : err_errno(e, ERR_FAILED, errno, "%s", path);
	free(path);
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

int
store_open(const char *dir, struct store *ret, struct err *e)
{
	struct store s;

	if (store_start(&s, dir, e) != 0)
		return -1;
	if (file_make_dir(dir, 0700, NULL, e) != 0 || folder_check(dir, e) != 0 || folder_lock(&s, e) != 0 ||
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
	if (s->lock >= 0)
		(void)close(s->lock);
	OPENSSL_cleanse(s, sizeof(*s));
	s->lock = -1;
}

static json_t *
state_encode(const struct store *s)
{
	char name[BUNDLE_NAME_SIZE] = "";

	if (s->md5[0] != '\0')
		bundle_name(s->md5, name);
	return json_pack("{s:i,s:s,s:s,s:s,s:s,s:b,s:b,s:s,s:s,s:s}", "format", STATE_FORMAT, "mac", s->mac, "model",
	    s->model, "firmware", s->firmware, "config_url", s->config_url, "enable", s->enable, "logging", s->logging,
	    "md5", s->md5, "bundle", name, "tunnel_md5", s->tunnel_md5);
}

int
store_save(const struct store *s, struct err *e)
{
	json_t *doc = state_encode(s);
	char *path = file_path(s->dir, STATE_FILE, e), *text = NULL;
	int rc = -1;

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

int
store_bundle_load(const struct store *s, struct buf *out, struct err *e)
{
	char md5[MD5_HEX_SIZE], *path;
	int rc = -1;

	if (s->md5[0] == '\0')
		return err_set(e, ERR_NOT_FOUND, "%s: expected an OpenVPN configuration file, found none stored",
		    s->dir);
	path = bundle_path(s, s->md5, e);
	if (path == NULL)
		return -1;
	if (file_read(path, out, e) == 0 && md5_hex(out->data, out->len, md5, e) == 0)
		rc = strcmp(md5, s->md5) == 0
		         ? 0
		         : err_set(e, ERR_INTEGRITY, "%s: expected the bytes that were installed, found md5 %s", path,
			       md5);
	free(path);
	return rc;
}

int
store_bundle_install(struct store *s, const struct buf *bundle, const char *md5, struct err *e)
{
	char before[MD5_HEX_SIZE], *path;
	int rc;

	if (!text_is_hex(md5, MD5_HEX_SIZE - 1))
		return err_set(e, ERR_FAILED, "md5: expected 32 hex digits, found others");
	path = bundle_path(s, md5, e);
	if (path == NULL)
		return -1;
	rc = file_replace(path, bundle->data, bundle->len, 0600, e);
	free(path);
	if (rc != 0)
		return -1;
	memcpy(before, s->md5, sizeof(before));
	memcpy(s->md5, md5, sizeof(s->md5));
	if (store_save(s, e) != 0) {
		memcpy(s->md5, before, sizeof(s->md5));
		return -1;
	}
	return store_tidy(s, e);
}

/* A name that only a power cut leaves: a half-written file of ours, or a bundle that state.json does not name. */
static bool
is_leftover(const char *name, const char *bundle)
{
	size_t len = strlen(name), suffix = strlen(NEW_SUFFIX), prefix = strlen(BUNDLE_PREFIX);
	bool ours = strncmp(name, BUNDLE_PREFIX, prefix) == 0;

	if (len > suffix && strcmp(name + len - suffix, NEW_SUFFIX) == 0)
		return ours || strncmp(name, STATE_FILE ".", strlen(STATE_FILE ".")) == 0;
	suffix = strlen(BUNDLE_SUFFIX);
	return ours && len > suffix && strcmp(name + len - suffix, BUNDLE_SUFFIX) == 0 && strcmp(name, bundle) != 0;
}

int
store_tidy(const struct store *s, struct err *e)
{
	char bundle[BUNDLE_NAME_SIZE] = "";
	const struct dirent *entry;
	DIR *dir = opendir(s->dir);
	int rc = 0;

	if (dir == NULL)
		return err_errno(e, ERR_FAILED, errno, "%s", s->dir);
	if (s->md5[0] != '\0')
		bundle_name(s->md5, bundle);
	while ((entry = readdir(dir)) != NULL) {
		if (!is_leftover(entry->d_name, bundle))
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
	s->md5[0] = s->tunnel_md5[0] = '\0';
	s->enable = s->logging = false;
	if (store_save(s, e) != 0)
		return -1;
	return store_tidy(s, e);
}
