/* SPDX-License-Identifier: ISC */
#include "cli/check_report.h"
#include "cli/commands.h"
#include "common/file.h"
#include "common/text.h"
#include "provisioner/check_xml.h"
#include "provisioner/xml.h"

#include <libxml/parser.h>
#include <stdio.h>

enum {
	OPT_MODEL,
	OPT_FIRMWARE,
	OPT_VPN_NETWORK,
	OPT_REPORT,
};

static const struct option_def options[] = {
	[OPT_MODEL] = { "model", "MODEL", "the phone's model, as D65" },
	[OPT_FIRMWARE] = { "firmware", "VERSION", "its firmware, as 2_9_27; needs --model" },
	[OPT_VPN_NETWORK] = { "vpn-network", "CIDR", "addresses inside the VPN, where nothing can be fetched from" },
	CHECK_OPTIONS(OPT_REPORT),
	OPTION_END,
};

static int
params_parse(const struct invocation *in, struct firmware *firmware, struct check_xml_params *ret, struct err *e)
{
	const char *model = in->option[OPT_MODEL], *version = in->option[OPT_FIRMWARE];
	const char *network = in->option[OPT_VPN_NETWORK];

	if (model != NULL && model_parse(model, &ret->model, e) != 0)
		return err_usage(e);
	if (version != NULL && model == NULL)
		return err_set(e, ERR_USAGE, "--firmware: expected --model beside it, found none");
	if (version != NULL && firmware_parse(version, firmware, e) != 0)
		return err_usage(e);
	ret->firmware = version != NULL ? firmware : NULL;
	if (network != NULL && check_network_parse(network, "--vpn-network", &ret->vpn, e) != 0)
		return err_usage(e);
	return 0;
}

static int
check_file(const char *file, const struct check_xml_params *params, struct check_report *report, struct err *e)
{
	/* One byte more, for the check to say what is too much. */
	struct buf text = BUF_INIT(XML_MAX + 1);
	struct findings found = FINDINGS_INIT;
	int rc = -1;

	if (file_read_start(file, &text, e) == 0 && check_xml(file, text.data, text.len, params, &found, e) == 0)
		rc = check_report_add(report, &found, e);
	findings_release(&found);
	buf_release(&text);
	return rc;
}

static int
check_xml_run(const struct invocation *in, struct err *e)
{
	static const struct finding_rule *const tables[] = { check_xml_rules, NULL };
	struct check_xml_params params = { 0 };
	struct firmware firmware;
	struct check_report report;
	char checked[64];
	int rc = 0;

	if (params_parse(in, &firmware, &params, e) != 0 || check_report_begin(&report, in, OPT_REPORT, tables, e) != 0)
		return -1;
	xmlInitParser();
	for (int i = 0; i < in->argc && rc == 0; i++)
		rc = check_file(in->argv[i], &params, &report, e);
	(void)snprintf(checked, sizeof(checked), "%d files", in->argc);
	return check_report_end(&report, in->argc == 1 ? in->argv[0] : checked, rc, e);
}

const struct command command_check_xml = {
	.name = "check xml",
	.arguments = "FILE...",
	.summary = "Tell what in a phone's XML would keep the phone off the VPN",
	.details =
	    "Any phone's document, whoever wrote it; - is standard input. Each finding has a rule's name, the line, what was "
	    "expected and found, and the first time why it matters and what to do. Nothing is fetched, and no password is "
	    "printed. The exit status is 5 when there is an error among the findings, with --strict also a warning.",
	.options = options,
	.min_arguments = 1,
	.max_arguments = -1,
	.run = check_xml_run,
};
