/* SPDX-License-Identifier: ISC */
#include "cli/export_prune.h"

#include "common/file.h"
#include "common/text.h"
#include "dseries/setting.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Called for each entry of a folder; name is the entry's. */
typedef int entry_visit(struct db *db, const char *folder, const char *name, unsigned long *removed, struct err *e);

/* A folder that is not there has nothing to visit. */
static int
folder_each(struct db *db, const char *folder, entry_visit *visit, unsigned long *removed, struct err *e)
{
	const struct dirent *entry;
	DIR *dir = opendir(folder);
	int rc = 0;

	if (dir == NULL)
		return errno == ENOENT ? 0 : err_errno(e, ERR_FAILED, errno, "%s", folder);
	while (rc == 0 && (entry = readdir(dir)) != NULL)
		rc = visit(db, folder, entry->d_name, removed, e);
	(void)closedir(dir);
	return rc;
}

/* "<mac>" + suffix, and nothing else. */
static bool
name_has_mac(const char *name, const char *suffix, char ret_mac[DB_MAC_SIZE])
{
	if (strlen(name) != DB_MAC_SIZE - 1 + strlen(suffix) || strcmp(name + DB_MAC_SIZE - 1, suffix) != 0)
		return false;
	memcpy(ret_mac, name, DB_MAC_SIZE - 1);
	ret_mac[DB_MAC_SIZE - 1] = '\0';
	return text_is_hex(ret_mac, DB_MAC_SIZE - 1);
}

static int
remove_file(const char *folder, const char *name, unsigned long *removed, struct err *e)
{
	char *path = file_path(folder, name, e);
	int rc = path == NULL ? -1 : 0;

	if (path != NULL && unlink(path) != 0 && errno != ENOENT)
		rc = err_errno(e, ERR_FAILED, errno, "%s", path);
	free(path);
	*removed += rc == 0;
	return rc;
}

/* In ovpn/<md5>: a bundle that the database does not give under that md5. */
static int
visit_bundle(struct db *db, const char *folder, const char *name, unsigned long *removed, struct err *e)
{
	const char *md5 = strrchr(folder, '/') + 1;
	struct err mine = ERR_INIT;
	char mac[DB_MAC_SIZE];
	struct db_bundle b;

	if (!name_has_mac(name, ".ovpn", mac))
		return 0;
	if (db_bundle_get(db, mac, 0, md5, &b, &mine) == 0) {
		db_bundle_release(&b);
		return 0;
	}
	return mine.code == ERR_NOT_FOUND ? remove_file(folder, name, removed, e)
	                                  : err_set(e, mine.code, "%s", mine.text);
}

/* In ovpn. */
static int
visit_md5(struct db *db, const char *folder, const char *name, unsigned long *removed, struct err *e)
{
	char *path;
	int rc;

	if (!text_is_hex(name, DB_MD5_SIZE - 1))
		return 0;
	path = file_path(folder, name, e);
	rc = path == NULL ? -1 : folder_each(db, path, visit_bundle, removed, e);
	/* Only an empty one goes. */
	if (rc == 0)
		(void)rmdir(path);
	free(path);
	return rc;
}

/* At the top: a document of a phone that is not in the fleet. */
static int
visit_document(struct db *db, const char *folder, const char *name, unsigned long *removed, struct err *e)
{
	struct err mine = ERR_INIT;
	char mac[DB_MAC_SIZE];
	struct db_phone p;

	if (!name_has_mac(name, ".cfg", mac) || strcmp(name, SETTING_GENERIC_FILE) == 0)
		return 0;
	if (db_phone_get(db, mac, &p, &mine) == 0)
		return 0;
	return mine.code == ERR_NOT_FOUND ? remove_file(folder, name, removed, e)
	                                  : err_set(e, mine.code, "%s", mine.text);
}

int
export_prune(struct db *db, const char *out, unsigned long *ret_removed, struct err *e)
{
	char *ovpn = file_path(out, "ovpn", e);
	int rc = -1;

	if (ovpn != NULL && folder_each(db, out, visit_document, ret_removed, e) == 0)
		rc = folder_each(db, ovpn, visit_md5, ret_removed, e);
	free(ovpn);
	return rc;
}
