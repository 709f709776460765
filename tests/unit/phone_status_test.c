/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "common/text.h"
#include "phone/management.h"
#include "phone/openvpn.h"
#include "phone/status.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define MD5 "149603e6c03516362a8da23f624db945" /* printf 'old' | md5sum */

/* A booted phone; with a bundle when stored. */
static struct phone
phone_new(const char *dir, const char *model, const char *firmware, bool enable, bool stored)
{
	struct buf bundle = BUF_INIT(16);
	struct err e = ERR_INIT;
	struct phone p;

	assert_ok(store_open(dir, &p.store, &e), e);
	(void)snprintf(p.store.mac, sizeof(p.store.mac), "000fd3054848");
	(void)snprintf(p.store.model, sizeof(p.store.model), "%s", model);
	(void)snprintf(p.store.firmware, sizeof(p.store.firmware), "%s", firmware);
	p.store.enable = enable;
	if (stored) {
		buf_add_string(&bundle, "old");
		assert_ok(store_bundle_install(&p.store, &bundle, MD5, &e), e);
	}
	p.model = model_find(model);
	assert_ok(firmware_parse(firmware, &p.firmware, &e), e);
	p.why = (struct err)ERR_INIT;
	p.vpn = model_check_openvpn(p.model, &p.firmware, &p.why) == 0;
	buf_release(&bundle);
	return p;
}

/* Stands for openvpn's management interface: takes one client, and answers whatever it says with text. */
static pid_t
management_answer_with(const char *dir, const char *text)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char command[64];
	pid_t pid;

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s/" OPENVPN_SOCKET, dir);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 1), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int client = accept(fd, NULL, NULL);

		if (recv(client, command, sizeof(command), 0) > 0)
			(void)send(client, text, strlen(text), MSG_NOSIGNAL);
		/* Open until the other side has read it all. */
		_exit(recv(client, command, sizeof(command), 0) == 0 ? 0 : 1);
	}
	(void)close(fd);
	return pid;
}

static void
assert_json(const struct status *s, const char *key, const char *expected)
{
	json_t *doc = status_json(s), *value;

	assert_non_null(doc);
	value = json_object_get(doc, key);
	assert_non_null(value);
	if (expected == NULL)
		assert_true(json_is_null(value));
	else
		assert_string_equal(json_string_value(value), expected);
	json_decref(doc);
}

static void
assert_page(struct phone *p, bool menu, const char *icon, const char *shield, const char *softkey)
{
	struct err e = ERR_INIT;
	struct status s;

	assert_ok(status_collect(p, &s, &e), e);
	assert_true(s.menu == menu);
	assert_json(&s, "icon", icon);
	assert_json(&s, "shield", shield);
	assert_json(&s, "softkey", softkey);
	phone_close(p);
}

/* "When [...] is enabled on the phone, the phone will display an additional setup item". */
static void
test_menu(void **state)
{
	char *dir = support_folder();
	struct phone p;

	(void)state;
	p = phone_new(dir, "D65", "2_7_0", false, true);
	assert_page(&p, false, "x", "none", NULL);
	p = phone_new(dir, "D65", "2_7_0", true, true);
	assert_page(&p, true, "x", "red", "Connect");
	p = phone_new(dir, "D40", "2_9_26", true, true);
	assert_page(&p, false, "x", "none", NULL);
	p = phone_new(dir, "D65", "2_6_6", true, true);
	assert_page(&p, false, "x", "none", NULL);
	support_remove(dir);
}

/* "If the configuration file is not found [...] the phone will display an red x icon." */
static void
test_no_file(void **state)
{
	char *dir = support_folder();
	struct phone p = phone_new(dir, "D60", "2_7_0", true, false);

	(void)state;
	assert_page(&p, true, "x", "red", "Connect");
	support_remove(dir);
}

/* "[...] and the connection is successfully brought up, the phone will show a blue VPN shield icon". */
static void
test_connected(void **state)
{
	char *dir = support_folder();
	struct phone p = phone_new(dir, "D65", "2_7_0", true, true);
	/* The lines as openvpn 2.6.14 sent them. */
	pid_t pid = management_answer_with(dir,
	    ">INFO:OpenVPN Management Interface Version 5 -- type 'help' for more info\r\n"
	    "1795473847,CONNECTED,SUCCESS,10.8.0.2,10.99.0.1,1194,,\r\nEND\r\n");
	struct err e = ERR_INIT;
	struct status s;
	int status;

	(void)state;
	assert_ok(status_collect(&p, &s, &e), e);
	assert_json(&s, "shield", "blue");
	assert_json(&s, "icon", "check");
	assert_json(&s, "softkey", "Disconnect");
	assert_json(&s, "connection", "Connected");
	assert_json(&s, "vpn_address", "10.8.0.2");
	assert_json(&s, "server", "10.99.0.1:1194");
	assert_json(&s, "mac", "000fd3054848");
	assert_json(&s, "vpn_unsupported_reason", NULL);
	phone_close(&p);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	support_remove(dir);
}

/* "If the OpenVPN connection cannot be brought up, a red VPN shield icon will show". */
static void
test_reconnecting(void **state)
{
	char *dir = support_folder();
	struct phone p = phone_new(dir, "D65", "2_7_0", true, true);
	pid_t pid = management_answer_with(dir, "1795473847,RECONNECTING,tls-error,,,,,\r\nEND\r\n");

	(void)state;
	assert_page(&p, true, "x", "red", "Disconnect");
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	support_remove(dir);
}

/* The socket of an openvpn that was killed is no tunnel. */
static void
test_stale_socket(void **state)
{
	char *dir = support_folder();
	struct phone p = phone_new(dir, "D65", "2_7_0", true, true);
	pid_t pid = management_answer_with(dir, "");

	(void)state;
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_page(&p, true, "x", "red", "Connect");
	support_remove(dir);
}

/* What comes over the socket is a file's or a server's text: bounded, and fit for a terminal. */
static void
test_management_lines(void **state)
{
	struct management_state s;
	char line[MANAGEMENT_LINE_SIZE];

	(void)state;
	assert_true(management_state_parse(">STATE:1,RECONNECTING,tls\x1b-error,,,,,", &s));
	assert_string_equal(s.name, "RECONNECTING");
	assert_string_equal(s.detail, "tls?-error");
	assert_false(management_state_parse("END", &s));
	assert_false(management_state_parse("SUCCESS: real-time state notification set to ON", &s));
	assert_true(management_state_parse("1,A", &s));
	assert_string_equal(s.address, "");
	memset(line, 'x', sizeof(line));
	memcpy(line, "1,", 2);
	line[sizeof(line) - 1] = '\0';
	assert_true(management_state_parse(line, &s));
	assert_int_equal(strlen(s.name), sizeof(s.name) - 1);
	/* An INFO message with no flag of an error; a non-fatal and a fatal error. */
	assert_null(management_log_error(">LOG:1795473847,I,Initialization Sequence Completed"));
	assert_null(management_log_error("1795473847,,plain, with FN behind"));
	assert_string_equal(management_log_error(">LOG:1795473847,N,TLS Error: x, y"), "TLS Error: x, y");
	assert_string_equal(management_log_error("1795473847,F,Cannot load"), "Cannot load");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_menu),
		cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_connected),
		cmocka_unit_test(test_reconnecting),
		cmocka_unit_test(test_stale_socket),
		cmocka_unit_test(test_management_lines),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
