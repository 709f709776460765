/* SPDX-License-Identifier: ISC */
#ifndef TESTS_DB_SUPPORT_H
#define TESTS_DB_SUPPORT_H

#include "tests/unit/support.h"

#include "common/text.h"
#include "db/db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Back to versions 5, 4 and 3 of the schema; what older ones lacked comes behind it. */
#define SCHEMA_5 \
	"DROP TABLE rollout_phones; DROP TABLE rollouts; DROP TABLE barred; ALTER TABLE authorities DROP COLUMN role; "
#define SCHEMA_4 SCHEMA_5 "DROP TABLE ladder; DROP TABLE vpn_sessions; "
#define SCHEMA_3 SCHEMA_4 "DROP TABLE provisioned; DROP TABLE enroll_window; DROP TABLE enroll_phones; "

/* What no file of the state folder may hold in the clear. */
#define CLEAR_CA_KEY "clear text of the CA key"
#define CLEAR_SERVER_KEY "clear text of the server key"
#define CLEAR_PHONE_KEY "clear text of a phone key"
#define CLEAR_SECRET "clear-sip-secret"
#define CLEAR_PASSWORD "clear-http-password"

#define NOT_AFTER 2000000000
#define PROFILE "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define PROFILE_2 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

/* A state folder of its own for each test. */
struct fixture {
	char *folder;
	char dir[256];
	struct db_location where;
	struct err e;
};

static inline void
serial_of(unsigned int n, unsigned char serial[DB_SERIAL_SIZE])
{
	memset(serial, 0x5a, DB_SERIAL_SIZE);
	serial[16] = (unsigned char)(n >> 24);
	serial[17] = (unsigned char)(n >> 16);
	serial[18] = (unsigned char)(n >> 8);
	serial[19] = (unsigned char)n;
}

static inline void
md5_of(unsigned int n, char md5[DB_MD5_SIZE])
{
	(void)snprintf(md5, DB_MD5_SIZE, "%032x", n);
}

static inline void
bytes_of(struct buf *b, const char *text, unsigned int n)
{
	*b = (struct buf)BUF_INIT(DB_DER_MAX);
	buf_addf(b, "%s %u", text, n);
}

/* db_create() with a CA and a server whose keys are recognisable. */
static inline int
state_create(struct fixture *f, struct err *e)
{
	static const struct db_setting settings[] = { { "url", "http://pbx.example.com/" }, { "vpn-host", "vpn" } };
	struct buf ca_cert, ca_key, cert, key;
	struct db_crl crl = { .number = 1, .this_update = 1000, .next_update = 2000, .der = BUF_INIT(DB_CRL_MAX) };
	struct db_certificate_new server = { .cert = &cert, .key = &key, .not_after = NOT_AFTER };
	const struct db_init init = {
		.settings = settings,
		.setting_count = 2,
		.authority_name = "Test CA 1",
		.authority_cert = &ca_cert,
		.authority_key = &ca_key,
		.crl = &crl,
		.server_name = "vpn.example.com",
		.server = &server,
	};
	int rc;

	bytes_of(&ca_cert, "CA certificate", 1);
	bytes_of(&ca_key, CLEAR_CA_KEY, 1);
	bytes_of(&cert, "server certificate", 1);
	bytes_of(&key, CLEAR_SERVER_KEY, 1);
	buf_add_string(&crl.der, "CRL 1");
	serial_of(0, server.serial);
	rc = db_create(&f->where, &init, e);
	buf_release(&ca_cert);
	buf_release(&ca_key);
	buf_release(&cert);
	buf_release(&key);
	buf_release(&crl.der);
	return rc;
}

static inline int
fixture_empty(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->folder = support_folder();
	(void)snprintf(f->dir, sizeof(f->dir), "%s/state", f->folder);
	f->where = (struct db_location){ .dir = f->dir, .actor = "tester: unit test" };
	*state = f;
	return 0;
}

static inline int
fixture_created(void **state)
{
	struct fixture *f;

	(void)fixture_empty(state);
	f = *state;
	assert_ok(state_create(f, &f->e), f->e);
	return 0;
}

static inline int
fixture_end(void **state)
{
	struct fixture *f = *state;

	support_remove(f->folder);
	free(f);
	return 0;
}

static inline struct db *
writer_open(struct fixture *f)
{
	struct db *db = db_open_writer(&f->where, &f->e);

	if (db == NULL)
		print_error("db_open_writer: %s\n", f->e.text);
	assert_non_null(db);
	return db;
}

static inline struct db *
reader_open(struct fixture *f)
{
	struct db *db = db_open(&f->where, &f->e);

	if (db == NULL)
		print_error("db_open: %s\n", f->e.text);
	assert_non_null(db);
	return db;
}

/* The sqlite3 program's answer to a statement, as one string without the last end of line. */
static inline void
ask_sqlite(struct fixture *f, char *answer, size_t size, const char *statement)
{
	struct buf out = BUF_INIT(1 << 20), in = BUF_INIT(1 << 16);

	buf_addf(&in, ".timeout 5000\n%s;\n", statement);
	support_shell(&out, &in, "sqlite3 -batch -bail '%s/phonevpn.db'", f->dir);
	(void)snprintf(answer, size, "%s", buf_string(&out));
	answer[strcspn(answer, "\n") == strlen(answer) ? strlen(answer) : strlen(answer) - 1] = '\0';
	buf_release(&out);
	buf_release(&in);
}

#define assert_sqlite(f, statement, expected) assert_sqlite_at(f, statement, expected, __FILE__, __LINE__)

static inline void
assert_sqlite_at(struct fixture *f, const char *statement, const char *expected, const char *file, int line)
{
	char answer[4096];

	ask_sqlite(f, answer, sizeof(answer), statement);
	if (strcmp(answer, expected) != 0)
		print_error("%s: expected \"%s\", found \"%s\"\n", statement, expected, answer);
	_assert_int_equal(strcmp(answer, expected), 0, file, line);
}

/* What the sqlite3 program thinks of the whole database. */
static inline void
assert_sound(struct fixture *f)
{
	assert_sqlite(f, "PRAGMA integrity_check", "ok");
	assert_sqlite(f, "PRAGMA foreign_key_check", "");
}

static inline int64_t
phone_make(struct fixture *f, struct db *db, const char *mac)
{
	struct db_phone_new n = { .secret = CLEAR_SECRET, .http_password = CLEAR_PASSWORD };
	struct db_phone p;

	(void)snprintf(n.phone.mac, sizeof(n.phone.mac), "%s", mac);
	(void)snprintf(n.phone.model, sizeof(n.phone.model), "D65");
	(void)snprintf(n.phone.http_user, sizeof(n.phone.http_user), "user-%s", mac);
	assert_ok(db_phone_add(db, &n, 1, &f->e), f->e);
	assert_ok(db_phone_get(db, mac, &p, &f->e), f->e);
	return p.id;
}

/* A generation with a new certificate of serial n, and md5 n; or with the existing one. */
static inline int
generation_make(struct db *db, int64_t phone, const char *mac, unsigned int n, bool fresh, int64_t *ret_number,
    struct err *e)
{
	struct buf cert, key;
	struct db_certificate_new c = { .cert = &cert, .key = &key, .not_after = NOT_AFTER };
	struct db_generation_new g = {
		.phone = phone,
		.certificate = fresh ? &c : NULL,
		.authority = 1,
		.profile = PROFILE,
		.size = 1000 + n,
	};
	int rc;

	bytes_of(&cert, "phone certificate", n);
	bytes_of(&key, CLEAR_PHONE_KEY, n);
	serial_of(n, c.serial);
	serial_of(n, g.serial);
	md5_of(n, g.md5);
	(void)snprintf(g.mac, sizeof(g.mac), "%s", mac);
	rc = db_generation_commit(db, &g, 1, e);
	if (ret_number != NULL)
		*ret_number = g.ret_number;
	buf_release(&cert);
	buf_release(&key);
	return rc;
}

static inline int64_t
generation_new(struct fixture *f, struct db *db, int64_t phone, const char *mac, unsigned int n)
{
	int64_t number = 0;

	assert_ok(db_profile_put(db, PROFILE, "profile text", 12, &f->e), f->e);
	assert_ok(generation_make(db, phone, mac, n, true, &number, &f->e), f->e);
	return number;
}

/* The next CRL, whose number is n. */
static inline void
crl_of(struct db_crl *crl, unsigned int n)
{
	*crl = (struct db_crl){ .number = n, .this_update = 3000, .next_update = 4000, .der = BUF_INIT(DB_CRL_MAX) };
	buf_addf(&crl->der, "CRL %u", n);
}

/* The child's exit status; a signal fails the test. */
static inline int
child_wait(pid_t child)
{
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

#endif
