/* SPDX-License-Identifier: ISC */
#include "provisioner/throttle.h"

#include "common/process.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define STEP (1000 / THROTTLE_PER_SECOND) /* milliseconds in which one guess is paid back */
#define SETS 512
#define WAYS 8 /* a cache line */
#define TIME_BITS 40
#define TIME_MASK ((UINT64_C(1) << TIME_BITS) - 1)
#define KEY_SIZE 16
#define NETWORK_SIZE 8 /* of an IPv6 address: one subscriber has all of a /64 */

/* A slot: the upper bits of a key's hash, and when all that it owes will be paid back. 0: free. */
struct table {
	_Atomic uint64_t slots[SETS][WAYS];
	_Atomic uint64_t last; /* no debt lasts longer */
	uint64_t burst;        /* milliseconds of debt that nobody minds */
};

struct throttle {
	EVP_MAC_CTX *mac;
	struct table addresses, users;
};

struct keys {
	uint64_t address, user;
};

/* ---- a table of debts ---- */

static uint64_t
tag_of(uint64_t key)
{
	return key & ~TIME_MASK;
}

static uint64_t
slot_until(uint64_t slot)
{
	return slot & TIME_MASK;
}

/* The slot with this key or, if there is none, with the smallest debt; *ret_slot is what it holds. */
static _Atomic uint64_t *
slot_find(struct table *t, uint64_t key, uint64_t *ret_slot)
{
	_Atomic uint64_t *set = t->slots[key % SETS], *least = set;
	uint64_t smallest = UINT64_MAX;

	for (int i = 0; i < WAYS; i++) {
		uint64_t slot = atomic_load_explicit(&set[i], memory_order_relaxed);

		if (slot != 0 && tag_of(slot) == tag_of(key)) {
			*ret_slot = slot;
			return &set[i];
		}
		if (slot_until(slot) < smallest) {
			smallest = slot_until(slot);
			*ret_slot = slot;
			least = &set[i];
		}
	}
	return least;
}

static uint64_t
debt_of(struct table *t, uint64_t key, uint64_t now)
{
	uint64_t slot;

	(void)slot_find(t, key, &slot);
	return slot != 0 && tag_of(slot) == tag_of(key) && slot_until(slot) > now ? slot_until(slot) - now : 0;
}

/* How long until the debt is one that nobody minds. */
static uint64_t
excess_of(struct table *t, uint64_t key, uint64_t now)
{
	uint64_t debt = debt_of(t, key, now);

	return debt > t->burst ? debt - t->burst : 0;
}

static void
last_raise(struct table *t, uint64_t until)
{
	uint64_t last = atomic_load_explicit(&t->last, memory_order_relaxed);

	while (last < until && !atomic_compare_exchange_weak_explicit(&t->last, &last, until, memory_order_relaxed,
				   memory_order_relaxed))
		;
}

/* Owe so much more, but no more than max because of this. */
static void
debt_add(struct table *t, uint64_t key, uint64_t now, uint64_t ms, uint64_t max)
{
	_Atomic uint64_t *at;
	uint64_t slot, debt, until;

	do {
		at = slot_find(t, key, &slot);
		debt = slot != 0 && tag_of(slot) == tag_of(key) && slot_until(slot) > now ? slot_until(slot) - now : 0;
		if (debt >= max)
			return;
		until = now + (debt + ms < max ? debt + ms : max);
	} while (!atomic_compare_exchange_weak_explicit(at, &slot, tag_of(key) | until, memory_order_relaxed,
	    memory_order_relaxed));
	last_raise(t, until);
}

static void
debt_forgive(struct table *t, uint64_t key, uint64_t ms)
{
	_Atomic uint64_t *at;
	uint64_t slot;

	do {
		at = slot_find(t, key, &slot);
		if (slot == 0 || tag_of(slot) != tag_of(key) || slot_until(slot) < ms)
			return;
	} while (!atomic_compare_exchange_weak_explicit(at, &slot, slot - ms, memory_order_relaxed,
	    memory_order_relaxed));
}

/* ---- addresses and users ---- */

static EVP_MAC_CTX *
mac_new(struct err *e)
{
	size_t size = sizeof(uint64_t);
	const OSSL_PARAM params[] = { OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
		OSSL_PARAM_construct_end() };
	EVP_MAC *siphash = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
	EVP_MAC_CTX *ctx = siphash != NULL ? EVP_MAC_CTX_new(siphash) : NULL;
	unsigned char key[KEY_SIZE];

	EVP_MAC_free(siphash);
	if (ctx != NULL && process_random(key, sizeof(key), e) == 0 &&
	    EVP_MAC_init(ctx, key, sizeof(key), params) == 1) {
		OPENSSL_cleanse(key, sizeof(key));
		return ctx;
	}
	EVP_MAC_CTX_free(ctx);
	(void)err_openssl(e, ERR_FAILED, "throttling of logins: no key can be made");
	return NULL;
}

static bool
hash(const struct throttle *t, const void *data, size_t len, uint64_t *ret)
{
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_dup(t->mac);
	unsigned char sum[sizeof(*ret)];
	size_t size = 0;
	bool good;

	good = ctx != NULL && EVP_MAC_update(ctx, data, len) == 1 && EVP_MAC_final(ctx, sum, &size, sizeof(sum)) == 1 &&
	       size == sizeof(sum);
	EVP_MAC_CTX_free(ctx);
	if (good)
		memcpy(ret, sum, sizeof(sum));
	return good;
}

static bool
keys_of(const struct throttle *t, const struct throttle_login *l, struct keys *ret)
{
	size_t len = l->address_len > NETWORK_SIZE ? NETWORK_SIZE : l->address_len;

	return hash(t, l->address, len, &ret->address) && hash(t, l->user, strlen(l->user), &ret->user);
}

struct throttle *
throttle_new(struct err *e)
{
	struct throttle *t = calloc(1, sizeof(*t));

	if (t == NULL) {
		(void)err_set(e, ERR_FAILED, "throttling of logins: no memory is left");
		return NULL;
	}
	t->addresses.burst = THROTTLE_ADDRESS_BURST * STEP;
	t->users.burst = THROTTLE_USER_BURST * STEP;
	t->mac = mac_new(e);
	if (t->mac == NULL) {
		free(t);
		return NULL;
	}
	return t;
}

void
throttle_free(struct throttle *t)
{
	if (t == NULL)
		return;
	EVP_MAC_CTX_free(t->mac);
	free(t);
}

/* What every day's logins cost: one look at a time. */
static bool
nobody_waits(struct table *addresses, uint64_t now)
{
	return atomic_load_explicit(&addresses->last, memory_order_relaxed) <= now + addresses->burst;
}

enum throttle_turn
throttle_enter(struct throttle *t, struct throttle_login *l, uint64_t now, unsigned int *ret_wait)
{
	uint64_t address, user, wait;
	struct keys k;

	if (l->paid || nobody_waits(&t->addresses, now) || !keys_of(t, l, &k))
		return THROTTLE_NOW;
	address = excess_of(&t->addresses, k.address, now);
	user = excess_of(&t->users, k.user, now);
	if (address == 0 || user == 0)
		return THROTTLE_NOW;
	wait = address > user ? address : user;
	if (wait > THROTTLE_WAIT_SECONDS * 1000)
		return THROTTLE_FULL;
	debt_add(&t->addresses, k.address, now, STEP, UINT64_MAX);
	debt_add(&t->users, k.user, now, STEP, UINT64_MAX);
	l->paid = true;
	*ret_wait = (unsigned int)wait;
	return THROTTLE_WAIT;
}

void
throttle_leave(struct throttle *t, const struct throttle_login *l, uint64_t now, bool wrong)
{
	bool address_empty, user_empty;
	struct keys k;

	if (l->paid == wrong || !keys_of(t, l, &k))
		return;
	if (l->paid) {
		debt_forgive(&t->addresses, k.address, STEP);
		debt_forgive(&t->users, k.user, STEP);
		return;
	}
	address_empty = excess_of(&t->addresses, k.address, now) > 0;
	user_empty = excess_of(&t->users, k.user, now) > 0;
	/* No more than twice the burst, lest a flood be paid for long after it has ended. */
	debt_add(&t->addresses, k.address, now, user_empty ? t->addresses.burst : STEP, 2 * t->addresses.burst);
	debt_add(&t->users, k.user, now, address_empty ? t->users.burst : STEP, 2 * t->users.burst);
}
