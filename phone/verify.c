/* SPDX-License-Identifier: ISC */
#include "phone/boot_options.h"
#include "phone/commands.h"
#include "phone/junit.h"
#include "phone/status.h"

#include "common/file.h"
#include "common/log.h"
#include "common/process.h"
#include "common/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SCHEMA 1 /* of the JSON document: a field may come, and none goes or changes without another number */
#define JUNIT_MAX (1 << 20)

enum { OPT_JUNIT = BOOT_OPT_COUNT };

static const struct option_def options[] = {
	BOOT_OPTION_DEFS,
	[OPT_JUNIT] = { "junit", "FILE", "write the steps as a JUnit report as well, for a CI server" },
	OPTION_END,
};

struct verification {
	struct phone phone;
	struct report report;
	struct boot boot;
	struct timespec start;
	bool stays; /* the tunnel cannot be ended: its folder must not go either */
	time_t when;
	double seconds;
};

static double
seconds_since(const struct timespec *start)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

/* null when no certificate was read. */
static json_t *
certificate_json(const struct boot *b)
{
	const struct certificate_info *c = &b->certificate;
	char from[TEXT_TIME_SIZE], to[TEXT_TIME_SIZE], ca_from[TEXT_TIME_SIZE], ca_to[TEXT_TIME_SIZE];

	if (!b->certified)
		return json_null();
	text_time(c->not_before, from);
	text_time(c->not_after, to);
	text_time(c->ca_not_before, ca_from);
	text_time(c->ca_not_after, ca_to);
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:{s:s,s:s,s:s}}", "subject", c->subject, "serial", c->serial, "key",
	    c->key, "signature", c->signature, "not_before", from, "not_after", to, "ca", "subject", c->ca_subject,
	    "not_before", ca_from, "not_after", ca_to);
}

static json_t *
list_json(const struct limits_list *l)
{
	json_t *list = json_array();

	for (size_t i = 0; i < l->count; i++)
		(void)json_array_append_new(list, json_string(l->name[i]));
	return list;
}

/* What the tunnel was held to, and what of the phone's lists the installed OpenSSL has no more; null without a tunnel. */
static json_t *
limits_json(const struct boot *b)
{
	if (b->limits.control.count == 0)
		return json_null();
	return json_pack("{s:s,s:s,s:o,s:o,s:o}", "tls_version", "1.0", "data_cipher", b->ovpn.cipher, "tls_cipher",
	    list_json(&b->limits.control), "tls_cipher_not_offered", list_json(&b->limits.control_missing),
	    "data_cipher_not_offered", list_json(&b->offer.data_missing));
}

/* The document, collected while the tunnel is up. */
static json_t *
verification_json(const struct verification *v, struct err *e)
{
	const struct report *r = &v->report;
	struct buf url = BUF_INIT(1024);
	char when[TEXT_TIME_SIZE], clock[TEXT_TIME_SIZE];
	struct status s;
	json_t *doc;

	if (status_collect(&v->phone, &s, e) != 0)
		return NULL;
	fetch_show_url(v->phone.store.config_url, &url);
	text_time(v->when, when);
	text_time(v->boot.options.clock, clock);
	doc = r->no_memory ? NULL
	                   : json_pack("{s:i,s:s,s:i,s:s?,s:s,s:I,s:s,s:s,s:O,s:o,s:o,s:o}", "schema", SCHEMA,
				 "verdict", verdict_name(r->verdict), "exit_status", verdict_exit_status(r->verdict),
				 "reason", r->verdict != VERDICT_OK ? r->reason : NULL, "started", when, "milliseconds",
				 (json_int_t)(v->seconds * 1000), "clock", clock, "config_url", buf_string(&url),
				 "steps", r->steps, "certificate", certificate_json(&v->boot), "limits",
				 limits_json(&v->boot), "status", status_json(&s));
	buf_release(&url);
	if (doc == NULL)
		err_set(e, ERR_FAILED, "JSON: no memory");
	return doc;
}

static int
write_junit(const struct verification *v, const char *path, struct err *e)
{
	struct buf out = BUF_INIT(JUNIT_MAX);
	char *name = text_format("refphone.%s.%s", v->phone.store.model, v->phone.store.mac);
	int rc = -1;

	if (name == NULL)
		err_set(e, ERR_FAILED, "%s: no memory", path);
	else if (junit_write(&v->report, name, v->seconds, &out, e) == 0)
		rc = file_replace(path, out.data, out.len, 0644, e);
	free(name);
	buf_release(&out);
	return rc;
}

/* Boot, tell, and leave no tunnel behind that was not there before. */
static int
verify(const struct invocation *in, struct verification *v, struct err *e)
{
	const char *junit = in->option[OPT_JUNIT];
	json_t *doc;
	int rc = -1;

	boot_through(&v->boot);
	v->seconds = seconds_since(&v->start);
	doc = verification_json(v, e);
	v->stays = v->boot.started && tunnel_stop(v->phone.store.dir, NULL, e) != 0;
	if (v->stays) {
		err_prefix(e, "%s", v->phone.store.dir);
		goto out;
	}
	if (doc == NULL)
		goto out;
	rc = command_print_json(doc, e);
	doc = NULL;
	if (rc == 0 && junit != NULL)
		rc = write_junit(v, junit, e);
	if (rc == 0 && !in->quiet)
		log_info("%s: %s", verdict_name(v->report.verdict),
		    v->report.verdict != VERDICT_OK ? v->report.reason : verdict_text(VERDICT_OK));
out:
	json_decref(doc);
	return rc == 0 ? verdict_exit_status(v->report.verdict) : -1;
}

/* A folder for a phone that lives for one boot. The caller frees the name. */
static char *
throwaway(struct err *e)
{
	const char *parent = getenv("TMPDIR");
	char *dir = text_format("%s/refphone.XXXXXX", parent != NULL && parent[0] != '\0' ? parent : "/tmp");

	if (dir != NULL && mkdtemp(dir) != NULL)
		return dir;
	err_errno(e, ERR_FAILED, errno, "%s", dir != NULL ? dir : "a folder for the phone");
	free(dir);
	return NULL;
}

static int
verify_run(const struct invocation *in, struct err *e)
{
	struct verification v = { .when = time(NULL) };
	struct boot_options o;
	char *dir = NULL;
	int rc = -1;

	(void)clock_gettime(CLOCK_MONOTONIC, &v.start);
	/* Until the end, so that Ctrl-C leaves neither tunnel nor folder. */
	process_stop_block();
	if (in->global[GLOBAL_STATE] == NULL && (dir = throwaway(e)) == NULL)
		return -1;
	if (boot_begin(in, dir, &v.phone, &o, e) != 0)
		goto out;
	o.stoppable = true;
	o.tunnel.mortal = true;
	report_start(&v.report, REPORT_JSON, in->quiet);
	boot_start(&v.boot, &v.phone, &v.report, &o);
	rc = verify(in, &v, e);
	boot_release(&v.boot);
	report_release(&v.report);
	phone_close(&v.phone);
out:
	if (dir != NULL && !v.stays && store_destroy(dir, rc >= 0 ? e : NULL) != 0 && rc >= 0)
		rc = -1;
	free(dir);
	return rc;
}

const struct command command_verify = {
	.name = "verify",
	.summary = "Boot the phone, end its tunnel again, and print one JSON document with the verdict, for CI",
	.details =
	    "Without --state a phone fresh from the factory is booted, and thrown away afterwards. Exit status 0: on the "
	    "VPN (or, with --no-connect, all but that), 1: this machine could not do its part, 10: XML unreachable, 11: "
	    "login refused, 12: XML bad, 13: VPN not supported by the model or firmware, 14: VPN disabled, 15: md5 "
	    "missing, 16: md5 mismatch, 17: OpenVPN configuration file unreachable, 18: it is bad, 19: certificate bad, "
	    "20: VPN refused, 21: VPN timeout; 2 to 5 as with every command.",
	.options = options,
	.run = verify_run,
};
