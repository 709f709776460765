/* SPDX-License-Identifier: ISC */
#include "tests/unit/db_support.h"

#include "db/authority.h"

#define MAC_1 "0004f2000001"
#define MAC_2 "0004f2000002"
#define WHEN 1700000000

typedef unsigned char serial_bytes[DB_SERIAL_SIZE];

/* The CA's parts come back, the key only under its own row. */
static void
authority_comes_back(void **state)
{
	struct fixture *f = *state;
	struct db *db = reader_open(f);
	struct db_authority *list, one;
	struct buf out = BUF_INIT(1000);
	size_t count;

	assert_ok(db_authority_list(db, DB_ROLES_ALL, &list, &count, &f->e), f->e);
	assert_int_equal(count, 1);
	assert_string_equal(list[0].name, "Test CA 1");
	assert_string_equal(buf_string(&list[0].cert), "CA certificate 1");
	assert_int_equal(list[0].crl_this_update, 1000);
	assert_int_equal(list[0].crl_next_update, 2000);
	assert_ok(db_authority_current(db, &one, &f->e), f->e);
	assert_int_equal(one.id, list[0].id);
	assert_ok(db_authority_key(db, one.id, &out, &f->e), f->e);
	assert_string_equal(buf_string(&out), CLEAR_CA_KEY " 1");
	buf_clear(&out);
	assert_ok(db_authority_crl(db, one.id, &out, &f->e), f->e);
	assert_string_equal(buf_string(&out), "CRL 1");
	buf_clear(&out);
	assert_fails(db_authority_key(db, 9, &out, &f->e), f->e, ERR_NOT_FOUND, "CA 9");
	assert_fails(db_authority_crl(db, 9, &out, &f->e), f->e, ERR_NOT_FOUND, "CA 9");
	db_authority_release(&one);
	db_authority_free(list, count);
	db_authority_free(NULL, 0);
	assert_sqlite(f, "UPDATE authorities SET name = 'Test CA 2'", "");
	assert_fails(db_authority_key(db, 1, &out, &f->e), f->e, ERR_INTEGRITY, "CA \"Test CA 2\"");
	assert_sqlite(f,
	    "UPDATE authorities SET name = 'Test CA 1', "
	    "sealed_key = (SELECT sealed_key FROM certificates WHERE kind = 'server')",
	    "");
	assert_fails(db_authority_key(db, 1, &out, &f->e), f->e, ERR_INTEGRITY, "CA \"Test CA 1\"");
	assert_int_equal(out.len, 0);
	buf_release(&out);
	db_close(db);
}

/* A server that read CRL 5 must not be given CRL 5 with another content, or CRL 4. */
static void
crl_numbers_grow(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	struct buf out = BUF_INIT(1000);
	struct db_authority ca;
	struct db_crl crl;

	crl_of(&crl, 5);
	assert_ok(db_authority_set_crl(db, 1, &crl, &f->e), f->e);
	assert_fails(db_authority_set_crl(db, 1, &crl, &f->e), f->e, ERR_CONFLICT,
	    "expected a number greater than 5, found 5");
	assert_fails(db_authority_set_crl(db, 2, &crl, &f->e), f->e, ERR_NOT_FOUND, "CA 2");
	crl.number = 4;
	assert_fails(db_authority_set_crl(db, 1, &crl, &f->e), f->e, ERR_CONFLICT, "greater than 5, found 4");
	crl.number = UINT64_MAX;
	assert_fails(db_authority_set_crl(db, 1, &crl, &f->e), f->e, ERR_INPUT, "below 2^63");
	buf_release(&crl.der);
	assert_ok(db_authority_crl(db, 1, &out, &f->e), f->e);
	assert_string_equal(buf_string(&out), "CRL 5");
	assert_ok(db_authority_current(db, &ca, &f->e), f->e);
	assert_int_equal(ca.crl_number, 5);
	assert_int_equal(ca.crl_this_update, 3000);
	assert_int_equal(ca.crl_next_update, 4000);
	db_authority_release(&ca);
	buf_release(&out);
	db_close(db);
}

/* A CRL of a large fleet (16 MB) is stored and read whole. */
static void
large_crl(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	struct db_crl crl = { .number = 2, .der = BUF_INIT(DB_CRL_MAX) };
	struct buf out = BUF_INIT(DB_CRL_MAX);
	char line[1024];

	memset(line, 'x', sizeof(line));
	for (int i = 0; i < 16384; i++)
		buf_add(&crl.der, line, sizeof(line));
	assert_ok(db_authority_set_crl(db, 1, &crl, &f->e), f->e);
	assert_ok(db_authority_crl(db, 1, &out, &f->e), f->e);
	assert_int_equal(out.len, 16 << 20);
	assert_memory_equal(out.data, crl.der.data, out.len);
	buf_release(&out);
	buf_release(&crl.der);
	db_close(db);
}

/* Certificate and key come back to their serial; a key of another row does not. */
static void
certificate_comes_back(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	int64_t phone = phone_make(f, db, MAC_1);
	struct buf cert = BUF_INIT(1000), key = BUF_INIT(1000);
	unsigned char serial[DB_SERIAL_SIZE];
	struct db_certificate c;

	(void)generation_new(f, db, phone, MAC_1, 7);
	serial_of(7, serial);
	assert_ok(db_certificate_get(db, serial, &c, &f->e), f->e);
	assert_memory_equal(c.serial, serial, sizeof(serial));
	assert_string_equal(c.name, MAC_1);
	assert_false(c.server);
	assert_int_equal(c.authority, 1);
	assert_int_equal(c.not_before, 0);
	assert_int_equal(c.not_after, NOT_AFTER);
	assert_int_equal(c.revoked, 0);
	assert_true(c.issued > 0);
	assert_ok(db_certificate_der(db, serial, &cert, &key, &f->e), f->e);
	assert_string_equal(buf_string(&cert), "phone certificate 7");
	assert_string_equal(buf_string(&key), CLEAR_PHONE_KEY " 7");
	assert_ok(db_certificate_der(db, serial, NULL, NULL, &f->e), f->e);
	buf_clear(&cert);
	buf_clear(&key);
	assert_sqlite(f,
	    "UPDATE certificates SET sealed_key = (SELECT sealed_key FROM certificates WHERE kind = 'server') "
	    "WHERE kind = 'phone'",
	    "");
	assert_fails(db_certificate_der(db, serial, &cert, &key, &f->e), f->e, ERR_INTEGRITY,
	    "certificate 5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a00000007");
	assert_int_equal(cert.len + key.len, 0);
	serial_of(8, serial);
	assert_fails(db_certificate_der(db, serial, &cert, &key, &f->e), f->e, ERR_NOT_FOUND, "00000008: not in the");
	assert_fails(db_certificate_get(db, serial, &c, &f->e), f->e, ERR_NOT_FOUND, "00000008: not in the");
	buf_release(&cert);
	buf_release(&key);
	db_close(db);
}

/* A serial must never come back: the database itself refuses to forget or to change one. */
static void
serials_stay(void **state)
{
	static const char copy[] =
	    "INSERT INTO certificates SELECT 99, serial, authority, phone, name, kind, not_before, not_after, issued, "
	    "revoked, reason, cert, sealed_key FROM certificates";
	static const char *const attempts[] = {
		"DELETE FROM certificates",
		"UPDATE certificates SET serial = zeroblob(20)",
		"DELETE FROM authorities",
		copy,
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		struct buf out = BUF_INIT(1000);

		support_shell(&out, NULL,
		    "sqlite3 '%s/phonevpn.db' 'PRAGMA foreign_keys = ON' '%s' >'%s/said' 2>&1; echo $?; :", f->dir,
		    attempts[i], f->folder);
		assert_string_not_equal(buf_string(&out), "0\n");
		buf_release(&out);
	}
	assert_sqlite(f, "SELECT hex(serial) FROM certificates", "5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A00000000");
}

static int
count_certificate(const struct db_certificate *c, void *arg, struct err *e)
{
	(void)e;
	buf_addf(arg, "%s:%d ", c->name, c->serial[19]);
	return 0;
}

static void
assert_certificates(struct fixture *f, struct db *db, const struct db_certificate_filter *filter, const char *expected)
{
	struct buf out = BUF_INIT(1 << 20);

	assert_ok(db_certificate_each(db, filter, count_certificate, &out, &f->e), f->e);
	assert_string_equal(buf_string(&out), expected);
	buf_release(&out);
}

/* The CRL is made of this list: a missing entry is a stolen phone that still gets in. */
static void
revocation_lists_and_takes_offers_back(void **state)
{
	const struct db_certificate_filter any = { .authority = 0 }, revoked = { .authority = 1, .revoked = true },
					   named = { .name = MAC_1 },
					   named_revoked = { .name = MAC_1, .revoked = true },
					   other = { .authority = 2 },
					   other_revoked = { .authority = 2, .revoked = true };
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	int64_t one = phone_make(f, db, MAC_1), two = phone_make(f, db, MAC_2);
	struct db_certificate c;
	struct db_offer offers[2] = { { one, 1 }, { two, 1 } };
	serial_bytes serials[2];
	struct db_bundle b;
	struct db_phone p;
	struct db_crl crl;

	(void)generation_new(f, db, one, MAC_1, 1);
	(void)generation_new(f, db, two, MAC_2, 2);
	(void)generation_new(f, db, one, MAC_1, 3);
	assert_ok(db_generation_offer(db, offers, 2, &f->e), f->e);
	assert_certificates(f, db, &any, "vpn.example.com:0 " MAC_1 ":1 " MAC_2 ":2 " MAC_1 ":3 ");
	assert_certificates(f, db, &revoked, "");
	crl_of(&crl, 2);
	/* The superseded certificate of a phone does not take its newer... */
	serial_of(3, serials[0]);
	assert_ok(db_revoke(db, 1, serials, 1, WHEN, 4, &crl, &f->e), f->e);
	assert_ok(db_phone_get(db, MAC_1, &p, &f->e), f->e);
	assert_int_equal(p.offered, 1);
	assert_int_equal(p.newest, 2);
	assert_int_equal(p.revoked, WHEN);
	/* ... but the offered one is taken back, and the other phone's is not. */
	serial_of(1, serials[0]);
	crl.number = 3;
	assert_ok(db_revoke(db, 1, serials, 1, WHEN + 1, 1, &crl, &f->e), f->e);
	assert_ok(db_phone_get(db, MAC_1, &p, &f->e), f->e);
	assert_int_equal(p.offered, 0);
	assert_ok(db_phone_get(db, MAC_2, &p, &f->e), f->e);
	assert_int_equal(p.offered, 1);
	assert_fails(db_bundle_get(db, MAC_1, 0, NULL, &b, &f->e), f->e, ERR_NOT_FOUND, "no generation is offered");
	assert_ok(db_certificate_get(db, serials[0], &c, &f->e), f->e);
	assert_int_equal(c.revoked, WHEN + 1);
	assert_int_equal(c.reason, 1);
	assert_certificates(f, db, &revoked, MAC_1 ":1 " MAC_1 ":3 ");
	assert_certificates(f, db, &named, MAC_1 ":1 " MAC_1 ":3 ");
	assert_certificates(f, db, &named_revoked, MAC_1 ":1 " MAC_1 ":3 ");
	assert_certificates(f, db, &other, "");
	assert_certificates(f, db, &other_revoked, "");
	assert_sqlite(f, "SELECT crl_number FROM authorities", "3");
	assert_sqlite(f,
	    "SELECT detail FROM events WHERE action = 'certificate.revoke' AND subject = '" MAC_1 "' LIMIT 1",
	    "serial 5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a00000003, reason 4");
	buf_release(&crl.der);
	db_close(db);
	assert_sound(f);
}

/* A revocation that cannot be done whole changes nothing: certificate and CRL must not part. */
static void
failed_revocation_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	int64_t one = phone_make(f, db, MAC_1);
	struct db_offer offer = { one, 1 };
	serial_bytes serials[2];
	struct db_phone p;
	struct db_crl crl;

	(void)generation_new(f, db, one, MAC_1, 1);
	assert_ok(db_generation_offer(db, &offer, 1, &f->e), f->e);
	crl_of(&crl, 2);
	serial_of(1, serials[0]);
	serial_of(9, serials[1]);
	assert_fails(db_revoke(db, 1, serials, 2, WHEN, 0, &crl, &f->e), f->e, ERR_NOT_FOUND, "00000009");
	serial_of(1, serials[1]);
	assert_fails(db_revoke(db, 1, serials, 2, WHEN, 0, &crl, &f->e), f->e, ERR_CONFLICT,
	    "00000001: revoked already");
	assert_fails(db_revoke(db, 2, serials, 1, WHEN, 0, &crl, &f->e), f->e, ERR_CONFLICT, "another CA");
	assert_fails(db_revoke(db, 1, serials, 1, WHEN, 7, &crl, &f->e), f->e, ERR_INPUT, "CRLReason");
	assert_fails(db_revoke(db, 1, serials, 1, 0, 0, &crl, &f->e), f->e, ERR_INPUT, "expected a time");
	assert_fails(db_revoke(db, 1, serials, 1, WHEN, 0, NULL, &f->e), f->e, ERR_INPUT, "expected a new CRL");
	crl.number = 1;
	assert_fails(db_revoke(db, 1, serials, 1, WHEN, 0, &crl, &f->e), f->e, ERR_CONFLICT, "greater than 1, found 1");
	assert_ok(db_phone_get(db, MAC_1, &p, &f->e), f->e);
	assert_int_equal(p.offered, 1);
	assert_int_equal(p.revoked, 0);
	buf_release(&crl.der);
	db_close(db);
	assert_sqlite(f, "SELECT count(*) FROM certificates WHERE revoked IS NOT NULL", "0");
	assert_sqlite(f, "SELECT count(*) FROM events WHERE action = 'certificate.revoke'", "0");
}

/* A removed phone must not keep a certificate that opens the VPN, and its serials stay taken. */
static void
removed_phone_leaves_its_certificates_revoked(void **state)
{
	struct fixture *f = *state;
	struct db *db = writer_open(f);
	int64_t one = phone_make(f, db, MAC_1), two = phone_make(f, db, MAC_2), again;
	struct db_offer offer = { one, 2 };
	serial_bytes serials[3];
	struct db_phone p;
	struct db_crl crl;

	for (unsigned int n = 1; n <= 2; n++)
		(void)generation_new(f, db, one, MAC_1, n);
	(void)generation_new(f, db, two, MAC_2, 3);
	assert_ok(db_generation_offer(db, &offer, 1, &f->e), f->e);
	for (unsigned int n = 0; n < 3; n++)
		serial_of(n + 1, serials[n]);
	crl_of(&crl, 2);
	assert_fails(db_phone_remove(db, one, 1, serials, 1, WHEN, 5, &crl, &f->e), f->e, ERR_CONFLICT,
	    "phone " MAC_1 ": expected certificate 5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a00000002 to be revoked");
	assert_fails(db_phone_remove(db, one, 1, serials, 0, WHEN, 5, NULL, &f->e), f->e, ERR_CONFLICT,
	    "to be revoked");
	assert_fails(db_phone_remove(db, one, 1, serials, 3, WHEN, 5, &crl, &f->e), f->e, ERR_CONFLICT,
	    "00000003: it does not belong to the phone");
	assert_fails(db_phone_remove(db, 55, 1, serials, 0, WHEN, 5, NULL, &f->e), f->e, ERR_NOT_FOUND, "id 55");
	assert_ok(db_phone_get(db, MAC_1, &p, &f->e), f->e);
	assert_int_equal(p.offered, 2);
	assert_ok(db_phone_remove(db, one, 1, serials, 2, WHEN, 5, &crl, &f->e), f->e);
	assert_fails(db_phone_get(db, MAC_1, &p, &f->e), f->e, ERR_NOT_FOUND, MAC_1);
	assert_sqlite(f, "SELECT name, phone IS NULL, revoked, reason FROM certificates WHERE name = '" MAC_1 "'",
	    MAC_1 "|1|1700000000|5\n" MAC_1 "|1|1700000000|5");
	assert_sqlite(f, "SELECT phone FROM generations", "2");
	assert_sqlite(f, "SELECT subject, detail FROM events WHERE action = 'phone.remove'",
	    MAC_1 "|2 certificates revoked");
	/* The same phone comes back as another one. */
	again = phone_make(f, db, MAC_1);
	assert_int_not_equal(again, one);
	assert_fails(generation_make(db, again, MAC_1, 1, true, NULL, &f->e), f->e, ERR_CONFLICT,
	    "00000001: this serial is in the database already");
	assert_fails(generation_make(db, again, MAC_1, 1, false, NULL, &f->e), f->e, ERR_NOT_FOUND,
	    "this phone has no such certificate");
	assert_ok(generation_make(db, again, MAC_1, 4, true, NULL, &f->e), f->e);
	serial_of(4, serials[0]);
	crl.number = 3;
	assert_ok(db_phone_remove(db, again, 1, serials, 1, WHEN, 5, &crl, &f->e), f->e);
	/* One that was never minted needs no CRL. */
	again = phone_make(f, db, MAC_1);
	assert_ok(db_phone_remove(db, again, 1, NULL, 0, WHEN, 5, NULL, &f->e), f->e);
	buf_release(&crl.der);
	db_close(db);
	assert_sound(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_created, fixture_end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(authority_comes_back),
		TEST(crl_numbers_grow),
		TEST(large_crl),
		TEST(certificate_comes_back),
		TEST(serials_stay),
		TEST(revocation_lists_and_takes_offers_back),
		TEST(failed_revocation_changes_nothing),
		TEST(removed_phone_leaves_its_certificates_revoked),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
