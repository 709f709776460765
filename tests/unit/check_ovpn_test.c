/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "bundler/check_ovpn.h"
#include "common/file.h"
#include "common/text.h"
#include "phone/certificate.h"
#include "phone/limits.h"
#include "phone/ovpn.h"

#include <dirent.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW 1764000000 /* 2025-11-24T16:00:00Z */
#define DAYS 30
#define RULE_SIZE 64

/*
 * Files of which the check says more than the reference phone does without a connection. That they fail with one is shown
 * by e2e/66-check-ovpn.sh.
 */
static const struct {
	const char *name, *why;
} stricter[] = {
	{ "ovpn-block-cut--second-ca", "the phone starts without the second CA, and refuses a server of it" },
	{ "ovpn-nul--in-a-block", "the reference phone leaves it to openvpn, which joins the line with the next" },
	{ "ovpn-pem-indented--second", "the phone starts without the second CA, and refuses a server of it" },
	{ "ovpn-tls-auth-broken--short", "the reference phone leaves the static key to openvpn, which ends at it" },
	{ "ovpn-dev--name", "the reference phone leaves the device to openvpn, which ends at it" },
	{ "ovpn-cert-purpose--server", "whether a certificate is a client's is the server's to judge" },
};

struct sample {
	char *folder;     /* of all; */
	const char *name; /* of this one, without ".ovpn" */
	struct buf file;
	struct findings found;
};

static void
sample_read(struct sample *s, const char *folder, const char *name)
{
	char *path = text_format("%s/samples/%s.ovpn", folder, name);
	struct err e = ERR_INIT;

	assert_non_null(path);
	s->name = name;
	buf_clear(&s->file);
	assert_ok(file_read(path, &s->file, &e), e);
	free(path);
}

static void
sample_check_as(struct sample *s, const char *model, const char *firmware, time_t now)
{
	struct firmware f;
	struct check_ovpn_params params = {
		.model = model != NULL ? model_find(model) : NULL,
		.clock = { .now = now, .days = DAYS },
	};
	struct err e = ERR_INIT;

	if (firmware != NULL) {
		assert_ok(firmware_parse(firmware, &f, &e), e);
		params.firmware = &f;
	}
	findings_clear(&s->found);
	assert_ok(check_ovpn(s->name, s->file.data, s->file.len, &params, &s->found, &e), e);
	assert_int_equal(ERR_peek_error(), 0);
}

static void
sample_check(struct sample *s, const char *folder, const char *name)
{
	sample_read(s, folder, name);
	sample_check_as(s, "D65", NULL, NOW);
}

static void
sample_release(struct sample *s)
{
	findings_release(&s->found);
	buf_release(&s->file);
}

#define SAMPLE_INIT                                                  \
	{                                                            \
		.file = BUF_INIT(CONFIG_MAX), .found = FINDINGS_INIT \
	}

/* The finding of that rule, or NULL. */
static const struct finding *
found(const struct sample *s, const char *rule)
{
	for (size_t i = 0; i < s->found.count; i++)
		if (strcmp(s->found.list[i].rule->id, rule) == 0)
			return &s->found.list[i];
	return NULL;
}

/* The same where there must be one. */
static const struct finding *
must_find(const struct sample *s, const char *rule)
{
	const struct finding *finding = found(s, rule);

	if (finding != NULL)
		return finding;
	fail_msg("%s: %s is not found", s->name, rule);
	abort();
}

static void
print_findings(const struct sample *s)
{
	for (size_t i = 0; i < s->found.count; i++)
		print_error("# %s:%u: %s [%s]\n", s->name, s->found.list[i].line, s->found.list[i].text,
		    s->found.list[i].rule->id);
}

/* ---- the reference phone's opinion ---- */

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
	struct limits_offer offer;
	struct limits limits;
	struct ovpn o;
	bool taken = false;

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

/* ---- all samples ---- */

static int
make(void **state)
{
	struct buf out = BUF_INIT(1 << 16);

	*state = support_folder();
	support_shell(&out, NULL, "tests/unit/check_ovpn_samples.sh '%s' %d", (char *)*state, NOW);
	buf_release(&out);
	return 0;
}

static int
unmake(void **state)
{
	support_remove(*state);
	return 0;
}

/* Do to every sample; its name is without ".ovpn". Returns how many failed. */
static int
each_sample(const char *folder, bool (*judge)(struct sample *s))
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

		if (end == NULL)
			continue;
		*end = '\0';
		sample_check(&s, folder, entry->d_name);
		count++;
		if (!judge(&s)) {
			print_findings(&s);
			failed++;
		}
	}
	(void)closedir(dir);
	assert_true(count > 250);
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

	if (dashes == NULL || strncmp(s->name, "ovpn-", 5) != 0)
		return true;
	(void)snprintf(rule, sizeof(rule), "%.*s", (int)(dashes - s->name), s->name);
	finding = found(s, rule);
	if (finding != NULL && s->found.worst == finding->rule->severity)
		return true;
	print_error("# %s: expected %s and nothing worse\n", s->name, rule);
	return false;
}

/* A rule that does not see what it is there for lets a phone be locked out. */
static void
test_every_rule(void **state)
{
	assert_int_equal(each_sample(*state, breaks_its_rule), 0);
}

static bool
is_good(struct sample *s)
{
	if (strncmp(s->name, "good--", 6) != 0 || s->found.worst < FINDING_WARNING)
		return true;
	print_error("# %s: expected neither error nor warning\n", s->name);
	return false;
}

/* An admin who is warned of what works does not read the next warning. */
static void
test_no_false_alarm(void **state)
{
	assert_int_equal(each_sample(*state, is_good), 0);
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
	assert_int_equal(each_sample(*state, agrees_with_phone), 0);
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
	assert_int_equal(each_sample(*state, shows_no_key), 0);
}

/* Each rule has a sample, but for what is about the phone or the file's mode. */
static void
test_every_rule_is_tried(void **state)
{
	static const char *const elsewhere[] = { "ovpn-readable", "ovpn-model", "ovpn-firmware", "ovpn-d80" };

	for (const struct finding_rule *rule = check_ovpn_rules; rule->id != NULL; rule++) {
		struct buf out = BUF_INIT(1 << 16);
		bool other = false;

		for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++)
			other = other || strcmp(elsewhere[i], rule->id) == 0;
		support_shell(&out, NULL, "ls '%s/samples' | grep -c '^%s--' || true", (char *)*state, rule->id);
		if (!other && strcmp(buf_string(&out), "0\n") == 0)
			fail_msg("%s: no sample", rule->id);
		buf_release(&out);
	}
}

/* ---- single cases ---- */

/* The line is the one that an editor goes to. */
static void
test_lines(void **state)
{
	static const struct {
		const char *name, *rule;
		unsigned int line;
	} cases[] = {
		{ "ovpn-too-new--compress", "ovpn-too-new", 12 },
		{ "ovpn-connection--verb", "ovpn-connection", 14 },
		{ "ovpn-proto-directive--in-connection", "ovpn-proto-directive", 12 },
		{ "ovpn-nul--in-a-line", "ovpn-nul", 11 },
		{ "ovpn-remote-missing--none", "ovpn-remote-missing", 0 },
	};
	struct sample s = SAMPLE_INIT;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sample_check(&s, *state, cases[i].name);
		assert_int_equal(must_find(&s, cases[i].rule)->line, cases[i].line);
	}
	sample_release(&s);
}

/* "Models D40, D45, D50, and D70 do not support OpenVPN", and old firmware has other parameters. */
static void
test_models(void **state)
{
	struct sample s = SAMPLE_INIT;

	sample_read(&s, *state, "good--plain");
	sample_check_as(&s, "D40", NULL, NOW);
	(void)must_find(&s, "ovpn-model");
	assert_int_equal(s.found.count, 1);
	sample_check_as(&s, "D60", "2_6_6", NOW);
	assert_non_null(strstr(must_find(&s, "ovpn-firmware")->text, "2_7_0"));
	sample_check_as(&s, "D60", "2_7_0", NOW);
	assert_int_equal(s.found.count, 0);
	sample_check_as(&s, NULL, NULL, NOW);
	assert_int_equal(s.found.count, 0);
	sample_check_as(&s, "D80", NULL, NOW);
	(void)must_find(&s, "ovpn-d80");
	assert_int_equal(s.found.worst, FINDING_NOTE);
	/* "Model D80 phones may support a different set": not refused, and not called good. */
	sample_read(&s, *state, "ovpn-cipher-aead--gcm");
	sample_check_as(&s, "D80", NULL, NOW);
	assert_int_equal(s.found.worst, FINDING_NOTE);
	sample_release(&s);
}

/* A day before its end a certificate works, and the admin must hear of it while there is time. */
static void
test_dates(void **state)
{
	const time_t day = 86400, end = NOW + 2 * day; /* of leaf-ending */
	struct sample s = SAMPLE_INIT;

	sample_read(&s, *state, "ovpn-cert-ending--leaf");
	sample_check_as(&s, "D65", NULL, end - (DAYS + 1) * day);
	assert_null(found(&s, "ovpn-cert-ending"));
	sample_check_as(&s, "D65", NULL, end - (DAYS - 1) * day);
	(void)must_find(&s, "ovpn-cert-ending");
	assert_int_equal(s.found.worst, FINDING_WARNING);
	sample_check_as(&s, "D65", NULL, end + 1);
	assert_null(found(&s, "ovpn-cert-ending"));
	(void)must_find(&s, "ovpn-cert-expired");
	sample_read(&s, *state, "ovpn-cert-not-yet--leaf");
	sample_check_as(&s, "D65", NULL, end + 1);
	assert_int_equal(s.found.count, 0);
	sample_release(&s);
}

/* A profile without certificate and key is what a fleet's phones share: that is no fault of it. */
static void
test_halves(void **state)
{
	const struct check_ovpn_params params = { .clock = { .now = NOW, .days = DAYS } };
	struct sample s = SAMPLE_INIT;
	struct err e = ERR_INIT;
	struct config c;

	sample_read(&s, *state, "ovpn-block-missing--key");
	assert_ok(config_read(s.file.data, s.file.len, &c, &e), e);
	check_ovpn_profile("profile", &c, &params, &s.found);
	assert_int_equal(s.found.count, 0);
	config_release(&c);
	sample_release(&s);
}

/* Others on the machine can take the key: a group of its own, as a web server's, may read it. */
static void
test_mode(void **state)
{
	struct sample s = SAMPLE_INIT;

	(void)state;
	check_ovpn_mode("x.ovpn", 0100640, &s.found);
	assert_int_equal(s.found.count, 0);
	check_ovpn_mode("x.ovpn", 0100644, &s.found);
	assert_non_null(strstr(must_find(&s, "ovpn-readable")->text, "found 0644"));
	sample_release(&s);
}

/* Ids are for scripts: each once, and every rule says all three things. */
static void
test_table(void **state)
{
	(void)state;
	for (const struct finding_rule *rule = check_ovpn_rules; rule->id != NULL; rule++) {
		assert_int_equal(strncmp(rule->id, "ovpn-", 5), 0);
		assert_true(rule->title[0] != '\0' && rule->title[strlen(rule->title) - 1] != '.');
		assert_true(rule->why[strlen(rule->why) - 1] == '.' && rule->fix[0] != '\0');
		for (const struct finding_rule *other = check_ovpn_rules; other != rule; other++)
			assert_string_not_equal(other->id, rule->id);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_every_rule),
		cmocka_unit_test(test_every_rule_is_tried),
		cmocka_unit_test(test_no_false_alarm),
		cmocka_unit_test(test_agrees_with_refphone),
		cmocka_unit_test(test_no_key_in_a_finding),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_models),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_halves),
		cmocka_unit_test(test_mode),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, make, unmake);
}
