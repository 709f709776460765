/* SPDX-License-Identifier: ISC */
#include "bundler/check_server_parts.h"
#include "common/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LEVELS_MAX 10 /* max_recursive_levels, read_config_file() in options.c of 2.6.14 */
#define FILES_MAX 1000

static int file_take(struct check_server *s, const char *path, unsigned int level, struct findings *out, struct err *e);

/* "setenv opt X" is X, except that it may be unknown: add_option(). The line's memory begins at its first word. */
static bool
opt_strip(struct config_line *line)
{
	if (line->words < 2 || strcmp(line->word[0], "setenv") != 0 || strcmp(line->word[1], "opt") != 0)
		return false;
	if (line->words == 2)
		return true;
	memmove(line->word[0], line->word[2], strlen(line->word[2]) + 1);
	line->words -= 2;
	for (size_t i = 1; i < line->words; i++)
		line->word[i] = line->word[i + 2];
	return true;
}

static int
lines_grow(struct check_server *s, size_t more, struct err *e)
{
	size_t size = s->config.count + more;
	struct config_line *line = reallocarray(s->config.line, size, sizeof(*line));
	struct server_origin *origin;

	if (line == NULL)
		return err_set(e, ERR_FAILED, "%s: no memory", s->file);
	s->config.line = line;
	origin = reallocarray(s->origin, size, sizeof(*origin));
	if (origin == NULL)
		return err_set(e, ERR_FAILED, "%s: no memory", s->file);
	s->origin = origin;
	s->config.size = size;
	return 0;
}

/* Where relative names begin from here on. */
static int
folder_change(struct check_server *s, const struct config_line *line, struct findings *out, struct err *e)
{
	char *folder = server_path(s, line->word[1], false);

	if (folder == NULL)
		return err_set(e, ERR_FAILED, "%s: no memory", s->file);
	if (access(folder, X_OK) != 0)
		server_found(s, out, errno == EACCES && geteuid() != 0 ? SERVER_NOT_READ : SERVER_FILE_MISSING, line,
		    "%s: %s", folder, strerror(errno));
	free(s->folder);
	s->folder = folder;
	return 0;
}

static int
include_take(struct check_server *s, const char *name, unsigned int level, struct findings *out, struct err *e)
{
	const size_t at = s->config.count - 1;
	struct err why = ERR_INIT;
	char *path;

	if (s->included_enough)
		return 0;
	s->included_enough = level == LEVELS_MAX || s->file_count == FILES_MAX;
	if (level == LEVELS_MAX)
		server_found(s, out, SERVER_OPTIONS, &s->config.line[at],
		    "Options error: Maximum recursive include levels exceeded");
	else if (s->included_enough)
		server_found(s, out, SERVER_NOT_READ, &s->config.line[at], "expected at most %d files, found more",
		    FILES_MAX);
	if (s->included_enough)
		return 0;
	path = server_path(s, name, false);
	if (path == NULL)
		return err_set(e, ERR_FAILED, "%s: no memory", s->file);
	if (file_take(s, path, level + 1, out, &why) != 0)
		server_found(s, out, why.code == ERR_NOT_FOUND ? SERVER_FILE_MISSING : SERVER_NOT_READ,
		    &s->config.line[at], "%s", why.text);
	free(path);
	return 0;
}

/* What OpenVPN does at once: the rest of a file is read from where these leave it. */
static int
line_take(struct check_server *s, unsigned int level, struct findings *out, struct err *e)
{
	const struct config_line *line = &s->config.line[s->config.count - 1];

	if (line->fault != CONFIG_FINE || line->words != 2)
		return 0;
	if (strcmp(line->word[0], "cd") == 0)
		return folder_change(s, line, out, e);
	if (strcmp(line->word[0], "config") == 0)
		return include_take(s, line->word[1], level, out, e);
	return 0;
}

static int
lines_take(struct check_server *s, struct config *c, const char *path, unsigned int level, struct findings *out,
    struct err *e)
{
	for (size_t i = 0; i < c->count; i++) {
		if (s->config.count == s->config.size && lines_grow(s, c->count - i + s->config.count / 2, e) != 0)
			return -1;
		s->origin[s->config.count] = (struct server_origin){ .file = path, .optional = opt_strip(&c->line[i]) };
		s->config.line[s->config.count++] = c->line[i];
		c->line[i] = (struct config_line){ .words = 0 };
		if (line_take(s, level, out, e) != 0)
			return -1;
	}
	return 0;
}

static int
file_name(struct check_server *s, const char *path, struct err *e)
{
	char **files = reallocarray(s->files, s->file_count + 1, sizeof(*files));

	if (files == NULL || (files[s->file_count] = strdup(path)) == NULL) {
		s->files = files != NULL ? files : s->files;
		return err_set(e, ERR_FAILED, "%s: no memory", s->file);
	}
	s->files = files;
	s->file_count++;
	return 0;
}

static int
text_take(struct check_server *s, const struct buf *text, const char *path, unsigned int level, struct findings *out,
    struct err *e)
{
	struct config c = { 0 };
	int rc = -1;

	if (config_read(text->data, text->len, &c, e) != 0)
		err_prefix(e, "%s", path);
	else if (file_name(s, path, e) == 0)
		rc = lines_take(s, &c, s->files[s->file_count - 1], level, out, e);
	config_release(&c);
	return rc;
}

static int
file_take(struct check_server *s, const char *path, unsigned int level, struct findings *out, struct err *e)
{
	struct buf text = BUF_INIT(CONFIG_MAX);
	int rc = file_read_plain(path, &text, e);

	if (rc == 0)
		rc = text_take(s, &text, path, level, out, e);
	buf_release(&text);
	return rc;
}

int
server_config_read(struct check_server *s, const struct buf *text, struct findings *out, struct err *e)
{
	const char *slash = strrchr(s->file, '/');

	s->folder = slash == NULL ? strdup(".") : strndup(s->file, (size_t)(slash - s->file) + 1);
	if (s->folder == NULL)
		return err_set(e, ERR_FAILED, "%s: no memory", s->file);
	return text_take(s, text, s->file, 1, out, e);
}
