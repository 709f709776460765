/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "provisioner/throttle.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define START UINT64_C(1000000)
#define MINUTE 60000

static struct throttle *
throttle(void)
{
	struct err e = ERR_INIT;
	struct throttle *t = throttle_new(&e);

	if (t == NULL)
		print_error("%s\n", e.text);
	assert_non_null(t);
	return t;
}

struct client {
	unsigned char bytes[16];
	size_t len;
};

static struct client
client(const char *address)
{
	struct client c = { .len = 4 };

	if (inet_pton(AF_INET, address, c.bytes) == 1)
		return c;
	c.len = 16;
	assert_int_equal(inet_pton(AF_INET6, address, c.bytes), 1);
	return c;
}

/* A login with or without the right password. False when it is turned away; *now moves on by what it waits. */
static bool
login(struct throttle *t, const struct client *c, const char *user, bool wrong, uint64_t *now)
{
	struct throttle_login l = { .address = c->bytes, .address_len = c->len, .user = user };
	unsigned int wait = 0;

	if (throttle_enter(t, &l, *now, &wait) == THROTTLE_FULL)
		return false;
	*now += wait;
	throttle_leave(t, &l, *now, wrong);
	return true;
}

/* How long a right login would wait; -1 when it would be turned away. */
static int
wait_of(struct throttle *t, const char *address, const char *user, uint64_t now)
{
	struct client c = client(address);
	struct throttle_login l = { .address = c.bytes, .address_len = c.len, .user = user };
	unsigned int wait = 0;
	enum throttle_turn turn = throttle_enter(t, &l, now, &wait);

	if (turn != THROTTLE_FULL)
		throttle_leave(t, &l, now, false);
	return turn == THROTTLE_FULL ? -1 : (int)wait;
}

static void
guess(struct throttle *t, const char *address, const char *user, int count, uint64_t now)
{
	struct client c = client(address);

	for (int i = 0; i < count; i++) {
		uint64_t when = now;

		assert_true(login(t, &c, user, true, &when));
	}
}

/* How many guesses one after the other are looked at within a minute. */
static int
guesses_a_minute(struct throttle *t, const char *address, const char *user, uint64_t now)
{
	struct client c = client(address);
	uint64_t end = now + MINUTE;
	int n = 0;

	while (now < end && login(t, &c, user, true, &now))
		n++;
	return n;
}

/* A stranger who guesses a phone's password would keep that phone from its files. */
static void
test_elsewhere(void **state)
{
	struct throttle *t = throttle();

	(void)state;
	guess(t, "192.0.2.1", "phone", 200, START);
	while (wait_of(t, "192.0.2.1", "phone", START) > 0)
		guess(t, "192.0.2.1", "phone", 1, START);
	assert_int_equal(wait_of(t, "192.0.2.1", "phone", START), -1);
	assert_int_equal(wait_of(t, "192.0.2.2", "phone", START), 0);
	assert_int_equal(wait_of(t, "2001:db8::1", "phone", START), 0);
	/* His neighbours are not guessed at. */
	assert_int_equal(wait_of(t, "192.0.2.1", "other", START), 0);
	throttle_free(t);
}

/* A phone behind the guesser's own NAT would be turned down, and not only be late. */
static void
test_same_address(void **state)
{
	struct throttle *t = throttle();

	(void)state;
	guess(t, "192.0.2.1", "phone", 100, START);
	assert_in_range(wait_of(t, "192.0.2.1", "phone", START), 1, THROTTLE_WAIT_SECONDS * 1000);
	/* A right one gives back what it paid, so a fleet behind it does not use the turns up. */
	for (int i = 0; i < 1000; i++)
		assert_in_range(wait_of(t, "192.0.2.1", "phone", START), 1, THROTTLE_WAIT_SECONDS * 1000);
	/* It ends soon after the flood has. */
	assert_int_equal(wait_of(t, "192.0.2.1", "phone", START + THROTTLE_WAIT_SECONDS * 1000), 0);
	throttle_free(t);
}

/* A guesser would have as many as the network carries: at most 60 at once, 20 a second, and the last one early. */
static void
test_rate(void **state)
{
	struct throttle *t = throttle();

	(void)state;
	assert_in_range(guesses_a_minute(t, "192.0.2.1", "phone", START), 100, 1261);
	assert_in_range(guesses_a_minute(t, "192.0.2.1", "phone", START + MINUTE), 100, 1201);
	/* In one /64 there is no other address. */
	assert_in_range(guesses_a_minute(t, "2001:db8::1", "other", START), 100, 1261);
	assert_in_range(guesses_a_minute(t, "2001:db8::2:0:0:1", "other", START + MINUTE), 100, 1201);
	assert_in_range(guesses_a_minute(t, "2001:db8:0:1::1", "third", START + MINUTE), 100, 1261);
	throttle_free(t);
}

/* Many addresses that guess at one phone, or one that guesses at many, would each have the whole of both budgets. */
static void
test_dear(void **state)
{
	struct throttle *t = throttle();
	char address[32], user[32];
	int n;

	(void)state;
	guess(t, "192.0.2.1", "phone", 100, START);
	for (int i = 0; i < 20; i++) {
		(void)snprintf(address, sizeof(address), "198.51.100.%d", i);
		for (n = 0; wait_of(t, address, "phone", START) == 0; n++)
			guess(t, address, "phone", 1, START);
		assert_int_equal(n, 2);
	}
	for (int i = 0; i < 20; i++) {
		(void)snprintf(user, sizeof(user), "user%d", i);
		for (n = 0; wait_of(t, "192.0.2.1", user, START) == 0; n++)
			guess(t, "192.0.2.1", user, 1, START);
		assert_int_equal(n, 2);
	}
	throttle_free(t);
}

/* A thousand addresses would have a thousand times as many guesses at a phone: they have 20 a minute each, by hand. */
static void
test_further_address(void **state)
{
	struct throttle *t = throttle();
	int n = 0;

	(void)state;
	guess(t, "192.0.2.1", "phone", 100, START);
	for (uint64_t now = START; now < START + MINUTE; now += 50) {
		if (wait_of(t, "192.0.2.1", "phone", now) >= 0)
			guess(t, "192.0.2.1", "phone", 1, now);
		if (wait_of(t, "198.51.100.1", "phone", now) == 0) {
			guess(t, "198.51.100.1", "phone", 1, now);
			n++;
		}
	}
	assert_in_range(n, 19, 22);
	throttle_free(t);
}

/* A few phones with a wrong password, or one that somebody mistyped, would make a whole office wait. */
static void
test_office(void **state)
{
	struct throttle *t = throttle();
	char user[32];
	uint64_t now = START;

	(void)state;
	for (int boot = 0; boot < 50; boot++, now += 10000) {
		for (int i = 0; i < 200; i++) {
			(void)snprintf(user, sizeof(user), "phone%d", i);
			assert_int_equal(wait_of(t, "192.0.2.1", user, now), 0);
			if (i < 10)
				guess(t, "192.0.2.1", user, 2, now);
		}
	}
	throttle_free(t);
}

/* Addresses without end would make the server forget who guesses. */
static void
test_flood_of_addresses(void **state)
{
	struct throttle *t = throttle();
	char address[64], user[32];
	int waits = 0;

	(void)state;
	for (int i = 0; i < 20; i++) {
		(void)snprintf(address, sizeof(address), "192.0.2.%d", i);
		(void)snprintf(user, sizeof(user), "phone%d", i);
		guess(t, address, user, 120, START);
	}
	for (unsigned int i = 0; i < 20000; i++) {
		(void)snprintf(address, sizeof(address), "2001:db8:%x:%x::1", i >> 16, i & 0xffff);
		(void)snprintf(user, sizeof(user), "none%u", i);
		guess(t, address, user, 1, START);
	}
	for (int i = 0; i < 20; i++) {
		(void)snprintf(address, sizeof(address), "192.0.2.%d", i);
		(void)snprintf(user, sizeof(user), "phone%d", i);
		waits += wait_of(t, address, user, START) > 0;
	}
	assert_int_equal(waits, 20);
	throttle_free(t);
}

static void *
many_guesses(void *arg)
{
	struct client c = client("192.0.2.1");

	for (int i = 0; i < 45; i++) {
		uint64_t when = START;

		(void)login(arg, &c, "phone", true, &when);
	}
	return NULL;
}

/* Threads that count at once would lose what the others have counted. */
static void
test_threads(void **state)
{
	struct throttle *t = throttle();
	pthread_t threads[4];
	int wait;

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, many_guesses, t), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	/*
	 * By hand: 21 of the 180 empty the user's bucket, one more at 60 that of the address, which then owes 81; each of
	 * the other 158 owes one more, and 60 are free. That is 8.95 s. Threads that empty a bucket at the same moment owe
	 * more, and then some are turned away.
	 */
	wait = wait_of(t, "192.0.2.1", "phone", START);
	assert_true(wait == -1 || wait >= 8500);
	throttle_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_elsewhere),
		cmocka_unit_test(test_same_address),
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_dear),
		cmocka_unit_test(test_further_address),
		cmocka_unit_test(test_office),
		cmocka_unit_test(test_flood_of_addresses),
		cmocka_unit_test(test_threads),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
