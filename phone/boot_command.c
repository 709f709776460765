/* SPDX-License-Identifier: ISC */
#include "phone/boot_options.h"
#include "phone/commands.h"
#include "phone/status.h"

static const struct option_def options[] = {
	BOOT_OPTION_DEFS,
	OPTION_END,
};

static int
print_json(const struct boot *b, struct err *e)
{
	const struct report *r = b->report;
	struct status s;
	json_t *doc;

	if (status_collect(b->phone, &s, e) != 0)
		return -1;
	doc = r->no_memory ? NULL
	                   : json_pack("{s:O,s:s,s:s?,s:o}", "steps", r->steps, "result", report_result(r), "error",
				 r->first.code != ERR_NONE ? r->first.text : NULL, "status", status_json(&s));
	return command_print_json(doc, e);
}

static int
boot_run(const struct invocation *in, struct err *e)
{
	struct boot_options o;
	struct report report;
	struct phone phone;
	struct boot b;
	int rc = 0;

	if (boot_begin(in, NULL, &phone, &o, e) != 0)
		return -1;
	report_start(&report, in->json ? REPORT_JSON : REPORT_LINES, in->quiet);
	boot_start(&b, &phone, &report, &o);
	boot_through(&b);
	if (in->json)
		rc = print_json(&b, e);
	if (rc == 0 && report.first.code != ERR_NONE)
		rc = err_set(e, report.first.code, "%s", report.first.text);
	boot_release(&b);
	report_release(&report);
	phone_close(&phone);
	return rc;
}

const struct command command_boot = {
	.name = "boot",
	.summary = "Boot the phone: fetch its configuration, install what is new, connect when the VPN is enabled",
	.details =
	    "Each step is printed with its reason. The VPN goes on in the background; disconnect ends it. Exit status "
	    "1: something could not be reached, 3: the server has no file for this phone, 5: the md5 does not match "
	    "or the phone cannot run the OpenVPN configuration file.",
	.options = options,
	.run = boot_run,
};
