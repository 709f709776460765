/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "phone/fleet_fault.h"
#include "phone/fleet_nonce.h"
#include "phone/fleet_result.h"
#include "phone/fleet_login.h"

#include <string.h>

static struct fleet_list
fleet_of(size_t count, size_t without_vpn)
{
	struct fleet_list l = FLEET_LIST_INIT;
	struct err e = ERR_INIT;

	for (size_t i = 0; i < count; i++) {
		struct fleet_phone p = { .mac = "000fd3000001", .model = model_find("D65"), .vpn = i >= without_vpn };

		assert_ok(fleet_list_add(&l, &p, "", "", &e), e);
	}
	return l;
}

static size_t
count_of(const struct fleet_list *l, enum fleet_fault fault)
{
	size_t n = 0;

	for (size_t i = 0; i < l->count; i++)
		n += l->phones[i].fault == fault;
	return n;
}

static void
mix_is_read(void **state)
{
	struct fault_mix mix;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(fault_mix_parse("cut=5%,stale-nonce=10,wrong-clock=0.5%,slow=0.25%,corrupt=100%", &mix, &e), e);
	assert_int_equal(mix.share[FAULT_CUT].hundredths, 500);
	assert_int_equal(mix.share[FAULT_STALE_NONCE].count, 10);
	assert_int_equal(mix.share[FAULT_WRONG_CLOCK].hundredths, 50);
	assert_int_equal(mix.share[FAULT_SLOW].hundredths, 25);
	assert_int_equal(mix.share[FAULT_CORRUPT].hundredths, 10000);
	assert_int_equal(mix.share[FAULT_FACTORY_RESET].count, 0);
}

static void
bad_mixes_are_named(void **state)
{
	static const struct {
		const char *text, *part;
	} cases[] = {
		{ "", "found \"\"" },
		{ "cut", "cut=COUNT" },
		{ "cut=", "cut" },
		{ "cut=5,", "found \"\"" },
		{ "cut=-1", "cut" },
		{ "cut=5 %", "cut" },
		{ "cut=101%", "cut" },
		{ "cut=100.5%", "at most 100%" },
		{ "cut=1.125%", "two digits" },
		{ "cut=.5%", "cut" },
		{ "cut=1.%", "cut" },
		{ "cut=%", "cut" },
		{ "cut=1,cut=2", "twice" },
		{ "none=1", "found \"none=1\"" },
		{ "cutt=1", "found \"cutt=1\"" },
		{ "cut=99999999999999999999", "cut" },
		{ "cut=0000000000000000000000000000000000000000000000000000000000000001", "an item of 68 bytes" },
	};
	struct fault_mix mix;
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_fails(fault_mix_parse(cases[i].text, &mix, &e), e, ERR_USAGE, cases[i].part);
}

/* Every fault gets its share, evenly over the list, of the phones that have a VPN, and the same again. */
static void
faults_are_spread(void **state)
{
	struct fleet_list l = fleet_of(1000, 100), again = fleet_of(1000, 100), other = fleet_of(1000, 100);
	struct fault_mix mix;
	struct err e = ERR_INIT;
	size_t low = 0, differ = 0;

	(void)state;
	assert_ok(fault_mix_parse("cut=5%,wrong-password=1,slow=4.94%,corrupt=0.01%", &mix, &e), e);
	assert_ok(fault_mix_spread(&mix, 7, &l, &e), e);
	assert_ok(fault_mix_spread(&mix, 7, &again, &e), e);
	assert_ok(fault_mix_spread(&mix, 8, &other, &e), e);
	assert_int_equal(count_of(&l, FAULT_NO_VPN), 100);
	assert_int_equal(count_of(&l, FAULT_CUT), 50);
	assert_int_equal(count_of(&l, FAULT_WRONG_PASSWORD), 1);
	assert_int_equal(count_of(&l, FAULT_SLOW), 49);
	assert_int_equal(count_of(&l, FAULT_CORRUPT), 1); /* 0.1 of a phone is one */
	assert_int_equal(count_of(&l, FAULT_NONE), 799);
	for (size_t i = 0; i < l.count; i++) {
		assert_int_equal(l.phones[i].fault, again.phones[i].fault);
		differ += l.phones[i].fault != other.phones[i].fault;
		low += i < 550 && l.phones[i].fault > FAULT_NO_VPN;
	}
	assert_true(differ > 0);
	/* 101 faults over 900 phones, of which 450 are in front: 50.5. */
	assert_in_range(low, 50, 51);
	fleet_list_release(&l);
	fleet_list_release(&again);
	fleet_list_release(&other);
}

static void
mix_must_fit(void **state)
{
	struct fleet_list l = fleet_of(10, 2);
	struct fault_mix mix;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(fault_mix_parse("cut=80%", &mix, &e), e);
	assert_ok(fault_mix_spread(&mix, 0, &l, &e), e);
	assert_int_equal(count_of(&l, FAULT_CUT), 8);
	assert_ok(fault_mix_parse("cut=80%,slow=1", &mix, &e), e);
	assert_fails(fault_mix_spread(&mix, 0, &l, &e), e, ERR_USAGE, "the 8 phones that have a VPN, found a mix of 9");
	fleet_list_release(&l);
}

/* Nearest rank, by hand: of 1..200 ms, the 100th, 180th, 198th and 200th. */
static void
percentiles(void **state)
{
	struct fleet_phone p = { .mac = "000fd3000001", .expected = true };
	struct fleet_result r;
	struct err e = ERR_INIT;

	(void)state;
	assert_ok(fleet_result_start(&r, 201, &e), e);
	for (int i = 200; i > 0; i--)
		fleet_result_add(&r, &p, i * 1000, "");
	p.expected = false;
	p.verdict = VERDICT_XML_BAD;
	fleet_result_add(&r, &p, -1, "why");
	fleet_result_finish(&r);
	assert_int_equal(r.done, 201);
	assert_int_equal(r.provisioned, 200);
	assert_int_equal(r.unexpected, 1);
	assert_string_equal(r.failures[0].reason, "why");
	assert_int_equal(fleet_percentile(&r, 50), 100000);
	assert_int_equal(fleet_percentile(&r, 90), 180000);
	assert_int_equal(fleet_percentile(&r, 99), 198000);
	assert_int_equal(fleet_percentile(&r, 100), 200000);
	fleet_result_release(&r);

	/* One phone is every percentile; none is 0. */
	assert_ok(fleet_result_start(&r, 1, &e), e);
	assert_int_equal(fleet_percentile(&r, 99), 0);
	fleet_result_add(&r, &p, 5, "");
	assert_int_equal(fleet_percentile(&r, 50), 5);
	assert_int_equal(fleet_percentile(&r, 99), 5);
	fleet_result_release(&r);
}

static void
assert_answer(const char *header, const char *user, const char *password, const char *uri, const char *cnonce,
    const char *response)
{
	struct buf out = BUF_INIT(4096);
	struct challenge c;
	struct err e = ERR_INIT;

	assert_true(challenge_parse(header, &c));
	assert_ok(challenge_answer(&c, user, password, "GET", uri, cnonce, &out, &e), e);
	if (strstr(buf_string(&out), response) == NULL)
		fail_msg("expected %s in %s", response, buf_string(&out));
	buf_release(&out);
}

/* The examples of RFC 2617 section 3.5 and RFC 7616 section 3.9.1. */
static void
digest_vectors(void **state)
{
	(void)state;
	assert_answer("Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", "
		      "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"",
	    "Mufasa", "Circle Of Life", "/dir/index.html", "0a4f113b",
	    "response=\"6629fae49393a05397450978507c4ef1\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"");
	assert_answer("Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=SHA-256, "
		      "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "
		      "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"",
	    "Mufasa", "Circle of Life", "/dir/index.html", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
	    "response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\"");
	assert_answer("digest  realm=\"http-auth@example.org\",qop=\"auth, auth-int\",algorithm=MD5,"
		      "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\"",
	    "Mufasa", "Circle of Life", "/dir/index.html", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
	    "response=\"8ca523f5e9506fed4657c9700eebdbec\"");
}

/* RFC 2069's form, against another implementation: md5sum in a shell. */
static void
digest_without_qop(void **state)
{
	struct buf line = BUF_INIT(256), expected = BUF_INIT(256);

	(void)state;
	support_shell(&line, NULL,
	    "{ a1=$(printf 'u:r \"q\":p' | md5sum | cut -c1-32); a2=$(printf 'GET:/x?y' | md5sum | cut -c1-32); "
	    "printf \"$a1:n:$a2\" | md5sum | cut -c1-32 | tr -d '\\n'; }");
	buf_addf(&expected, "realm=\"r \\\"q\\\"\", nonce=\"n\", uri=\"/x?y\", response=\"%s\"", buf_string(&line));
	assert_answer("Digest realm=\"r \\\"q\\\"\", nonce=\"n\"", "u", "p", "/x?y", "ignored", buf_string(&expected));
	buf_release(&line);
	buf_release(&expected);
}

static void
challenges_that_are_none(void **state)
{
	static const char *const cases[] = { "", "Basic realm=\"x\"", "Digest", "Digest realm=\"x\"",
		"Digest nonce=\"x\", algorithm=MD4", "Digest =,nonce=x", "Digest nonce=\"\"" };
	struct challenge c = { .auth = true };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_false(challenge_parse(cases[i], &c));
	assert_true(c.auth);
	/* A nonce without its end is read to where the header ends. */
	assert_true(challenge_parse("Digest nonce=\"abc", &c));
	assert_string_equal(c.nonce, "abc");
	challenge_age(&c);
	assert_string_equal(c.nonce, "0bc");
	challenge_age(&c);
	assert_string_equal(c.nonce, "1bc");
}

static void
assert_spoilt(const char *url, const char *expected)
{
	struct buf out = BUF_INIT(256);

	assert_int_equal(fleet_login_spoil(url, &out), expected == NULL ? -1 : 0);
	if (expected != NULL)
		assert_string_equal(buf_string(&out), expected);
	buf_release(&out);
}

static void
logins(void **state)
{
	struct buf out = BUF_INIT(256);

	(void)state;
	assert_true(fleet_login_is_in("http://u:p@h/"));
	assert_false(fleet_login_is_in("http://h/u:p@h"));
	assert_false(fleet_login_is_in("http://h?u@h"));
	assert_int_equal(fleet_login_put("http://u@h/", "a:b", &out), -1);
	assert_int_equal(fleet_login_put("http://h/x@y", "a:b", &out), 0);
	assert_string_equal(buf_string(&out), "http://a:b@h/x@y");
	buf_release(&out);
	assert_spoilt("http://u:p@h/x@y", "http://u:pwrong@h/x@y");
	assert_spoilt("http://u@h:1/", "http://u:wrong@h:1/");
	assert_spoilt("http://h/", NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mix_is_read),
		cmocka_unit_test(bad_mixes_are_named),
		cmocka_unit_test(faults_are_spread),
		cmocka_unit_test(mix_must_fit),
		cmocka_unit_test(percentiles),
		cmocka_unit_test(digest_vectors),
		cmocka_unit_test(digest_without_qop),
		cmocka_unit_test(challenges_that_are_none),
		cmocka_unit_test(logins),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
