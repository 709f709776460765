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
	if (file_read(path, out, &mine) == 0) {
		*ret_path = path;
		return 0;
	}
	free(path);
	return mine.code == ERR_NOT_FOUND ? 0 : err_set(e, mine.code, "%s", mine.text);
}
