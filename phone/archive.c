/* SPDX-License-Identifier: ISC */
#include "phone/archive.h"

#include "common/file.h"
#include "phone/fetch.h"
#include "phone/openvpn.h"
#include "phone/redact.h"
#include "phone/status.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define JSON_MAX 65536

struct writer {
	struct archive *a;
	const struct phone *phone;
	time_t now;
};

/* A full disk cannot be: all of it is in memory. */
static la_ssize_t
on_write(struct archive *a, void *arg, const void *data, size_t len)
{
	struct buf *out = arg;

	buf_add(out, data, len);
	if (!out->broken)
		return (la_ssize_t)len;
	archive_set_error(a, ENOMEM, "more than %zu bytes", out->max);
	return -1;
}

static int
failed(struct archive *a, struct err *e)
{
	const char *why = archive_error_string(a);

	return err_set(e, ERR_FAILED, "debug archive: %s", why != NULL ? why : "no memory");
}

static int
file_add(const struct writer *w, const char *name, const struct buf *content, struct err *e)
{
	struct archive_entry *entry = archive_entry_new();
	char path[64];
	int rc = -1;

	if (buf_check(content, name, e) != 0)
		goto out;
	if (entry == NULL) {
		err_set(e, ERR_FAILED, "debug archive: no memory");
		goto out;
	}
	(void)snprintf(path, sizeof(path), "refphone-%s/%s", w->phone->store.mac, name);
	archive_entry_set_pathname(entry, path);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0600);
	archive_entry_set_mtime(entry, w->now, 0);
	archive_entry_set_size(entry, (la_int64_t)content->len);
	if (archive_write_header(w->a, entry) == ARCHIVE_OK &&
	    archive_write_data(w->a, buf_string(content), content->len) == (la_ssize_t)content->len)
		rc = 0;
	else
		failed(w->a, e);
out:
	archive_entry_free(entry);
	return rc;
}

static int
json_add(const struct writer *w, const char *name, json_t *doc, struct err *e)
{
	char *text = doc != NULL ? json_dumps(doc, JSON_INDENT(2) | JSON_PRESERVE_ORDER) : NULL;
	struct buf content = BUF_INIT(JSON_MAX);
	int rc = -1;

	if (text == NULL) {
		err_set(e, ERR_FAILED, "%s: no memory", name);
	} else {
		buf_addf(&content, "%s\n", text);
		rc = file_add(w, name, &content, e);
	}
	buf_release(&content);
	free(text);
	json_decref(doc);
	return rc;
}

/* What the phone keeps; of the URL only where it leads, of the password only whether there is one. */
static int
settings_add(const struct writer *w, struct err *e)
{
	const struct store *s = &w->phone->store;
	struct buf url = BUF_INIT(SETTINGS_URL_SIZE);
	json_t *doc;
	int rc;

	if (s->config_url[0] != '\0')
		fetch_show_url(s->config_url, &url);
	doc = json_pack("{s:s,s:s,s:s,s:s,s:s,s:b,s:b,s:s,s:s,s:{s:b,s:b,s:s}}", "mac", s->mac, "model", s->model,
	    "firmware", s->firmware, "config_url", buf_string(&url), "admin_password",
	    s->admin_password[0] != '\0' ? "(removed)" : "(as from the factory)", "enable", s->enable, "logging",
	    s->logging, "md5", s->md5, "tunnel_md5", s->tunnel_md5, "local", "on", s->local.on, "enable",
	    s->local.enable, "md5", s->local.md5);
	rc = json_add(w, "settings.json", doc, e);
	buf_release(&url);
	return rc;
}

/* openvpn's own words, which may quote what a bundle has in a wrong place. */
static void
redact_member(json_t *doc, const char *name)
{
	const char *text = json_string_value(json_object_get(doc, name));
	struct buf out = BUF_INIT(4096);

	if (text == NULL)
		return;
	redact_log(text, strlen(text), &out);
	(void)json_object_set_new(doc, name, json_string(buf_string(&out)));
	buf_release(&out);
}

static int
status_add(const struct writer *w, struct err *e)
{
	struct status s;
	json_t *doc;

	if (status_collect(w->phone, &s, e) != 0)
		return -1;
	doc = status_json(&s);
	redact_member(doc, "failure");
	redact_member(doc, "detail");
	return json_add(w, "status.json", doc, e);
}

/* The end of the log, from the beginning of a line on. ERR_NOT_FOUND when there is none. */
static int
log_read(const char *path, struct buf *out, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), rc = -1;
	const char *line;
	struct stat st;
	char piece[8192];
	ssize_t n = 0;
	bool cut;

	if (fd < 0)
		return err_errno(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_FAILED, errno, "%s", path);
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		err_set(e, ERR_FAILED, "%s: expected a file", path);
		goto out;
	}
	cut = st.st_size > ARCHIVE_LOG_MAX && lseek(fd, -(off_t)ARCHIVE_LOG_MAX, SEEK_END) >= 0;
	/* It may grow meanwhile. */
	while (out->len < ARCHIVE_LOG_MAX && (n = read(fd, piece, sizeof(piece))) > 0)
		buf_add(out, piece, (size_t)n);
	rc = n < 0 ? err_errno(e, ERR_FAILED, errno, "%s", path) : buf_check(out, path, e);
	line = cut && rc == 0 ? memchr(out->data, '\n', out->len) : NULL;
	if (line != NULL)
		memset(out->data, '\n', (size_t)(line - (const char *)out->data));
out:
	(void)close(fd);
	return rc;
}

static int
log_add(const struct writer *w, struct err *e)
{
	struct buf text = BUF_INIT(ARCHIVE_LOG_MAX + 8192), clean = BUF_INIT(8 * ARCHIVE_LOG_MAX);
	char *path = file_path(w->phone->store.dir, OPENVPN_LOG, e);
	struct err mine = ERR_INIT;
	int rc = -1;

	if (path == NULL)
		return -1;
	if (log_read(path, &text, &mine) != 0) {
		rc = mine.code == ERR_NOT_FOUND ? 0 : err_set(e, mine.code, "%s", mine.text);
		goto out;
	}
	redact_log(buf_string(&text), text.len, &clean);
	rc = file_add(w, OPENVPN_LOG, &clean, e);
out:
	buf_release(&text);
	buf_release(&clean);
	free(path);
	return rc;
}

int
archive_make(const struct phone *p, struct buf *out, struct err *e)
{
	struct writer w = { archive_write_new(), p, time(NULL) };
	int rc = -1;

	if (w.a == NULL)
		return err_set(e, ERR_FAILED, "debug archive: no memory");
	if (archive_write_add_filter_gzip(w.a) != ARCHIVE_OK ||
	    archive_write_set_bytes_in_last_block(w.a, 1) != ARCHIVE_OK /* no padding behind the end */ ||
	    archive_write_set_format_ustar(w.a) != ARCHIVE_OK ||
	    archive_write_open2(w.a, out, NULL, on_write, NULL, NULL) != ARCHIVE_OK) {
		failed(w.a, e);
		goto out;
	}
	if (settings_add(&w, e) != 0 || status_add(&w, e) != 0 || log_add(&w, e) != 0)
		goto out;
	rc = archive_write_close(w.a) == ARCHIVE_OK ? 0 : failed(w.a, e);
out:
	(void)archive_write_free(w.a);
	return rc;
}
