/* SPDX-License-Identifier: ISC */
#include "bundler/block.h"

#include "dseries/client.h"

size_t
block_open(const char *tag, struct buf *out)
{
	buf_add_string(out, "<");
	buf_add_string(out, tag);
	buf_add_string(out, ">\n");
	return out->len;
}

int
block_close(const char *tag, size_t start, struct buf *out, struct err *e)
{
	size_t size = out->len - start;

	if (size > CLIENT_BLOCK_MAX)
		return err_set(e, ERR_INPUT,
		    "<%s>: expected at most %d bytes, found %zu: the phone's OpenVPN %s cuts the rest off without a "
		    "word",
		    tag, CLIENT_BLOCK_MAX, size, CLIENT_VERSION);
	buf_add_string(out, "</");
	buf_add_string(out, tag);
	buf_add_string(out, ">\n");
	return buf_check(out, "bundle", e);
}
