/* SPDX-License-Identifier: ISC */
#include "bundler/check_server_parts.h"
#include "common/file.h"
#include "common/text.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

enum file_kind {
	KIND_FILE,
	KIND_SECRET, /* OpenVPN warns when others may read it */
	KIND_AFTER,  /* read after chroot */
	KIND_SCRIPT, /* a command line */
	KIND_OUTPUT, /* made when it is not there */
};

/* options_postprocess_filechecks() and set_user_script() in options.c of 2.6.14. */
static const struct {
	const char *name;
	enum file_kind kind;
} named[] = {
	{ "ca", KIND_FILE },
	{ "cert", KIND_FILE },
	{ "extra-certs", KIND_FILE },
	{ "key", KIND_SECRET },
	{ "dh", KIND_FILE },
	{ "pkcs12", KIND_SECRET },
	{ "tls-auth", KIND_SECRET },
	{ "tls-crypt", KIND_SECRET },
	{ "tls-crypt-v2", KIND_SECRET },
	{ "askpass", KIND_SECRET },
	{ "capath", KIND_AFTER },
	{ "crl-verify", KIND_AFTER },
	{ "client-config-dir", KIND_AFTER },
	{ "tmp-dir", KIND_AFTER },
	{ "chroot", KIND_FILE },
	{ "auth-user-pass-verify", KIND_SCRIPT },
	{ "client-connect", KIND_SCRIPT },
	{ "client-crresponse", KIND_SCRIPT },
	{ "client-disconnect", KIND_SCRIPT },
	{ "learn-address", KIND_SCRIPT },
	{ "tls-verify", KIND_SCRIPT },
	{ "up", KIND_SCRIPT },
	{ "down", KIND_SCRIPT },
	{ "route-up", KIND_SCRIPT },
	{ "route-pre-down", KIND_SCRIPT },
	{ "dev-node", KIND_FILE },
	{ "replay-persist", KIND_OUTPUT },
	{ "status", KIND_OUTPUT },
	{ "writepid", KIND_OUTPUT },
};

char *
server_path(const struct check_server *s, const char *name, bool in_chroot)
{
	const char *folder = in_chroot && s->chroot != NULL ? s->chroot : s->folder;
	size_t len = strlen(folder);

	if (name[0] == '/' && folder != s->chroot)
		return strdup(name);
	return text_format("%s%s%s", folder, len > 0 && folder[len - 1] == '/' ? "" : "/", name);
}

bool
server_file_text(const struct check_server *s, const struct config_line *line, struct buf *out)
{
	const char *name = config_word(line, 1);
	char *path;
	bool ok;

	if (line == NULL)
		return false;
	if (line->content != NULL) {
		buf_add(out, line->content, line->content_len);
		return !out->broken;
	}
	path = name == NULL ? NULL : server_path(s, name, strcmp(line->word[0], "crl-verify") == 0);
	ok = path != NULL && file_read_plain(path, out, NULL) == 0;
	free(path);
	return ok;
}

static void
secret_check(const struct check_server *s, const struct config_line *line, const char *path, struct findings *out)
{
	struct stat st;

	if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
		return;
	if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		server_found(s, out, SERVER_KEY_READABLE, line, "%s: expected mode 0600, found %04o", path,
		    (unsigned int)(st.st_mode & 07777));
	else if (s->user.dropped && st.st_uid == s->user.uid)
		server_found(s, out, SERVER_KEY_READABLE, line,
		    "%s: expected root for its owner, found %s, whom the server becomes", path,
		    server_word(s, "user", ""));
}

enum file_type {
	TYPE_ANY,
	TYPE_PLAIN,
	TYPE_CRL,
	TYPE_FOLDER,
};

/* What it has to be for OpenVPN to start, or, of a CRL, to let anybody in: measured with 2.6.14. */
static enum file_type
type_expected(const struct check_server *s, const struct config_line *line)
{
	static const char *const plain[] = { "ca", "cert", "extra-certs", "key", "dh", "pkcs12", "tls-auth",
		"tls-crypt", "tls-crypt-v2", "askpass" };
	static const char *const folders[] = { "client-config-dir", "tmp-dir", "chroot" };
	const char *name = line->word[0];

	if (strcmp(name, "crl-verify") == 0)
		return server_crl_is_dir(s) ? TYPE_FOLDER : TYPE_CRL;
	for (size_t i = 0; i < COUNT(plain); i++)
		if (strcmp(name, plain[i]) == 0)
			return TYPE_PLAIN;
	for (size_t i = 0; i < COUNT(folders); i++)
		if (strcmp(name, folders[i]) == 0)
			return TYPE_FOLDER;
	return TYPE_ANY;
}

/* A pipe may hold what it should, and cannot be looked into. */
static void
type_check(const struct check_server *s, const struct config_line *line, const char *path, struct findings *out)
{
	enum file_type type = type_expected(s, line);
	enum server_rule rule = SERVER_FILE_BROKEN;
	struct stat st;

	if (type == TYPE_ANY || stat(path, &st) != 0 ||
	    (type == TYPE_FOLDER ? S_ISDIR(st.st_mode) : S_ISREG(st.st_mode)))
		return;
	if (type == TYPE_CRL)
		rule = SERVER_CRL_EMPTY;
	else if (type == TYPE_PLAIN && S_ISFIFO(st.st_mode))
		rule = SERVER_NOT_READ;
	server_found(s, out, rule, line, "%s: expected a %s, found %s", path,
	    type == TYPE_FOLDER ? "folder" : "plain file",
	    S_ISDIR(st.st_mode)   ? "a folder"
	    : S_ISREG(st.st_mode) ? "a plain file"
				  : "a device, pipe or socket");
}

/* Its folder has to be there. */
static void
output_check(const struct check_server *s, const struct config_line *line, struct findings *out)
{
	char *path = server_path(s, line->word[1], false), *slash = path == NULL ? NULL : strrchr(path, '/');

	if (slash != NULL && slash != path) {
		*slash = '\0';
		if (access(path, X_OK) != 0)
			server_found(s, out, errno == EACCES && geteuid() != 0 ? SERVER_NOT_READ : SERVER_FILE_MISSING,
			    line, "%s: %s", path, strerror(errno));
	}
	free(path);
}

/* Any file, in that argument of the line. */
static void
file_check(const struct check_server *s, const struct config_line *line, size_t argument, enum file_kind kind,
    struct findings *out)
{
	const char *name = config_word(line, argument);
	char word[4096], *path;
	int mode = kind == KIND_SCRIPT ? X_OK : R_OK;

	if (line->content != NULL || name == NULL || (strcmp(line->word[0], "dh") == 0 && strcmp(name, "none") == 0))
		return;
	if (kind == KIND_OUTPUT) {
		output_check(s, line, out);
		return;
	}
	/* A command line: its first word is the program. */
	(void)snprintf(word, sizeof(word), "%.*s", kind == KIND_SCRIPT ? (int)strcspn(name, " ") : (int)strlen(name),
	    name);
	path = server_path(s, word, kind == KIND_AFTER);
	if (path == NULL)
		return;
	if (access(path, mode) != 0)
		server_found(s, out, errno == EACCES && geteuid() != 0 ? SERVER_NOT_READ : SERVER_FILE_MISSING, line,
		    "%s: %s", path, strerror(errno));
	else if (kind == KIND_SECRET)
		secret_check(s, line, path, out);
	type_check(s, line, path, out);
	free(path);
}

/* Without "group" it keeps root's. */
static void
user_read(struct check_server *s, struct findings *out)
{
	const char *user = server_word(s, "user", NULL), *group = server_word(s, "group", NULL);
	const struct passwd *pw = user == NULL ? NULL : getpwnam(user);
	const struct group *gr = group == NULL ? NULL : getgrnam(group);

	if (user != NULL && pw == NULL)
		server_found(s, out, SERVER_USER_UNKNOWN, config_find(&s->config, "user"),
		    "expected a user of this machine, found %s", user);
	if (group != NULL && gr == NULL)
		server_found(s, out, SERVER_USER_UNKNOWN, config_find(&s->config, "group"),
		    "expected a group of this machine, found %s", group);
	if (pw == NULL)
		return;
	s->user = (struct server_user){
		.dropped = pw->pw_uid != 0, .uid = pw->pw_uid, .gid = gr == NULL ? 0 : gr->gr_gid
	};
	if (s->user.dropped && (!server_has(s, "persist-key") || !server_has(s, "persist-tun")))
		server_found(s, out, SERVER_USER_RESTART, config_find(&s->config, "user"),
		    "expected persist-key and persist-tun beside user %s, found %s", user,
		    server_has(s, "persist-key") ? "no persist-tun"
						 : (server_has(s, "persist-tun") ? "no persist-key" : "neither"));
}

static bool
user_has(const struct server_user *u, const struct stat *st, mode_t bits)
{
	mode_t mode = st->st_mode;

	if (st->st_uid == u->uid)
		mode >>= 6;
	else if (st->st_gid == u->gid)
		mode >>= 3;
	return (mode & bits) == bits;
}

/* Each folder from the root down must be searched. */
static bool
user_enters(const struct server_user *u, const char *path, char *ret_why, size_t size)
{
	char folder[PATH_MAX];

	for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		struct stat st;

		(void)snprintf(folder, sizeof(folder), "%.*s", slash == path ? 1 : (int)(slash - path), path);
		if (stat(folder, &st) == 0 && user_has(u, &st, 1))
			continue;
		(void)snprintf(ret_why, size, "folder %s cannot be entered", folder);
		return false;
	}
	return true;
}

bool
server_user_reads(const struct check_server *s, const char *path, char *ret_why, size_t size)
{
	char *real;
	struct stat st;
	bool ok = true;

	if (!s->user.dropped || (real = realpath(path, NULL)) == NULL)
		return true;
	ok = user_enters(&s->user, real, ret_why, size);
	if (ok && stat(real, &st) == 0 && !user_has(&s->user, &st, S_ISDIR(st.st_mode) ? 5 : 4)) {
		(void)snprintf(ret_why, size, "mode %04o of %s", (unsigned int)(st.st_mode & 07777), real);
		ok = false;
	}
	free(real);
	return ok;
}

/* A name without a slash is one of OpenVPN's own folder of plugins. */
static void
plugins_check(const struct check_server *s, struct findings *out)
{
	const struct config_line *line = NULL;

	while ((line = config_next(&s->config, line, "plugin")) != NULL)
		if (line->words > 1 && line->word[1][0] == '/')
			file_check(s, line, 1, KIND_FILE, out);
}

/* The password's file may be the terminal. */
static void
management_check(const struct check_server *s, struct findings *out)
{
	const struct config_line *line = config_find(&s->config, "management");
	const char *word = config_word(line, 3);

	if (word != NULL && strcmp(word, "stdin") != 0)
		file_check(s, line, 3, KIND_SECRET, out);
}

/* Within the chroot, where nothing else is said. */
static void
tmp_check(const struct check_server *s, struct findings *out)
{
	char *path = s->chroot == NULL || server_has(s, "tmp-dir") ? NULL : text_format("%s/tmp", s->chroot);

	if (path != NULL && access(s->chroot, F_OK) == 0 && access(path, F_OK) != 0 && errno == ENOENT)
		server_found(s, out, SERVER_FILE_MISSING, config_find(&s->config, "chroot"), "%s: %s", path,
		    strerror(errno));
	free(path);
}

void
server_files_open(struct check_server *s, struct findings *out)
{
	user_read(s, out);
	for (size_t i = 0; i < COUNT(named); i++) {
		const struct config_line *line = config_find(&s->config, named[i].name);

		if (line != NULL)
			file_check(s, line, 1, named[i].kind, out);
	}
	plugins_check(s, out);
	management_check(s, out);
	tmp_check(s, out);
}
