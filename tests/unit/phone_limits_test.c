/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "common/file.h"
#include "dseries/cipher.h"
#include "phone/limits.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *
text_of(const char *folder, const char *name)
{
	struct buf file = BUF_INIT(1 << 16);
	struct err e = ERR_INIT;
	char path[512], *copy;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_ok(file_read(path, &file, &e), e);
	copy = strdup(buf_string(&file));
	assert_non_null(copy);
	buf_release(&file);
	return copy;
}

/* A bundle with real certificates and these lines; it calls where nobody listens, and does not insist. */
static void
bundle_read(const char *folder, const char *certificate, const char *lines, struct ovpn *ret)
{
	char *ca = text_of(folder, "root.crt"), *cert = text_of(folder, certificate),
	     *key = text_of(folder, "leaf.key");
	struct buf file = BUF_INIT(OVPN_MAX);
	struct err e = ERR_INIT;

	buf_addf(&file,
	    "client\ndev null\nremote 127.0.0.1 9\nnobind\nhand-window 1\n%s<ca>\n%s</ca>\n<cert>\n%s</cert>\n<key>\n%s"
	    "</key>\n",
	    lines, ca, cert, key);
	assert_ok(ovpn_read(file.data, file.len, model_find("D65"), ret, &e), e);
	buf_release(&file);
	free(ca);
	free(cert);
	free(key);
}

static int
make(void **state)
{
	struct buf out = BUF_INIT(1 << 16);

	*state = support_folder();
	support_shell(&out, NULL, "tests/unit/phone_certificates.sh '%s'", (char *)*state);
	buf_release(&out);
	return 0;
}

static int
unmake(void **state)
{
	support_remove(*state);
	return 0;
}

static bool
listed(const struct limits_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->name[i], name) == 0)
			return true;
	}
	return false;
}

/* Of each of the page's ciphers the report says what the openssl program says. */
static void
test_offer(void **state)
{
	struct buf suites = BUF_INIT(1 << 16), ciphers = BUF_INIT(1 << 20);
	struct limits_offer offer;
	struct err e = ERR_INIT;
	size_t count = 0;

	(void)state;
	assert_ok(limits_look(model_find("D65"), NULL, &offer, &e), e);
	assert_int_equal(ERR_peek_error(), 0);
	support_shell(&suites, NULL, "{ echo; openssl ciphers -tls1 -s 'ALL:@SECLEVEL=0' | tr ':' '\\n'; }");
	for (; cipher_control_at(count) != NULL; count++) {
		const char *name = cipher_control_at(count);
		char line[64];
		bool has;

		(void)snprintf(line, sizeof(line), "\n%s\n", name);
		has = strstr(buf_string(&suites), line) != NULL;
		if (listed(&offer.control, name) != has || listed(&offer.control_missing, name) == has)
			fail_msg("%s: openssl %s it", name, has ? "has" : "lacks");
	}
	assert_int_equal(offer.control.count + offer.control_missing.count, count);
	for (count = 0; cipher_data_at(count) != NULL; count++) {
		const char *name = cipher_data_at(count);

		buf_clear(&ciphers);
		support_shell(&ciphers, NULL,
		    "{ openssl list -cipher-algorithms -provider default -provider legacy | tr -d '{}' | tr ',' ' ' | "
		    "awk -v name=%s '{ for (i = 1; i < NF; i++) if ($i == name) print $NF }'; }",
		    name);
		if (listed(&offer.data, name) != (strstr(buf_string(&ciphers), "default") != NULL) ||
		    listed(&offer.data_legacy, name) != (strcmp(buf_string(&ciphers), "legacy\n") == 0) ||
		    listed(&offer.data_missing, name) != (ciphers.len == 0))
			fail_msg("%s: openssl says %s", name, buf_string(&ciphers));
	}
	assert_int_equal(offer.data.count + offer.data_legacy.count + offer.data_missing.count, count);
	buf_release(&suites);
	buf_release(&ciphers);
}

/* Firmware before 2.3.9 had four more. */
static void
test_offer_of_old_firmware(void **state)
{
	const struct firmware old = { { 2, 3, 8 } };
	struct limits_offer offer;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(limits_look(model_find("D60"), &old, &offer, &e), e);
	assert_true(listed(&offer.control, "AECDH-AES128-SHA") || listed(&offer.control_missing, "AECDH-AES128-SHA"));
	assert_ok(limits_look(model_find("D60"), NULL, &offer, &e), e);
	assert_false(listed(&offer.control, "AECDH-AES128-SHA") || listed(&offer.control_missing, "AECDH-AES128-SHA"));
}

/* A machine that does not change with the distribution. */
static const struct limits_offer machine = {
	.control = { .name = { "ECDHE-RSA-AES256-SHA", "AES256-SHA", "AES128-SHA", "CAMELLIA128-SHA" }, .count = 4 },
	.control_missing = { .name = { "RC4-SHA", "SEED-SHA" }, .count = 2 },
	.data = { .name = { "AES-256-CBC" }, .count = 1 },
	.data_legacy = { .name = { "BF-CBC" }, .count = 1 },
	.data_missing = { .name = { "DES-CBC" }, .count = 1 },
};

#define FIRST "tls-version-min 1.0\ntls-version-max 1.0\ntls-cipher "

/* What openvpn is held to, line by line. */
static void
test_lines(void **state)
{
	static const struct {
		const char *says, *lines, *missing;
	} cases[] = {
		{ "cipher AES-256-CBC\n",
		    FIRST "ECDHE-RSA-AES256-SHA:AES256-SHA:AES128-SHA:CAMELLIA128-SHA:@SECLEVEL=0\n"
			  "data-ciphers AES-256-CBC\ndata-ciphers-fallback AES-256-CBC\n",
		    "RC4-SHA SEED-SHA " },
		{ "remote-cert-tls server\n",
		    FIRST "ECDHE-RSA-AES256-SHA:AES256-SHA:AES128-SHA:CAMELLIA128-SHA:@SECLEVEL=0\n"
			  "data-ciphers BF-CBC\ndata-ciphers-fallback BF-CBC\nproviders legacy default\n"
			  "remote-cert-ku a0 88\n",
		    "RC4-SHA SEED-SHA " },
		/* The bundle's order, and names of either kind. */
		{ "cipher AES-256-CBC\ntls-cipher TLS-RSA-WITH-AES-128-CBC-SHA:RC4-SHA:ECDHE-RSA-AES256-SHA\n",
		    FIRST "AES128-SHA:ECDHE-RSA-AES256-SHA:@SECLEVEL=0\ndata-ciphers AES-256-CBC\n"
			  "data-ciphers-fallback AES-256-CBC\n",
		    "RC4-SHA " },
		/* One that is not the page's is none that the phone has. */
		{ "cipher AES-256-CBC\ntls-cipher DHE-RSA-AES256-SHA:AES256-SHA:AES256-SHA\n",
		    FIRST "AES256-SHA:@SECLEVEL=0\ndata-ciphers AES-256-CBC\ndata-ciphers-fallback AES-256-CBC\n", "" },
		/* A rule, which OpenSSL works out: openssl ciphers -tls1 -s 'HIGH:!ECDHE:!CAMELLIA:!AES128:@SECLEVEL=0' */
		{ "cipher AES-256-CBC\ntls-cipher HIGH:!ECDHE:!CAMELLIA:!AES128\n",
		    FIRST "AES256-SHA:@SECLEVEL=0\ndata-ciphers AES-256-CBC\ndata-ciphers-fallback AES-256-CBC\n",
		    "RC4-SHA SEED-SHA " },
		{ "cipher none\ntls-cipher AES256-SHA\n",
		    FIRST "AES256-SHA:@SECLEVEL=0\ndata-ciphers none\ndata-ciphers-fallback none\n", "" },
	};
	struct err e = ERR_INIT;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf missing = BUF_INIT(1024);
		struct limits l;
		struct ovpn o;

		bundle_read(*state, "leaf.crt", cases[i].says, &o);
		assert_ok(limits_apply(&machine, model_find("D65"), &o, &l, &e), e);
		assert_memory_equal(l.config.data, o.effective.data, o.effective.len);
		assert_string_equal(buf_string(&l.config) + o.effective.len, cases[i].lines);
		for (size_t k = 0; k < l.control_missing.count; k++)
			buf_addf(&missing, "%s ", l.control_missing.name[k]);
		assert_string_equal(buf_string(&missing), cases[i].missing);
		assert_int_equal(l.note_count, 0);
		buf_release(&missing);
		limits_release(&l);
		ovpn_release(&o);
	}
	assert_int_equal(ERR_peek_error(), 0);
}

/* What is the bundle's fault, and what this machine's. */
static void
test_refused(void **state)
{
	static const struct {
		const char *says, *error;
		enum err_code code;
	} cases[] = {
		{ "tls-cipher DHE-RSA-AES256-SHA\n", "tls-cipher: expected one of the control-channel ciphers",
		    ERR_INTEGRITY },
		{ "tls-cipher TLS-ECDHE-RSA-WITH-AES-256-GCM-SHA384\n", "tls-cipher: expected one", ERR_INTEGRITY },
		{ "tls-cipher TLS-RSA-WITH-SEED-CBC-SHA:TLS-RSA-WITH-RC4-128-SHA\n", "found only SEED-SHA, RC4-SHA; ",
		    ERR_FAILED },
		{ "tls-cipher RC4\n", "this machine cannot prove it", ERR_FAILED },
		{ "cipher DES-CBC\n", "found DES-CBC; the phone may connect, and this machine cannot prove it",
		    ERR_FAILED },
	};
	struct limits_offer none = machine;
	struct err e = ERR_INIT;
	struct limits l;
	struct ovpn o;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bundle_read(*state, "leaf.crt", cases[i].says, &o);
		assert_fails(limits_apply(&machine, model_find("D65"), &o, &l, &e), e, cases[i].code, cases[i].error);
		ovpn_release(&o);
	}
	none.control.count = 0;
	bundle_read(*state, "leaf.crt", "", &o);
	assert_fails(limits_apply(&none, model_find("D65"), &o, &l, &e), e, ERR_FAILED, "found only RC4-SHA, SEED-SHA");
	ovpn_release(&o);
}

/* "Model D80 phones may support a different set". */
static void
test_d80(void **state)
{
	struct err e = ERR_INIT;
	struct limits l;
	struct ovpn o;

	bundle_read(*state, "leaf.crt", "cipher AES-256-CBC\n", &o);
	assert_ok(limits_apply(&machine, model_find("D80"), &o, &l, &e), e);
	assert_int_equal(l.note_count, 1);
	assert_non_null(strstr(l.notes[0], "a D80 may support other ciphers than the page lists"));
	limits_release(&l);
	/* A name that would become more than one word of a line. */
	(void)snprintf(o.cipher, sizeof(o.cipher), "A\nup /bin/sh");
	assert_fails(limits_apply(&machine, model_find("D80"), &o, &l, &e), e, ERR_FAILED, "found A?up /bin/sh");
	(void)snprintf(o.cipher, sizeof(o.cipher), "AES-256-GCM");
	assert_ok(limits_apply(&machine, model_find("D80"), &o, &l, &e), e);
	assert_int_equal(l.note_count, 2);
	limits_release(&l);
	ovpn_release(&o);
}

/* Run openvpn on it for as long as it takes to see it at work. */
static void
assert_runs(const char *folder, const char *certificate, const char *lines, const struct limits_offer *offer)
{
	struct buf out = BUF_INIT(1 << 16);
	struct err e = ERR_INIT;
	struct limits l;
	struct ovpn o;
	char *path;

	bundle_read(folder, certificate, lines, &o);
	assert_ok(limits_apply(offer, model_find("D65"), &o, &l, &e), e);
	path = support_file(folder, "limited.conf", l.config.data, l.config.len);
	support_shell(&out, NULL,
	    "{ PATH=$PATH:/usr/sbin; timeout -k 1 20 openvpn --config %s --connect-retry-max 1 2>&1; :; }", path);
	if (strstr(buf_string(&out), "UDPv4 link remote: [AF_INET]127.0.0.1:9") == NULL ||
	    strstr(buf_string(&out), "TLS key negotiation failed to occur within 1 seconds") == NULL)
		fail_msg("%s: openvpn says %s", lines, buf_string(&out));
	free(path);
	buf_release(&out);
	limits_release(&l);
	ovpn_release(&o);
}

/* The lines mean something to the real openvpn: it begins to call. */
static void
test_openvpn_takes_them(void **state)
{
	struct limits_offer offer;
	struct err e = ERR_INIT;
	char lines[64];

	assert_ok(limits_look(model_find("D65"), NULL, &offer, &e), e);
	/* One of each provider; and certificates that 2.6 refuses where it is not told otherwise. */
	for (size_t i = 0; i < offer.data.count && i < 1; i++) {
		(void)snprintf(lines, sizeof(lines), "cipher %s\n", offer.data.name[i]);
		assert_runs(*state, "leaf.crt", lines, &offer);
	}
	if (listed(&offer.data_legacy, "BF-CBC"))
		assert_runs(*state, "leaf.crt", "remote-cert-tls server\n", &offer);
	assert_runs(*state, "leaf-sha1.crt", "cipher AES-256-CBC\ntls-cipher HIGH:!SEED\n", &offer);
	assert_runs(*state, "leaf-md5.crt", "cipher none\n", &offer);
}

/* Two lines tls-cipher: the last is the one that counts. */
static void
test_last_tls_cipher_wins(void **state)
{
	struct buf out = BUF_INIT(1 << 16);
	struct limits_offer offer;
	struct err e = ERR_INIT;
	struct limits l;
	struct ovpn o;
	char *path;

	bundle_read(*state, "leaf.crt", "cipher AES-256-CBC\ntls-cipher HIGH:!ECDHE:!CAMELLIA:!AES128\n", &o);
	assert_ok(limits_look(model_find("D65"), NULL, &offer, &e), e);
	assert_ok(limits_apply(&offer, model_find("D65"), &o, &l, &e), e);
	path = support_file(*state, "shown.conf", l.config.data, l.config.len);
	support_shell(&out, NULL,
	    "{ PATH=$PATH:/usr/sbin; openvpn --config %s --show-tls | sed -n '/TLS 1.2 and older/,$p' | grep '^TLS-'; }",
	    path);
	assert_string_equal(buf_string(&out), "TLS-RSA-WITH-AES-256-CBC-SHA\n");
	free(path);
	buf_release(&out);
	limits_release(&l);
	ovpn_release(&o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_offer),
		cmocka_unit_test(test_offer_of_old_firmware),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_d80),
		cmocka_unit_test(test_openvpn_takes_them),
		cmocka_unit_test(test_last_tls_cipher_wins),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, make, unmake);
}
