/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "common/text.h"
#include "phone/store.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAC "000fd3054848"
/* printf 'old' | md5sum, printf 'new' | md5sum */
#define OLD "149603e6c03516362a8da23f624db945"
#define NEW "22af645d1859cb5ca6da0c484f1f37ea"

static void
identify(struct store *s)
{
	(void)snprintf(s->mac, sizeof(s->mac), "%s", MAC);
	(void)snprintf(s->model, sizeof(s->model), "D65");
	(void)snprintf(s->firmware, sizeof(s->firmware), "2_7_0");
}

static void
install(struct store *s, const char *content, const char *md5)
{
	struct buf b = BUF_INIT(64);
	struct err e = ERR_INIT;

	buf_add_string(&b, content);
	assert_ok(store_bundle_install(s, &b, md5, &e), e);
	buf_release(&b);
}

/* A folder with a phone that has the old bundle. */
static char *
phone_with_bundle(void)
{
	char *dir = support_folder();
	struct err e = ERR_INIT;
	struct store s;

	assert_ok(store_open(dir, &s, &e), e);
	identify(&s);
	(void)snprintf(s.config_url, sizeof(s.config_url), "http://u:p@192.0.2.1/");
	s.enable = true;
	install(&s, "old", OLD);
	store_close(&s);
	return dir;
}

static void
assert_bundle(const char *dir, const char *content)
{
	struct buf b = BUF_INIT(64);
	struct err e = ERR_INIT;
	struct store s;

	assert_ok(store_look(dir, &s, &e), e);
	assert_ok(store_bundle_load(&s, s.md5, &b, &e), e);
	assert_string_equal(buf_string(&b), content);
	buf_release(&b);
	store_close(&s);
}

static bool
exists(const char *dir, const char *name)
{
	char *path = text_format("%s/%s", dir, name);
	bool found = access(path, F_OK) == 0;

	free(path);
	return found;
}

/* What was stored is there after a restart: identity, URL, settings, bundle. */
static void
test_round_trip(void **state)
{
	char *dir = phone_with_bundle();
	struct err e = ERR_INIT;
	struct store s;

	(void)state;
	assert_ok(store_look(dir, &s, &e), e);
	assert_string_equal(s.mac, MAC);
	assert_string_equal(s.model, "D65");
	assert_string_equal(s.firmware, "2_7_0");
	assert_string_equal(s.config_url, "http://u:p@192.0.2.1/");
	assert_string_equal(s.md5, OLD);
	assert_true(s.enable && !s.logging && !s.fresh);
	store_close(&s);
	assert_bundle(dir, "old");
	support_remove(dir);
}

/* The key and the password must not be readable by anybody else. */
static void
test_modes(void **state)
{
	char *dir = phone_with_bundle(), *inner;
	struct buf out = BUF_INIT(4096);
	struct err e = ERR_INIT;
	struct store s;

	(void)state;
	support_shell(&out, NULL, "find %s -type f ! -perm 600", dir);
	assert_string_equal(buf_string(&out), "");
	assert_int_equal(chmod(dir, 0755), 0);
	assert_fails(store_open(dir, &s, &e), e, ERR_CONFLICT, "found 0755");
	assert_fails(store_look(dir, &s, &e), e, ERR_CONFLICT, "found 0755");
	assert_int_equal(chmod(dir, 0700), 0);
	inner = text_format("%s/inner", dir);
	assert_ok(store_open(inner, &s, &e), e);
	store_close(&s);
	buf_clear(&out);
	support_shell(&out, NULL, "stat -c %%a %s", inner);
	assert_string_equal(buf_string(&out), "700\n");
	free(inner);
	buf_release(&out);
	support_remove(dir);
}

/* Two at once would tear the state; the second is told. Another's look does not wait. */
static void
test_lock(void **state)
{
	char *dir = phone_with_bundle();
	struct err e = ERR_INIT;
	struct store a, b;

	(void)state;
	assert_ok(store_open(dir, &a, &e), e);
	assert_fails(store_open(dir, &b, &e), e, ERR_CONFLICT, "another refphone");
	assert_ok(store_look(dir, &b, &e), e);
	store_close(&b);
	store_close(&a);
	assert_ok(store_open(dir, &b, &e), e);
	store_close(&b);
	support_remove(dir);
}

/* A new bundle takes the old one's place, and the old key does not stay on the disk. */
static void
test_replace(void **state)
{
	char *dir = phone_with_bundle();
	struct err e = ERR_INIT;
	struct store s;

	(void)state;
	assert_ok(store_open(dir, &s, &e), e);
	install(&s, "new", NEW);
	store_close(&s);
	assert_bundle(dir, "new");
	assert_false(exists(dir, "bundle-" OLD ".ovpn"));
	support_remove(dir);
}

/* A power cut behind any step of an install leaves the old or the new bundle, whole. */
static void
test_power_cut(void **state)
{
	char *dir = phone_with_bundle(), *path;
	struct err e = ERR_INIT;
	struct store s;

	(void)state;
	/* While the new bundle, and then state.json, is written. */
	free(support_file(dir, "bundle-" NEW ".ovpn.4711.new", "ne", 2));
	free(support_file(dir, "state.json.4711.new", "{", 1));
	assert_bundle(dir, "old");
	/* The new bundle is there, state.json is the old one. */
	path = support_file(dir, "bundle-" NEW ".ovpn", "new", 3);
	assert_bundle(dir, "old");
	assert_ok(store_open(dir, &s, &e), e);
	assert_ok(store_tidy(&s, &e), e);
	assert_false(exists(dir, "bundle-" NEW ".ovpn.4711.new"));
	assert_false(exists(dir, "state.json.4711.new"));
	assert_false(exists(dir, "bundle-" NEW ".ovpn"));
	assert_true(exists(dir, "bundle-" OLD ".ovpn"));
	/* state.json is the new one, the old bundle is not removed yet. */
	install(&s, "new", NEW);
	free(support_file(dir, "bundle-" OLD ".ovpn", "old", 3));
	free(support_file(dir, "notes.new", "not ours", 8));
	store_close(&s);
	assert_bundle(dir, "new");
	assert_ok(store_open(dir, &s, &e), e);
	assert_ok(store_tidy(&s, &e), e);
	store_close(&s);
	assert_false(exists(dir, "bundle-" OLD ".ovpn"));
	assert_true(exists(dir, "notes.new"));
	assert_bundle(dir, "new");
	free(path);
	support_remove(dir);
}

/* A full disk: the error is told, and the old bundle is in use as before. */
static void
test_full_disk(void **state)
{
	char *dir = phone_with_bundle();
	int status = 0;
	pid_t pid;

	(void)state;
	for (rlim_t room = 0; room < 400; room += 50) {
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			const struct rlimit limit = { room, room };
			struct buf b = BUF_INIT(4096);
			struct store s;
			char big[301];
			int rc;

			memset(big, 'b', sizeof(big));
			(void)signal(SIGXFSZ, SIG_IGN);
			if (store_open(dir, &s, NULL) != 0 || setrlimit(RLIMIT_FSIZE, &limit) != 0)
				_exit(2);
			buf_add(&b, big, sizeof(big));
			rc = store_bundle_install(&s, &b, NEW, NULL);
			rc = rc != 0 && strcmp(s.md5, OLD) == 0 ? 0 : 1;
			buf_release(&b);
			store_close(&s);
			_exit(rc);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		/* From some size on the bundle fits and only state.json does not; then both fit. */
		if (WEXITSTATUS(status) == 0)
			assert_bundle(dir, "old");
		else
			assert_true(WEXITSTATUS(status) == 1 && room > 300);
		if (WEXITSTATUS(status) != 0)
			break;
	}
	support_remove(dir);
}

/* A file that is gone or damaged is not taken for the bundle. */
static void
test_missing_and_damaged(void **state)
{
	char *dir = phone_with_bundle(), *path;
	struct buf b = BUF_INIT(64);
	struct err e = ERR_INIT;
	struct store s;

	(void)state;
	path = support_file(dir, "bundle-" OLD ".ovpn", "0ld", 3);
	assert_ok(store_look(dir, &s, &e), e);
	assert_fails(store_bundle_load(&s, s.md5, &b, &e), e, ERR_INTEGRITY, "bundle-" OLD ".ovpn");
	assert_int_equal(unlink(path), 0);
	buf_clear(&b);
	assert_fails(store_bundle_load(&s, s.md5, &b, &e), e, ERR_NOT_FOUND, "bundle-" OLD ".ovpn");
	store_close(&s);
	free(path);
	buf_release(&b);
	support_remove(dir);
}

/* "When a phone is factory defaulted, any stored configurations and certificates are deleted." */
static void
test_reset(void **state)
{
	char *dir = phone_with_bundle();
	struct buf b = BUF_INIT(64), out = BUF_INIT(4096);
	struct err e = ERR_INIT;
	struct store s;

	(void)state;
	assert_ok(store_open(dir, &s, &e), e);
	assert_ok(store_reset(&s, &e), e);
	store_close(&s);
	assert_ok(store_look(dir, &s, &e), e);
	assert_string_equal(s.mac, MAC);
	assert_string_equal(s.config_url, "");
	assert_string_equal(s.md5, "");
	assert_false(s.enable);
	assert_fails(store_bundle_load(&s, s.md5, &b, &e), e, ERR_NOT_FOUND, "none stored");
	store_close(&s);
	support_shell(&out, NULL, "ls %s; grep -r 'u:p' %s || true", dir, dir);
	assert_string_equal(buf_string(&out), "lock\nstate.json\n");
	buf_release(&out);
	support_remove(dir);
}

/* What is no state of ours is refused, not overwritten. */
static void
test_foreign_state(void **state)
{
	static const struct {
		const char *text;
		enum err_code code;
		const char *says;
	} files[] = {
		{ "{", ERR_INTEGRITY, "expected the JSON" },
		{ "[]", ERR_INTEGRITY, "expected the JSON" },
		{ "{\"format\":3,\"mac\":\"" MAC "\"}", ERR_CONFLICT, "another version" },
		{ "{\"format\":1}", ERR_INTEGRITY, "state.json" },
		{ "{\"format\":1,\"mac\":\"00:0f:d3:05:48:48\"}", ERR_INTEGRITY, "state.json" },
		{ "{\"format\":1,\"mac\":\"" MAC "\",\"md5\":\"../../etc/passwd\"}", ERR_INTEGRITY, "state.json" },
		{ "{\"format\":1,\"mac\":\"" MAC "\",\"md5\":\"xyz\"}", ERR_INTEGRITY, "state.json" },
		{ "{\"format\":2,\"mac\":\"" MAC "\",\"local\":{\"md5\":\"..\"}}", ERR_INTEGRITY, "state.json" },
		{ "{\"format\":0,\"mac\":\"" MAC "\"}", ERR_CONFLICT, "another version" },
		{ "{\"format\":1,\"mac\":7}", ERR_INTEGRITY, "expected a string" },
		{ "", ERR_INTEGRITY, "expected the JSON" },
	};
	char *dir = support_folder(), *missing = text_format("%s/missing", dir);
	struct err e = ERR_INIT;
	struct store s;

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		free(support_file(dir, "state.json", files[i].text, strlen(files[i].text)));
		assert_fails(store_look(dir, &s, &e), e, files[i].code, files[i].says);
		assert_fails(store_open(dir, &s, &e), e, files[i].code, files[i].says);
	}
	assert_fails(store_look(missing, &s, &e), e, ERR_NOT_FOUND, "missing");
	free(missing);
	support_remove(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_lock),
		cmocka_unit_test(test_replace),
		cmocka_unit_test(test_power_cut),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_missing_and_damaged),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_foreign_state),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
