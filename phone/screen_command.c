/* SPDX-License-Identifier: ISC */
#include "phone/commands.h"
#include "phone/screen.h"

#include "common/process.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOOK_SECONDS 1 /* between two looks of --follow */
#define SCREEN_MAX 16384

enum { OPT_FOLLOW };

static const struct option_def options[] = {
	[OPT_FOLLOW] = { "follow", NULL,
	    "draw it anew whenever it changes, until Ctrl-C; a JSON line each with --json" },
	OPTION_END,
};

/* The screen as it is now, drawn or as a line of JSON. */
static int
look(const struct invocation *in, struct screen_style style, struct buf *out, unsigned int *ret_lines, struct err *e)
{
	struct status s;
	struct phone p;
	json_t *doc;
	char *text;
	int rc;

	if (phone_open(in, false, &p, e) != 0)
		return -1;
	rc = status_collect(&p, &s, e);
	if (rc == 0 && in->json) {
		doc = status_json(&s);
		text = doc != NULL ? json_dumps(doc, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;
		if (text != NULL)
			buf_addf(out, "%s\n", text);
		else
			rc = err_set(e, ERR_FAILED, "JSON: no memory");
		free(text);
		json_decref(doc);
	} else if (rc == 0) {
		screen_draw(&s, style, out, ret_lines);
	}
	phone_close(&p);
	return rc == 0 ? buf_check(out, "screen", e) : -1;
}

static int
write_out(const struct buf *out, struct err *e)
{
	if (fwrite(out->data, 1, out->len, stdout) != out->len || fflush(stdout) != 0)
		return err_errno(e, ERR_FAILED, errno, "standard output");
	return 0;
}

/* True when a signal to stop came within the time. */
static bool
pause_or_stop(void)
{
	const struct timespec slice = { .tv_nsec = 100000000 };

	for (int i = 0; i < LOOK_SECONDS * 10; i++) {
		if (process_stop_pending() != 0)
			return true;
		(void)nanosleep(&slice, NULL);
	}
	return process_stop_pending() != 0;
}

static int
follow(const struct invocation *in, struct screen_style style, struct err *e)
{
	struct buf now = BUF_INIT(SCREEN_MAX), before = BUF_INIT(SCREEN_MAX);
	unsigned int lines = 0, drawn = 0;
	int rc = 0;

	process_stop_block();
	do {
		buf_clear(&now);
		rc = look(in, style, &now, &lines, e);
		if (rc != 0)
			break;
		if (now.len == before.len && memcmp(now.data, before.data, now.len) == 0)
			continue;
		/* On a terminal in the place of the one before. */
		if (drawn > 0 && !in->json && isatty(STDOUT_FILENO))
			(void)printf("\033[%uA\033[J", drawn);
		rc = write_out(&now, e);
		drawn = lines;
		buf_clear(&before);
		buf_add(&before, now.data, now.len);
	} while (rc == 0 && !pause_or_stop());
	buf_release(&now);
	buf_release(&before);
	return rc;
}

static int
screen_run(const struct invocation *in, struct err *e)
{
	struct buf out = BUF_INIT(SCREEN_MAX);
	struct screen_style style = screen_style();
	int rc;

	if (in->option[OPT_FOLLOW] != NULL)
		return follow(in, style, e);
	rc = look(in, style, &out, NULL, e);
	if (rc == 0)
		rc = write_out(&out, e);
	buf_release(&out);
	return rc;
}

const struct command command_screen = {
	.name = "screen",
	.summary = "Draw the phone's screen: status bar with the shield, VPN page, soft key",
	.details = "In colour on a terminal, unless NO_COLOR is set.",
	.options = options,
	.run = screen_run,
};
