/* SPDX-License-Identifier: ISC */
#include "tests/unit/db_support.h"

#define MAC "000fd3006501"
#define OTHER "000fd3006502"
#define NAME_OTHER "reception"

/* What a CA has done before: one phone with all it has, one without its key, one that is revoked, and a stranger. */
struct past {
	struct db_phone_new phones[2];
	struct db_certificate_imported certificates[4];
	struct db_generation_new generations[1];
	struct buf cert, key;
	struct db_import import;
	unsigned int verified;
	bool refuse;
};

static int
verify(struct db *db, void *arg, struct err *e)
{
	struct past *p = arg;
	struct db_bundle b;

	p->verified++;
	if (db_bundle_get(db, MAC, 0, NULL, &b, e) != 0)
		return -1;
	assert_string_equal(buf_string(&b.cert), "phone certificate 1");
	assert_string_equal(buf_string(&b.key), CLEAR_PHONE_KEY " 1");
	db_bundle_release(&b);
	return p->refuse ? err_set(e, ERR_INTEGRITY, "refused by the test") : 0;
}

static void
phone_fill(struct db_phone_new *n, const char *mac)
{
	*n = (struct db_phone_new){ .http_password = CLEAR_PASSWORD };
	(void)snprintf(n->phone.mac, sizeof(n->phone.mac), "%s", mac);
	(void)snprintf(n->phone.model, sizeof(n->phone.model), "D65");
	(void)snprintf(n->phone.http_user, sizeof(n->phone.http_user), "%s", mac);
}

static void
certificate_fill(struct db_certificate_imported *c, unsigned int n, const char *name, const char *phone)
{
	*c = (struct db_certificate_imported){
		.name = name, .phone = phone, .certificate = { .not_after = NOT_AFTER }
	};
	/* A short serial. */
	c->certificate.serial[DB_SERIAL_SIZE - 1] = (unsigned char)n;
}

static void
past_begin(struct past *p)
{
	*p = (struct past){ .verified = 0 };
	phone_fill(&p->phones[0], MAC);
	phone_fill(&p->phones[1], OTHER);
	bytes_of(&p->cert, "phone certificate", 1);
	bytes_of(&p->key, CLEAR_PHONE_KEY, 1);
	certificate_fill(&p->certificates[0], 1, "desk", MAC);
	p->certificates[0].declared = true;
	p->certificates[0].certificate.cert = &p->cert;
	p->certificates[0].certificate.key = &p->key;
	certificate_fill(&p->certificates[1], 2, OTHER, OTHER);
	certificate_fill(&p->certificates[2], 3, OTHER, OTHER);
	p->certificates[2].revoked = 1700000000;
	p->certificates[2].reason = 4;
	certificate_fill(&p->certificates[3], 4, NAME_OTHER, NULL);
	(void)snprintf(p->generations[0].mac, sizeof(p->generations[0].mac), MAC);
	p->generations[0].serial[DB_SERIAL_SIZE - 1] = 1;
	(void)snprintf(p->generations[0].profile, sizeof(p->generations[0].profile), PROFILE);
	md5_of(1, p->generations[0].md5);
	p->generations[0].size = 6000;
	p->import = (struct db_import){
		.phones = p->phones,
		.phone_count = 2,
		.certificates = p->certificates,
		.certificate_count = 4,
		.profile_hash = PROFILE,
		.profile = "profile",
		.profile_len = 7,
		.generations = p->generations,
		.generation_count = 1,
		.verify = verify,
		.arg = p,
	};
}

static void
past_end(struct past *p)
{
	buf_release(&p->cert);
	buf_release(&p->key);
}

static int
create(struct fixture *f, const struct db_import *import)
{
	struct buf der = BUF_INIT(64);
	struct db_crl crl = { .number = 7, .this_update = 1000, .next_update = 2000, .der = BUF_INIT(64) };
	struct db_certificate_new server = { .cert = &der, .key = &der, .not_after = NOT_AFTER };
	const struct db_init init = {
		.authority_name = "Easy-RSA CA",
		.authority_cert = &der,
		.authority_key = &der,
		.crl = &crl,
		.server_name = "vpn",
		.server = &server,
		.import = import,
	};
	int rc;

	buf_add_string(&der, "der");
	buf_add_string(&crl.der, "CRL");
	serial_of(0, server.serial);
	rc = db_create(&f->where, &init, &f->e);
	buf_release(&der);
	buf_release(&crl.der);
	return rc;
}

/* The phone is offered what it has, in the eyes of the sqlite3 program, and nothing of another's. */
static void
past_is_stored_whole(void **state)
{
	struct fixture *f = *state;
	unsigned char serial[DB_SERIAL_SIZE] = { [DB_SERIAL_SIZE - 1] = 2 };
	struct buf out = BUF_INIT(64);
	struct db_certificate c;
	struct past p;
	struct db *db;

	past_begin(&p);
	assert_ok(create(f, &p.import), f->e);
	assert_int_equal(p.verified, 1);
	assert_sqlite(f, "SELECT group_concat(mac || ':' || coalesce(offered, 0)) FROM phones", MAC ":1," OTHER ":0");
	assert_sqlite(f,
	    "SELECT group_concat(name || ':' || kind || ':' || coalesce(revoked, 0), ' ') FROM certificates",
	    "desk:phone:0 " OTHER ":phone:0 " OTHER ":phone:1700000000 " NAME_OTHER ":phone:0 vpn:server:0");
	assert_sqlite(f, "SELECT hex(serial) FROM certificates WHERE id = 1",
	    "0000000000000000000000000000000000000001");
	assert_sqlite(f, "SELECT detail FROM events WHERE action = 'certificate.import' ORDER BY id LIMIT 1",
	    "serial 01");
	assert_sound(f);
	db = reader_open(f);
	assert_ok(db_certificate_server(db, &c, &f->e), f->e);
	assert_string_equal(c.name, "vpn");
	assert_fails(db_certificate_der(db, serial, NULL, &out, &f->e), f->e, ERR_NOT_FOUND,
	    "certificate 02: its CA was imported without this certificate's key");
	assert_fails(db_certificate_der(db, serial, &out, NULL, &f->e), f->e, ERR_NOT_FOUND,
	    "certificate 02: its CA was imported without this certificate");
	assert_int_equal(out.len, 0);
	db_close(db);
	past_end(&p);
}

/* A bundle that does not come out right must not leave half a state. */
static void
failed_verify_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	struct past p;

	past_begin(&p);
	p.refuse = true;
	assert_fails(create(f, &p.import), f->e, ERR_INTEGRITY, "refused by the test");
	assert_int_equal(p.verified, 1);
	assert_int_equal(access(f->dir, F_OK), -1);
	p.refuse = false;
	assert_ok(create(f, &p.import), f->e);
	past_end(&p);
}

/* Whoever edits the database cannot declare a certificate another phone's. */
static void
owner_is_sealed(void **state)
{
	struct fixture *f = *state;
	unsigned char serial[DB_SERIAL_SIZE] = { [DB_SERIAL_SIZE - 1] = 1 };
	char mac[DB_MAC_SIZE], answer[64];
	struct past p;
	struct db *db;

	past_begin(&p);
	assert_ok(create(f, &p.import), f->e);
	db = reader_open(f);
	assert_ok(db_certificate_owner(db, serial, mac, &f->e), f->e);
	assert_string_equal(mac, MAC);
	serial[DB_SERIAL_SIZE - 1] = 2;
	assert_fails(db_certificate_owner(db, serial, mac, &f->e), f->e, ERR_NOT_FOUND, "missing");
	ask_sqlite(f, answer, sizeof(answer),
	    "INSERT INTO settings SELECT substr(name, 1, length(name) - 1) || '2', value FROM settings "
	    "WHERE name GLOB '.owner.*'");
	assert_fails(db_certificate_owner(db, serial, mac, &f->e), f->e, ERR_INTEGRITY, "");
	db_close(db);
	past_end(&p);
}

/* import ovpn brings the key of a certificate that was known by its serial alone; others' stay untouched. */
static void
known_certificates_are_completed(void **state)
{
	struct fixture *f = *state;
	struct db_certificate_imported *c;
	struct past p;
	struct db *db;

	past_begin(&p);
	assert_ok(create(f, &p.import), f->e);
	db = writer_open(f);
	/* The one of OTHER that had no key. */
	c = &p.certificates[1];
	c->certificate.cert = &p.cert;
	c->certificate.key = &p.key;
	c->authority = 1;
	p.import.phone_count = 0;
	p.import.certificates = c;
	p.import.certificate_count = 1;
	(void)snprintf(p.generations[0].mac, sizeof(p.generations[0].mac), OTHER);
	p.generations[0].serial[DB_SERIAL_SIZE - 1] = 2;
	assert_ok(db_import(db, &p.import, &f->e), f->e);
	assert_int_equal(p.generations[0].ret_number, 1);
	assert_sqlite(f, "SELECT count(*) FROM certificates", "5");
	assert_sqlite(f, "SELECT offered FROM phones WHERE mac = '" OTHER "'", "1");

	c->authority = 2;
	assert_fails(db_import(db, &p.import, &f->e), f->e, ERR_CONFLICT, "of another CA");
	c->authority = 1;
	c->phone = MAC;
	assert_fails(db_import(db, &p.import, &f->e), f->e, ERR_CONFLICT,
	    "certificate 02: this serial is in the database");
	c->phone = OTHER;
	c->certificate.serial[DB_SERIAL_SIZE - 1] = 3;
	assert_fails(db_import(db, &p.import, &f->e), f->e, ERR_CONFLICT, "certificate 03: revoked");
	c->certificate.serial[DB_SERIAL_SIZE - 1] = 2;
	p.refuse = true;
	assert_fails(db_import(db, &p.import, &f->e), f->e, ERR_INTEGRITY, "refused by the test");
	assert_sqlite(f, "SELECT count(*) FROM generations", "2");
	db_close(db);
	assert_sound(f);
	past_end(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(past_is_stored_whole, fixture_empty, fixture_end),
		cmocka_unit_test_setup_teardown(failed_verify_leaves_nothing, fixture_empty, fixture_end),
		cmocka_unit_test_setup_teardown(owner_is_sealed, fixture_empty, fixture_end),
		cmocka_unit_test_setup_teardown(known_certificates_are_completed, fixture_empty, fixture_end),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
