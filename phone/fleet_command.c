/* SPDX-License-Identifier: ISC */
#include "phone/commands.h"
#include "phone/fleet.h"
#include "phone/fleet_csv.h"
#include "phone/fleet_login.h"

#include "common/file.h"
#include "common/log.h"
#include "common/process.h"
#include "common/text.h"

#include <string.h>

#define CONCURRENCY 100
#define CONCURRENCY_MAX 1000000

enum {
	OPT_FROM,
	OPT_CONFIG_URL,
	OPT_CONFIG_URL_FILE,
	OPT_CONCURRENCY,
	OPT_FAULT,
	OPT_SEED,
	OPT_AUTH,
	OPT_CLOCK,
	OPT_SHARE,
	OPT_NO_CERTIFICATES,
	OPT_PHONES,
};

static const struct option_def options[] = {
	[OPT_FROM] = { "from", "CSV", "the phones, - for standard input (required)" },
	[OPT_CONFIG_URL] = { "config-url", "URL", "base URL of the phones that have no config_url of their own" },
	[OPT_CONFIG_URL_FILE] = { "config-url-file", "FILE", "the same, read from a file: it may hold a password" },
	[OPT_CONCURRENCY] = { "concurrency", "N", "phones that boot at the same time (100)" },
	[OPT_FAULT] = { "fault", "MIX", "make some of them bad: FAULT=COUNT or FAULT=PERCENT%, joined by commas" },
	[OPT_SEED] = { "seed", "N", "another choice of the bad ones (0)" },
	[OPT_AUTH] = { "auth", "KIND", "login at the web server: none, basic, digest or any (any)" },
	[OPT_CLOCK] = { "clock", "TIME", "what the phones take for the time (the real one)" },
	[OPT_SHARE] = { "share-connections", NULL, "let phones use one another's: cheaper, and less like phones" },
	[OPT_NO_CERTIFICATES] = { "no-certificates", NULL,
	    "fetch and compare only: do not check certificate, key and CA of each phone, which is half of the work" },
	[OPT_PHONES] = { "phones", NULL, "with --json, each phone's verdict, too" },
	OPTION_END,
};

struct fleet_work {
	struct fleet_list list;
	struct buf url;
	struct fleet_boot_plan plan;
	unsigned long concurrency, seed;
	struct fault_mix mix;
};

static int
options_read(const struct invocation *in, struct fleet_work *w, struct err *e)
{
	const char *const *o = in->option;

	w->plan = (struct fleet_boot_plan){ .list = &w->list,
		.boot = { .auth = FETCH_AUTH_ANY, .clock = time(NULL), .no_connect = true, .no_limits = true } };
	w->plan.share = o[OPT_SHARE] != NULL;
	w->plan.boot.no_certificate = o[OPT_NO_CERTIFICATES] != NULL;
	w->concurrency = CONCURRENCY;
	if (o[OPT_FROM] == NULL)
		return err_set(e, ERR_USAGE, "expected --from CSV, found none");
	if (o[OPT_CONFIG_URL] != NULL && o[OPT_CONFIG_URL_FILE] != NULL)
		return err_set(e, ERR_USAGE, "expected --config-url or --config-url-file, found both");
	if (o[OPT_AUTH] != NULL && fetch_auth_parse(o[OPT_AUTH], &w->plan.boot.auth, e) != 0)
		return -1;
	if (o[OPT_CLOCK] != NULL && text_time_parse(o[OPT_CLOCK], "clock", &w->plan.boot.clock, e) != 0)
		return err_usage(e);
	if (o[OPT_FAULT] != NULL && fault_mix_parse(o[OPT_FAULT], &w->mix, e) != 0)
		return -1;
	if (command_number(o[OPT_CONCURRENCY], 1, CONCURRENCY_MAX, "concurrency", &w->concurrency, e) != 0)
		return -1;
	return command_number(o[OPT_SEED], 0, UINT32_MAX, "seed", &w->seed, e);
}

static int
url_read(const struct invocation *in, struct fleet_work *w, struct err *e)
{
	const char *url = in->option[OPT_CONFIG_URL], *file = in->option[OPT_CONFIG_URL_FILE];

	/* Every user of the machine can read a command line. */
	if (url != NULL && fleet_login_is_in(url) && !in->quiet)
		log_warn("--config-url with a password in it shows in the list of processes: use --config-url-file");
	if (file != NULL && file_read_secret(file, &w->url, e) != 0)
		return -1;
	if (url != NULL)
		buf_add_string(&w->url, url);
	w->plan.config_url = buf_string(&w->url);
	return buf_check(&w->url, "config-url", e);
}

static int
list_read(const char *path, struct fleet_list *l, struct err *e)
{
	struct buf text = BUF_INIT(FLEET_CSV_MAX);
	int rc = -1;

	if (file_read(path, &text, e) != 0)
		goto out;
	rc = fleet_csv_parse(text.data, text.len, l, e);
	if (rc != 0) {
		err_prefix(e, "%s", path);
		goto out;
	}
	for (size_t i = 0; i < l->problem_count; i++)
		log_error("%s: line %lu: %s", path, l->problems[i].line, l->problems[i].text);
	if (l->problem_total > 0)
		rc = err_set(e, ERR_INPUT, "%s: %zu of %zu rows are bad: no phone was booted", path, l->problem_total,
		    l->rows);
	else if (l->count == 0)
		rc = err_set(e, ERR_INPUT, "%s: expected phones, found none", path);
out:
	buf_release(&text);
	return rc;
}

/* The login that a fault is about. */
static int
login_check(const struct fleet_work *w, const struct fleet_phone *p, const char *url, struct err *e)
{
	bool sent = w->plan.boot.auth != FETCH_AUTH_NONE;

	if ((p->fault != FAULT_WRONG_PASSWORD && p->fault != FAULT_STALE_NONCE) || (sent && fleet_login_is_in(url)))
		return 0;
	return err_set(e, ERR_USAGE, "%s: the fault %s needs a login, found %s", p->mac, fault_name(p->fault),
	    sent ? "none" : "--auth none");
}

/* Before any phone boots: each has a URL. One of its own was looked at already, and that of all is looked at once. */
static int
urls_check(const struct fleet_work *w, struct err *e)
{
	struct buf url = BUF_INIT(SETTINGS_URL_SIZE - 1);
	bool known = false;
	int rc = 0;

	for (size_t i = 0; i < w->list.count && rc == 0; i++) {
		const struct fleet_phone *p = &w->list.phones[i];

		buf_clear(&url);
		if (known || p->url != 0)
			rc = fleet_url(&w->list, p, w->plan.config_url, &url, e);
		else
			rc = fleet_url_check(&w->list, p, w->plan.config_url, &url, e);
		known = known || p->url == 0;
		rc = rc == 0 ? login_check(w, p, buf_string(&url), e) : err_usage(e);
	}
	buf_release(&url);
	return rc;
}

static int
report(const struct invocation *in, const struct fleet_result *r, const struct fleet_list *l, struct err *e)
{
	if (in->json)
		return command_print_json(fleet_result_json(r, in->option[OPT_PHONES] != NULL ? l : NULL), e);
	return fleet_result_print(r, stdout, e);
}

static int
boot_all(const struct invocation *in, struct fleet_work *w, struct err *e)
{
	/* Most fleets have one CA, and its certificates are read once. */
	struct certificate_cache cas = CERTIFICATE_CACHE_INIT;
	struct fleet_result r = { .phones = 0 };
	int rc;

	process_stop_block();
	w->plan.boot.cache = &cas;
	rc = fleet_run(&w->list, &w->plan, w->concurrency, in->quiet || in->json, &r, e);
	certificate_cache_release(&cas);
	if (rc == 0)
		rc = report(in, &r, &w->list, e);
	if (rc == 0 && r.stopped)
		rc = err_set(e, ERR_FAILED, "stopped by a signal: %zu of %zu phones are done", r.done, r.phones);
	else if (rc == 0 && r.unexpected > 0)
		rc = err_set(e, ERR_INTEGRITY, "%zu of %zu phones ended otherwise than expected", r.unexpected,
		    r.phones);
	fleet_result_release(&r);
	return rc;
}

static int
fleet_command_run(const struct invocation *in, struct err *e)
{
	struct fleet_work w = { .list = FLEET_LIST_INIT, .url = BUF_INIT(SETTINGS_URL_SIZE - 1) };
	int rc = -1;

	if (options_read(in, &w, e) == 0 && url_read(in, &w, e) == 0 &&
	    list_read(in->option[OPT_FROM], &w.list, e) == 0 && fault_mix_spread(&w.mix, w.seed, &w.list, e) == 0 &&
	    urls_check(&w, e) == 0)
		rc = boot_all(in, &w, e);
	fleet_list_release(&w.list);
	buf_release(&w.url);
	return rc;
}

const struct command command_fleet = {
	.name = "fleet",
	.summary = "Boot a fleet of phones at once, without a VPN, and report what they came to and how long it took",
	.details =
	    "Each phone begins as fresh from the factory, keeps its memory in RAM, and has a connection of its own. The "
	    "CSV has the columns mac, model, firmware and, for the phone's own login, config_url or http_user and "
	    "http_password, as fleet.csv(5) and 'phonevpn emit fleet'. Faults: cut (closes the connection in the middle "
	    "of the bundle, then boots again), wrong-password, stale-nonce (a digest login with a nonce of somebody "
	    "else), slow (reads the bundle at 4 KB a second), corrupt (a byte of the bundle is changed), wrong-clock "
	    "(1970), factory-reset (between XML and bundle). Exit status 0: every phone came to what its fault lets "
	    "expect, 5: some did not, 1: the work itself failed or was stopped.",
	.options = options,
	.run = fleet_command_run,
};
