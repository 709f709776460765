/* SPDX-License-Identifier: ISC */
#include "tests/unit/check_ovpn_support.h"

#include "phone/certificate.h"
#include "phone/limits.h"
#include "phone/ovpn.h"

#include <dirent.h>

#define RULE_SIZE 64

/*
 * Files of which the check says more than the reference phone does without a connection. That they fail with one is shown
 * by e2e/66-check-ovpn.sh.
 */
static const struct {
	const char *name, *why;
} stricter[] = {
	{ "ovpn-block-cut--second-ca", "the phone starts without the second CA, and refuses a server of it" },
	{ "ovpn-pem-indented--second", "the phone starts without the second CA, and refuses a server of it" },
	{ "ovpn-value--script-security", "the reference phone sets it itself" },
	{ "ovpn-cert-purpose--server", "whether a certificate is a client's is the server's to judge" },
};

static int
phone_reads_certificate(const struct ovpn *o, struct err *e)
{
	const struct certificate_pem pem = {
		.ca = o->ca.data,
		.ca_len = o->ca.len,
		.cert = o->cert.data,
		.cert_len = o->cert.len,
		.key = o->key.data,
		.key_len = o->key.len,
	};
	struct certificate_info info;

	return certificate_check(&pem, NOW, NULL, &info, e);
}

/* Whether it would try to connect. */
static bool
phone_takes(const struct sample *s, struct err *e)
{
	const struct model *d65 = model_find("D65");
	static struct limits_offer offer;
	struct limits limits;
	struct ovpn o;
	bool taken = false;

	if (offer.data.count == 0)
		assert_ok(limits_look(d65, NULL, &offer, e), *e);
	if (ovpn_read(s->file.data, s->file.len, d65, &o, e) != 0)
		return false;
	if (limits_apply(&offer, d65, &o, &limits, e) == 0) {
		limits_release(&limits);
		taken = true;
	} else {
		/* What this machine's OpenSSL cannot prove is no verdict on the file. */
		taken = e->code == ERR_FAILED;
	}
	taken = taken && phone_reads_certificate(&o, e) == 0;
	ovpn_release(&o);
	return taken;
}

static const char *
why_stricter(const char *name)
{
	for (size_t i = 0; i < sizeof(stricter) / sizeof(stricter[0]); i++)
		if (strcmp(stricter[i].name, name) == 0)
			return stricter[i].why;
	return NULL;
}

/* Do to every sample whose name begins so; it is without ".ovpn". Returns how many failed. */
static int
each_sample(const char *folder, const char *prefix, int at_least, bool (*judge)(struct sample *s))
{
	char *samples = text_format("%s/samples", folder);
	struct sample s = SAMPLE_INIT;
	int failed = 0, count = 0;
	struct dirent *entry;
	DIR *dir;

	assert_non_null(samples);
	dir = opendir(samples);
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		char *end = strstr(entry->d_name, ".ovpn");

		if (end == NULL || strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
			continue;
		*end = '\0';
		sample_check(&s, folder, entry->d_name);
		count++;
		if (!judge(&s)) {
			sample_print(&s);
			failed++;
		}
	}
	(void)closedir(dir);
	assert_true(count >= at_least);
	free(samples);
	sample_release(&s);
	return failed;
}

/* "ovpn-bom--utf8" breaks the rule ovpn-bom, and nothing that is worse. */
static bool
breaks_its_rule(struct sample *s)
{
	const char *dashes = strstr(s->name, "--");
	const struct finding *finding;
	char rule[RULE_SIZE];

	assert_non_null(dashes);
	(void)snprintf(rule, sizeof(rule), "%.*s", (int)(dashes - s->name), s->name);
	finding = sample_find(s, rule);
	if (finding != NULL && s->found.worst == finding->rule->severity)
		return true;
	print_error("# %s: expected %s and nothing worse\n", s->name, rule);
	return false;
}

/* A rule that does not see what it is there for lets a phone be locked out. */
static void
test_every_rule(void **state)
{
	assert_int_equal(each_sample(*state, "ovpn-", 150, breaks_its_rule), 0);
}

static bool
is_good(struct sample *s)
{
	if (s->found.worst < FINDING_WARNING)
		return true;
	print_error("# %s: expected neither error nor warning\n", s->name);
	return false;
}

/* An admin who is warned of what works does not read the next warning. */
static void
test_no_false_alarm(void **state)
{
	assert_int_equal(each_sample(*state, "good--", 15, is_good), 0);
}

/* An error if and only if the reference phone, which was written apart, does not take the file. */
static bool
agrees_with_phone(struct sample *s)
{
	const bool bad = s->found.worst == FINDING_ERROR;
	struct err e = ERR_INIT;
	const bool taken = phone_takes(s, &e);
	const char *why = why_stricter(s->name);

	if (why != NULL ? bad && taken : bad != taken)
		return true;
	print_error("# %s: %s, and refphone %s %s\n", s->name, bad ? "bad" : "good", taken ? "takes it" : "says",
	    e.text);
	return false;
}

static void
test_agrees_with_refphone(void **state)
{
	assert_int_equal(each_sample(*state, "", 250, agrees_with_phone), 0);
}

/* Pieces of the key in that file: a finding must hold none. */
static bool
shows_no_key(struct sample *s)
{
	const char *key = strstr(buf_string(&s->file), "PRIVATE KEY-----");
	const char *end = key == NULL ? NULL : strstr(key, "-----END");

	for (const char *at = key; at != NULL && end != NULL && at + 16 < end; at += 8) {
		char piece[17];

		(void)snprintf(piece, sizeof(piece), "%.16s", at);
		if (strpbrk(piece, "- \n") != NULL)
			continue;
		for (size_t i = 0; i < s->found.count; i++)
			if (strstr(s->found.list[i].text, piece) != NULL)
				return false;
	}
	return true;
}

static void
test_no_key_in_a_finding(void **state)
{
	assert_int_equal(each_sample(*state, "ovpn-", 150, shows_no_key), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_rule),
		cmocka_unit_test(test_no_false_alarm),
		cmocka_unit_test(test_agrees_with_refphone),
		cmocka_unit_test(test_no_key_in_a_finding),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, samples_make, samples_unmake);
}
