/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "common/file.h"
#include "dseries/client.h"
#include "phone/ovpn.h"
#include "phone/ovpn_rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINES "tests/data/openvpn-directives"
#define BLOCK(name, what) "<" name ">\n-----BEGIN " what "-----\nTUlJ\n-----END " what "-----\n</" name ">\n"

/* Nothing to connect to is named twice, and no certificate can be read: openvpn ends right behind its options. */
static int
read_bundle(const char *proto, const char *line, struct ovpn *ret)
{
	struct buf file = BUF_INIT(OVPN_MAX);
	struct err e = ERR_INIT;
	int rc;

	/* A name has addresses of either family, and is one for remote-random-hostname, too. */
	buf_addf(&file, "client\ndev null\nproto %s\nremote localhost 9\n%s%s\n%s%s%s", proto,
	    strncmp(line, "http-proxy-", 11) == 0 ? "http-proxy 127.0.0.1 9\n" : "", line, BLOCK("ca", "CERTIFICATE"),
	    BLOCK("cert", "CERTIFICATE"), BLOCK("key", "PRIVATE KEY"));
	rc = ovpn_read(file.data, file.len, model_find("D65"), ret, &e);
	buf_release(&file);
	return rc;
}

/* The effective lines, run: openvpn gets as far as the certificates. */
static void
assert_gets_past_options(const char *folder, const char *proto, const char *line, const struct ovpn *o)
{
	char *path = support_file(folder, "one.conf", o->effective.data, o->effective.len);
	struct buf out = BUF_INIT(1 << 16);

	support_shell(&out, NULL,
	    "{ PATH=$PATH:/usr/sbin; cd %s && timeout -k 1 10 openvpn --config one.conf 2>&1; :; }", folder);
	if (strstr(buf_string(&out), "Cannot load inline certificate file") == NULL ||
	    strstr(buf_string(&out), "Options error") != NULL)
		fail_msg("proto %s, %s: openvpn says %s", proto, line, buf_string(&out));
	buf_release(&out);
	free(path);
}

/*
 * Whatever the phone takes, the real openvpn must be able to run, or a bundle that works on the phone would be reported
 * as one that does not. With TCP or UDP where only one of them is taken.
 */
static void
test_each_line(void **state)
{
	struct buf file = BUF_INIT(1 << 16);
	char *folder = support_folder(), *copy, *rest, *line;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(file_read(LINES, &file, &e), e);
	copy = rest = strdup(buf_string(&file));
	assert_non_null(copy);
	while ((line = strsep(&rest, "\n")) != NULL) {
		static const char *const protos[] = { "udp", "tcp" };
		int taken = 0;

		for (size_t i = 0; *line != '\0' && *line != '#' && i < 2; i++) {
			struct ovpn o;

			if (read_bundle(protos[i], line, &o) != 0)
				continue;
			assert_gets_past_options(folder, protos[i], line, &o);
			ovpn_release(&o);
			taken++;
		}
		if (*line != '\0' && *line != '#' && taken == 0)
			fail_msg("%s: not taken", line);
	}
	free(copy);
	buf_release(&file);
	support_remove(folder);
}

/* A directive that nobody thought of would be tried for the first time by a user. */
static void
test_no_directive_is_left_out(void **state)
{
	struct buf file = BUF_INIT(1 << 16);
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(file_read(LINES, &file, &e), e);
	for (size_t i = 0; client_directive_at(i) != NULL; i++) {
		const struct client_directive *d = client_directive_at(i);
		char with[80], without[80];

		if ((d->kind != CLIENT_TAKES && d->kind != CLIENT_TAKES_2_3) || ovpn_effect(d->name) != EFFECT_NONE ||
		    d->may_be_inline || strcmp(d->name, "pkcs12") == 0 || strcmp(d->name, "lladdr") == 0)
			continue;
		(void)snprintf(with, sizeof(with), "\n%s ", d->name);
		(void)snprintf(without, sizeof(without), "\n%s\n", d->name);
		if (strstr(buf_string(&file), with) == NULL && strstr(buf_string(&file), without) == NULL)
			fail_msg("%s: expected in " LINES ", found not", d->name);
	}
	buf_release(&file);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_line),
		cmocka_unit_test(test_no_directive_is_left_out),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
