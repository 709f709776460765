/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "common/file.h"
#include "common/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void
support_assert_ok(bool good, const struct err *e, const char *call, const char *file, int line)
{
	if (!good)
		print_error("%s failed: %s\n", call, e->text);
	_assert_true(good, call, file, line);
}

void
support_assert_fails(bool failed, struct err *e, enum err_code expected, const char *part, const char *call,
    const char *file, int line)
{
	if (!failed)
		print_error("%s succeeded; expected an error with \"%s\"\n", call, part);
	_assert_true(failed, call, file, line);
	if (e->code != expected || strstr(e->text, part) == NULL)
		print_error("%s: expected %s with \"%s\", found %s: %s\n", call, err_name(expected), part,
		    err_name(e->code), e->text);
	_assert_int_equal(e->code, expected, file, line);
	_assert_true(strstr(e->text, part) != NULL, part, file, line);
	*e = (struct err)ERR_INIT;
}

char *
support_folder(void)
{
	const char *tmp = getenv("TMPDIR");
	char *folder = text_format("%s/phonevpn-test.XXXXXX", tmp != NULL ? tmp : "/tmp");

	assert_non_null(folder);
	assert_non_null(mkdtemp(folder));
	return folder;
}

void
support_remove(char *folder)
{
	struct buf out = BUF_INIT(4096);

	support_shell(&out, NULL, "rm -rf '%s'", folder);
	buf_release(&out);
	free(folder);
}

char *
support_file(const char *folder, const char *name, const void *data, size_t len)
{
	struct err e = ERR_INIT;
	char *path = file_path(folder, name, &e);

	assert_non_null(path);
	assert_ok(file_replace(path, data, len, 0600, &e), e);
	return path;
}

void
support_shell(struct buf *out, const struct buf *input, const char *fmt, ...)
{
	char command[8192], path[] = "/tmp/phonevpn-input.XXXXXX", piece[4096];
	va_list ap;
	FILE *pipe;
	size_t n;
	int fd = -1, used = 0;

	if (input != NULL) {
		fd = mkstemp(path);
		assert_true(fd >= 0);
		assert_int_equal(write(fd, input->data, input->len), input->len);
		(void)close(fd);
	}
	va_start(ap, fmt);
	used = vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	assert_in_range(used, 1, (int)sizeof(command) - 32);
	(void)snprintf(command + used, sizeof(command) - (size_t)used, " <%s", input != NULL ? path : "/dev/null");
	pipe = popen(command, "re");
	assert_non_null(pipe);
	while ((n = fread(piece, 1, sizeof(piece), pipe)) > 0)
		buf_add(out, piece, n);
	if (pclose(pipe) != 0)
		fail_msg("%s: failed: %s", command, buf_string(out));
	if (input != NULL)
		(void)unlink(path);
}
