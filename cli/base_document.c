/* SPDX-License-Identifier: ISC */
#include "cli/base_document.h"

#include "common/file.h"
#include "dseries/mac.h"

#include <stdio.h>
#include <stdlib.h>

int
base_document(const char *dir, const char *mac, struct buf *out, char **ret_path, struct err *e)
{
	char name[MAC_SIZE + sizeof(".cfg")];
	struct err mine = ERR_INIT;
	char *path;

	*ret_path = NULL;
	if (dir == NULL)
		return 0;
	(void)snprintf(name, sizeof(name), "%s.cfg", mac);
	path = file_path(dir, name, e);
	if (path == NULL)
		return -1;
	if (file_read_plain(path, out, &mine) == 0) {
		*ret_path = path;
		return 0;
	}
	free(path);
	if (mine.code != ERR_NOT_FOUND)
		return err_set(e, mine.code, "%s", mine.text);
	/* No file is a phone without a document of its own; no folder is a share that is not mounted. */
	if (file_check_dir(dir, &mine) != 0)
		return err_set(e, ERR_FAILED, "base folder %s", mine.text);
	return 0;
}
