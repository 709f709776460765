/* SPDX-License-Identifier: ISC */
#include "bundler/check_ovpn.h"
#include "cli/check_clock.h"
#include "cli/check_report.h"
#include "cli/commands.h"
#include "common/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum {
	OPT_MODEL,
	OPT_FIRMWARE,
	OPT_CLOCK,
	OPT_REPORT = OPT_CLOCK + CHECK_CLOCK_COUNT,
	OPT_COUNT = OPT_REPORT + CHECK_OPT_COUNT,
};

static const struct option_def options[] = {
	[OPT_MODEL] = { "model", "MODEL", "judge for this model: D60, D62, D65, D80 (any D6x)" },
	[OPT_FIRMWARE] = { "firmware", "F", "and for this firmware, as 2_7_0 (what the vendor recommends)" },
	CHECK_CLOCK_OPTIONS(OPT_CLOCK),
	CHECK_OPTIONS(OPT_REPORT),
	[OPT_COUNT] = OPTION_END,
};

/* params and where its pointers point to. */
struct judge {
	struct check_ovpn_params params;
	struct firmware firmware;
};

static int
judge_parse(const struct invocation *in, struct judge *j, struct err *e)
{
	const char *model = in->option[OPT_MODEL], *firmware = in->option[OPT_FIRMWARE];

	if (check_clock_parse(in, OPT_CLOCK, &j->params.clock, e) != 0)
		return -1;
	if (model != NULL && model_parse(model, &j->params.model, e) != 0)
		return err_usage(e);
	if (firmware == NULL)
		return 0;
	if (model == NULL)
		return err_set(e, ERR_USAGE, "--firmware: expected with --model, for each has firmware of its own");
	if (firmware_parse(firmware, &j->firmware, e) != 0)
		return err_usage(e);
	j->params.firmware = &j->firmware;
	return 0;
}

static bool
is_stdin(const char *path)
{
	return strcmp(path, "-") == 0;
}

/* Before anything is printed: a report that breaks off in the middle is none. */
static int
files_check(const struct invocation *in, struct err *e)
{
	struct stat st;

	for (int i = 0; i < in->argc; i++) {
		FILE *f;

		if (is_stdin(in->argv[i]))
			continue;
		if (stat(in->argv[i], &st) != 0)
			return err_errno(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_FAILED, errno, "%s", in->argv[i]);
		if (!S_ISREG(st.st_mode))
			continue;
		f = fopen(in->argv[i], "re");
		if (f == NULL)
			return err_errno(e, ERR_FAILED, errno, "%s", in->argv[i]);
		(void)fclose(f);
	}
	return 0;
}

static int
file_check(const char *path, const struct judge *j, struct check_report *report, struct err *e)
{
	const char *name = is_stdin(path) ? "stdin" : path;
	/* One byte more, for the check to say what is too much. */
	struct buf text = BUF_INIT(CONFIG_MAX + 1);
	struct findings found = FINDINGS_INIT;
	struct stat st;
	int rc = -1;

	if (file_read_start(path, &text, e) != 0)
		goto out;
	if (!is_stdin(path) && stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	    strstr(buf_string(&text), "PRIVATE KEY-----") != NULL)
		check_ovpn_mode(name, st.st_mode, &found);
	if (check_ovpn(name, text.data, text.len, &j->params, &found, e) == 0)
		rc = check_report_add(report, &found, e);
out:
	findings_release(&found);
	buf_release(&text);
	return rc;
}

static int
run(const struct invocation *in, struct err *e)
{
	static const struct finding_rule *const tables[] = { check_ovpn_rules, NULL };
	struct check_report report;
	struct judge j = { .params = { .model = NULL } };
	char checked[32];
	int rc = 0;

	if (judge_parse(in, &j, e) != 0 || files_check(in, e) != 0 ||
	    check_report_begin(&report, in, OPT_REPORT, tables, e) != 0)
		return -1;
	for (int i = 0; rc == 0 && i < in->argc; i++)
		rc = file_check(in->argv[i], &j, &report, e);
	(void)snprintf(checked, sizeof(checked), "%d files", in->argc);
	return check_report_end(&report, in->argc > 1 ? checked : is_stdin(in->argv[0]) ? "stdin" : in->argv[0], rc, e);
}

const struct command command_check_ovpn = {
	.name = "check ovpn",
	.arguments = "FILE...",
	.summary = "Say what would keep a phone with this OpenVPN file off the VPN; - for standard input",
	.details =
	    "Each finding has a rule, its place, what was expected and found, what it does to the phone, and what to "
	    "do about it. Exit status 0: no error, 5: one or more (with --strict, or a warning). What only the two "
	    "sides together tell is 'check server's to find.",
	.options = options,
	.min_arguments = 1,
	.max_arguments = -1,
	.run = run,
};
