/* SPDX-License-Identifier: ISC */
#include "cli/server_dir.h"

#include "common/file.h"
#include "common/text.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of a folder that is not there yet: its parent's path and its name. */
static char *
path_to_be(const char *dir, struct err *e)
{
	size_t len = strlen(dir);
	char *copy, *parent, *path = NULL;
	const char *name = dir;
	char *slash;

	while (len > 1 && dir[len - 1] == '/')
		len--;
	copy = strndup(dir, len);
	slash = copy != NULL ? strrchr(copy, '/') : NULL;
	if (slash != NULL) {
		*slash = '\0';
		name = slash + 1;
	}
	parent = copy == NULL ? NULL : realpath(slash == NULL ? "." : slash == copy ? "/" : copy, NULL);
	if (parent == NULL)
		err_errno(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_FAILED, errno, "folder of %s", dir);
	else
		path = text_format("%s/%s", strcmp(parent, "/") == 0 ? "" : parent, name);
	free(parent);
	free(copy);
	return path;
}

char *
server_dir_make(const char *dir, bool dry_run, struct err *e)
{
	char *path;

	if (!dry_run && file_make_dir(dir, 0755, NULL, e) != 0)
		return NULL;
	path = realpath(dir, NULL);
	if (path == NULL && dry_run && errno == ENOENT)
		return path_to_be(dir, e);
	if (path == NULL)
		err_errno(e, ERR_FAILED, errno, "%s", dir);
	return path;
}

static bool
may_enter(const struct stat *st, uid_t user, gid_t group)
{
	if (st->st_uid == user)
		return (st->st_mode & S_IXUSR) != 0;
	if (st->st_gid == group)
		return (st->st_mode & S_IXGRP) != 0;
	return (st->st_mode & S_IXOTH) != 0;
}

int
server_dir_is_open(const char *dir, const char *user, const char *group, struct err *e)
{
	const struct passwd *pw = getpwnam(user);
	const struct group *gr = group[0] != '\0' ? getgrnam(group) : NULL;
	gid_t gid = gr != NULL ? gr->gr_gid : pw != NULL ? pw->pw_gid : 0;
	char *path = strdup(dir);
	struct stat st;
	int rc = 0;

	if (pw == NULL || (group[0] != '\0' && gr == NULL))
		rc = err_set(e, ERR_NOT_FOUND,
		    "vpn-user: this machine has no %s %s, so that OpenVPN would not start on it",
		    pw == NULL ? "user" : "group", pw == NULL ? user : group);
	while (rc == 0 && path != NULL && path[0] != '\0') {
		char *slash = strrchr(path, '/');

		if (stat(path, &st) == 0 && pw->pw_uid != 0 && !may_enter(&st, pw->pw_uid, gid))
			rc = err_set(e, ERR_FAILED,
			    "%s: %s, which OpenVPN becomes, may not enter it: it would find no phone's address, and no new "
			    "revocation; open it (chmod a+x), or take another folder",
			    path, user);
		if (slash != NULL)
			*slash = '\0';
		else
			path[0] = '\0';
	}
	free(path);
	return rc;
}
