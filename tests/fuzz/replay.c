/* SPDX-License-Identifier: ISC */
/*
 * A main for a fuzz target without a fuzzer: each file named is one test, tried whole and cut off after each byte (of a
 * long file: at CUTS_MAX places). A fault ends the program, and so breaks the plan.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPLAY_FILE_MAX (64 << 10)
#define CUTS_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Its copy is as long as the input and no longer, so that a sanitizer sees each byte behind it. */
static int
try_input(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size > 0 ? size : 1);

	if (copy == NULL)
		return -1;
	memcpy(copy, data, size);
	(void)LLVMFuzzerTestOneInput(copy, size);
	free(copy);
	return 0;
}

static int
try_file(const char *path)
{
	uint8_t *data = malloc(REPLAY_FILE_MAX);
	FILE *f = fopen(path, "rb");
	size_t size;
	int rc = -1;

	if (data == NULL || f == NULL)
		goto out;
	size = fread(data, 1, REPLAY_FILE_MAX, f);
	if (ferror(f))
		goto out;
	if (size == REPLAY_FILE_MAX) {
		errno = EFBIG;
		goto out;
	}
	for (size_t cut = 0; cut < size; cut += size / CUTS_MAX + 1) {
		if (try_input(data, cut) != 0)
			goto out;
	}
	rc = try_input(data, size);
out:
	if (f != NULL)
		(void)fclose(f);
	free(data);
	return rc;
}

int
main(int argc, char **argv)
{
	int failed = 0;

	(void)printf("1..%d\n", argc - 1);
	for (int i = 1; i < argc; i++) {
		/* Said before the attempt, for the reader of a crash. */
		(void)printf("# %s\n", argv[i]);
		(void)fflush(stdout);
		if (try_file(argv[i]) == 0) {
			(void)printf("ok %d - %s\n", i, argv[i]);
			continue;
		}
		(void)printf("not ok %d - %s: %s\n", i, argv[i], strerror(errno));
		failed = 1;
	}
	return failed;
}
