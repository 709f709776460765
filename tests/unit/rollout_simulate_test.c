/* SPDX-License-Identifier: ISC */
#include "tests/unit/support.h"

#include "rollout/event_queue.h"
#include "rollout/random.h"
#include "rollout/simulate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define START 1768390800 /* a whole minute */

/* What Vigna's splitmix64.c gives from the state 1234567; published with Rosetta Code's "Pseudo-random numbers/Splitmix64". */
static void
generator_gives_the_published_numbers(void **state)
{
	static const uint64_t published[] = { 6457827717110365317u, 3203168211198807973u, 9817491932198370423u,
		4593380528125082431u, 16408922859458223821u };
	uint64_t s = 1234567;

	(void)state;
	for (size_t i = 0; i < sizeof(published) / sizeof(published[0]); i++)
		assert_true(random_next(&s) == published[i]);
}

/* Six standard deviations of what chance gives; the seed is fixed, so that it passes for ever, or never. */
static void
chance_is_as_large_as_it_says(void **state)
{
	const int count = 100000;
	uint64_t s = 42;
	double sum = 0;
	int hits = 0, over = 0;

	(void)state;
	for (int i = 0; i < count; i++) {
		uint64_t wait = random_wait(&s, 1000);

		hits += random_share(&s, 20000);
		sum += (double)wait;
		over += wait > 1000;
		assert_true(random_below(&s, 7) < 7);
	}
	assert_true(fabs(hits - 0.02 * count) < 6 * sqrt(0.02 * 0.98 * count));
	assert_true(fabs(sum / count - 1000.5) < 6 * 1000 / sqrt(count));
	/* e^-1 of them last longer than the mean. */
	assert_true(fabs(over - 0.367879 * count) < 6 * sqrt(0.3679 * 0.6321 * count));
	assert_false(random_share(&s, 0));
	assert_true(random_share(&s, RANDOM_ALL));
}

static void
queue_gives_the_earliest_first(void **state)
{
	struct event room[1000];
	struct event_queue q = { .events = room };
	uint64_t s = 7;
	time_t last = -1;
	uint32_t phone = 0;

	(void)state;
	assert_null(event_queue_next(&q));
	for (uint32_t i = 0; i < 1000; i++)
		event_queue_put(&q, (struct event){ .at = (time_t)random_below(&s, 50), .phone = i });
	for (int i = 0; i < 1000; i++) {
		struct event event;

		assert_non_null(event_queue_next(&q));
		event = event_queue_take(&q);
		assert_true(event.at > last || (event.at == last && event.phone > phone));
		last = event.at;
		phone = event.phone;
	}
	assert_null(event_queue_next(&q));
}

/* ---- whole rollouts ---- */

/* Phones in which nothing is left to chance: told at once, back after a second, settled after 300. */
static struct simulate_model
exact(void)
{
	struct simulate_model m;

	simulate_default(&m);
	m.off = 0;
	m.notify = true;
	m.restarts_in = m.connects_in = 0;
	m.settles_in = 300;
	return m;
}

static struct simulate_result *
played(const struct plan *p, size_t count, const struct simulate_model *m, uint64_t seed)
{
	const struct db_rollout r = { .state = DB_ROLLOUT_DRAFT };
	struct simulate_member *members = calloc(count, sizeof(*members));
	struct simulate_result *result = calloc(1, sizeof(*result));
	size_t sizes[DB_WAVES_MAX], waves = plan_waves(p, count, 0, sizes), at = 0;
	struct err e = ERR_INIT;

	assert_non_null(members);
	assert_non_null(result);
	for (size_t wave = 0; wave < waves; wave++) {
		for (size_t i = 0; i < sizes[wave]; i++)
			members[at++] = (struct simulate_member){ .wave = (unsigned char)(wave + 1),
				.state = DB_MEMBER_WAITING };
	}
	assert_ok(simulate(p, &r, members, count, m, seed, START, result, &e), e);
	free(members);
	return result;
}

/*
 * 5, 10 % of 200 and the rest, 100 a minute, an hour between. By hand: a phone offered at a minute asks at once, fetches
 * and connects a second later, settles 300 seconds after that, which the engine sees at the minute after: 6 minutes. So
 * wave 1 begins at 0 and succeeds at 6; wave 2 at 66 and 72; wave 3 at 132. Its 175 phones are offered at 132 and 133; 95 %
 * are 167, which the second lot brings at 139, and the rest with them.
 */
static void
exact_phones_take_the_time_that_a_hand_reckons(void **state)
{
	const struct simulate_model m = exact();
	struct simulate_result *r;
	struct plan p;

	(void)state;
	plan_default(&p);
	r = played(&p, 200, &m, 1);
	assert_int_equal(r->end, SIMULATE_DONE);
	assert_int_equal(r->tally.waves, 3);
	assert_int_equal(r->waves[1].began, 0);
	assert_int_equal(r->waves[1].succeeded, 6 * 60);
	assert_int_equal(r->waves[2].began, 66 * 60);
	assert_int_equal(r->waves[2].succeeded, 72 * 60);
	assert_int_equal(r->waves[3].began, 132 * 60);
	assert_int_equal(r->waves[3].offered, 133 * 60);
	assert_int_equal(r->waves[3].succeeded, 139 * 60);
	assert_int_equal(r->took, 139 * 60);
	assert_int_equal(r->tally.phones[0][DB_MEMBER_SETTLED], 200);
	assert_int_equal(r->offers.total, 200);
	assert_int_equal(r->offers.most, 100);
	assert_int_equal(r->requests.total, 400);
	assert_int_equal(r->requests.most, 100);
	assert_int_equal(r->sessions.total, 200);
	free(r);
}

struct fault {
	size_t share; /* offset into the model */
	enum member_why why;
	time_t paused; /* minutes */
};

/* All phones alike are faulty: the first wave stops it, with that reason, and no phone of another one is touched. */
static void
every_fault_is_told_by_its_reason(void **state)
{
	static const struct fault faults[] = {
		{ offsetof(struct simulate_model, never_asks), MEMBER_NOT_ASKED, 600 },
		{ offsetof(struct simulate_model, never_fetches), MEMBER_NOT_FETCHED, 600 },
		{ offsetof(struct simulate_model, discards), MEMBER_NOT_CONNECTED, 600 },
		{ offsetof(struct simulate_model, flaps), MEMBER_NOT_SETTLED, 600 },
		{ offsetof(struct simulate_model, falls_back), MEMBER_FELL_BACK, 0 },
	};
	struct plan p;

	(void)state;
	plan_default(&p);
	p.deadline = 600 * 60;
	p.errors.number = 0;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct simulate_model m = exact();
		struct simulate_result *r;

		*(unsigned long *)(void *)((char *)&m + faults[i].share) = RANDOM_ALL;
		r = played(&p, 100, &m, 1);
		assert_int_equal(r->end, SIMULATE_PAUSED);
		assert_int_equal(r->wave, 1);
		if (faults[i].paused != 0)
			assert_int_equal(r->took, faults[i].paused * 60);
		assert_true(r->took <= 600 * 60);
		assert_true(r->failed[faults[i].why] > 0);
		assert_int_equal(r->failed[faults[i].why], r->tally.phones[0][DB_MEMBER_FAILED]);
		assert_int_equal(r->tally.phones[0][DB_MEMBER_WAITING], 95);
		free(r);
	}
}

/* Without a deadline, and with phones that never come, it says that it stands instead of running for ever. */
static void
rollout_that_never_ends_is_given_up(void **state)
{
	struct simulate_model m = exact();
	struct simulate_result *r;
	struct plan p;

	(void)state;
	plan_default(&p);
	p.deadline = 0;
	m.never_asks = RANDOM_ALL;
	r = played(&p, 10, &m, 1);
	assert_int_equal(r->end, SIMULATE_STANDS);
	assert_string_equal(r->why, "5 more of wave 1 to settle");
	free(r);
	m = exact();
	m.server_errors = RANDOM_ALL;
	r = played(&p, 10, &m, 1);
	assert_int_equal(r->end, SIMULATE_STANDS);
	assert_true(r->took <= SIMULATE_LONGEST);
	/* Each asks once a day for a year, and once when it is told to. */
	assert_in_range(r->requests.total, 5 * 366, 5 * 368);
	free(r);
}

static void
same_seed_is_the_same_course_and_another_is_not(void **state)
{
	struct simulate_result *a, *b, *c;
	struct simulate_model m;
	struct plan p;

	(void)state;
	plan_default(&p);
	simulate_default(&m);
	m.discards = m.falls_back = 5000;
	a = played(&p, 5000, &m, 1);
	b = played(&p, 5000, &m, 1);
	c = played(&p, 5000, &m, 2);
	assert_memory_equal(a, b, sizeof(*a));
	assert_memory_not_equal(a, c, sizeof(*a));
	free(a);
	free(b);
	free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(generator_gives_the_published_numbers),
		cmocka_unit_test(chance_is_as_large_as_it_says),
		cmocka_unit_test(queue_gives_the_earliest_first),
		cmocka_unit_test(exact_phones_take_the_time_that_a_hand_reckons),
		cmocka_unit_test(every_fault_is_told_by_its_reason),
		cmocka_unit_test(rollout_that_never_ends_is_given_up),
		cmocka_unit_test(same_seed_is_the_same_course_and_another_is_not),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
