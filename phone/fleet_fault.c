/* SPDX-License-Identifier: ISC */
#include "phone/fleet_fault.h"

#include "common/text.h"

#include <stdlib.h>
#include <string.h>

#define PERCENT 100UL /* hundredths */
#define WHOLE (100 * PERCENT)
#define COUNT_MAX 10000000UL

static const struct {
	const char *name, *expected;
	enum verdict verdict;
} faults[FAULT_COUNT] = {
	[FAULT_NONE] = { "none", "ok", VERDICT_OK },
	[FAULT_NO_VPN] = { "none, no VPN", "vpn_unsupported", VERDICT_VPN_UNSUPPORTED },
	[FAULT_CUT] = { "cut", "bundle_unreachable, then ok", VERDICT_OK },
	[FAULT_WRONG_PASSWORD] = { "wrong-password", "login_refused", VERDICT_LOGIN_REFUSED },
	[FAULT_STALE_NONCE] = { "stale-nonce", "ok", VERDICT_OK },
	[FAULT_SLOW] = { "slow", "ok", VERDICT_OK },
	[FAULT_CORRUPT] = { "corrupt", "md5_mismatch", VERDICT_MD5_MISMATCH },
	[FAULT_WRONG_CLOCK] = { "wrong-clock", "ok", VERDICT_OK },
	[FAULT_FACTORY_RESET] = { "factory-reset", "ok", VERDICT_OK },
};

const char *
fault_name(enum fleet_fault fault)
{
	return faults[fault].name;
}

const char *
fault_expected(enum fleet_fault fault)
{
	return faults[fault].expected;
}

bool
fault_expects(enum fleet_fault fault, enum verdict verdict)
{
	return faults[fault].verdict == verdict;
}

/* "5%", "0.25%" or "10". */
static int
share_parse(const char *value, const char *name, struct fault_share *ret, struct err *e)
{
	size_t len = strlen(value);
	char whole[16] = "", *point;
	unsigned long percent, part = 0;

	*ret = (struct fault_share){ .count = 0 };
	if (len == 0 || value[len - 1] != '%')
		return text_number(value, 0, COUNT_MAX, name, &ret->count, e);
	if (len >= sizeof(whole))
		return err_set(e, ERR_INPUT, "%s: expected a percentage such as 5%% or 0.25%%, found a longer text",
		    name);
	memcpy(whole, value, len - 1);
	point = strchr(whole, '.');
	if (point != NULL) {
		*point++ = '\0';
		if (strlen(point) > 2)
			return err_set(e, ERR_INPUT, "%s: expected at most two digits behind the point, found more",
			    name);
		if (text_number(point, 0, PERCENT - 1, name, &part, e) != 0)
			return -1;
		part *= strlen(point) == 1 ? 10 : 1;
	}
	if (text_number(whole, 0, 100, name, &percent, e) != 0)
		return -1;
	ret->hundredths = percent * PERCENT + part;
	return ret->hundredths <= WHOLE ? 0 : err_set(e, ERR_INPUT, "%s: expected at most 100%%, found more", name);
}

static int
item_parse(const char *item, struct fault_mix *mix, bool seen[FAULT_COUNT], struct err *e)
{
	const char *equals = strchr(item, '=');
	size_t len = equals != NULL ? (size_t)(equals - item) : strlen(item);
	char shown[40];
	unsigned int i = FAULT_CUT;

	while (i < FAULT_COUNT && (strlen(faults[i].name) != len || strncmp(faults[i].name, item, len) != 0))
		i++;
	if (i == FAULT_COUNT)
		return err_set(e, ERR_USAGE,
		    "fault: expected cut, wrong-password, stale-nonce, slow, corrupt, wrong-clock or factory-reset, "
		    "found \"%s\"",
		    text_printable(item, shown, sizeof(shown)));
	if (equals == NULL)
		return err_set(e, ERR_USAGE, "fault: expected %s=COUNT or %s=PERCENT%%, found no \"=\"", faults[i].name,
		    faults[i].name);
	if (seen[i])
		return err_set(e, ERR_USAGE, "fault: expected %s once, found it twice", faults[i].name);
	seen[i] = true;
	if (share_parse(equals + 1, faults[i].name, &mix->share[i], e) != 0) {
		(void)err_prefix(e, "fault");
		return err_usage(e);
	}
	return 0;
}

int
fault_mix_parse(const char *text, struct fault_mix *ret, struct err *e)
{
	struct fault_mix mix = { .share = { { 0 } } };
	bool seen[FAULT_COUNT] = { false };
	char item[64];

	for (;;) {
		size_t len = strcspn(text, ",");

		if (len >= sizeof(item))
			return err_set(e, ERR_USAGE, "fault: expected NAME=SHARE,..., found an item of %zu bytes", len);
		memcpy(item, text, len);
		item[len] = '\0';
		if (item_parse(item, &mix, seen, e) != 0)
			return -1;
		if (text[len] == '\0')
			break;
		text += len + 1;
	}
	*ret = mix;
	return 0;
}

/* To the nearest phone, and one at least. */
static unsigned long
share_of(const struct fault_share *s, size_t fleet)
{
	unsigned long n = (unsigned long)((fleet * s->hundredths + WHOLE / 2) / WHOLE);

	if (s->hundredths == 0)
		return s->count;
	return n > 0 ? n : 1;
}

/* SplitMix64 (Steele, Lea, Flood 2014): the choice is to be the same on every machine, and need not be secret. */
static uint64_t
next_random(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/* The faults in a random order: Fisher and Yates. */
static void
shuffle(uint8_t *order, size_t count, uint64_t *state)
{
	for (size_t i = count; i > 1; i--) {
		size_t other = (size_t)(next_random(state) % i);
		uint8_t swap = order[i - 1];

		order[i - 1] = order[other];
		order[other] = swap;
	}
}

/* Fault k of count goes to the able phone that stands at (k + 1/2) / count of all able ones. */
static void
deal(struct fleet_list *l, size_t able, const uint8_t *order, size_t count)
{
	size_t at = 0, k = 0;

	for (size_t i = 0; i < l->count && k < count; i++) {
		if (!l->phones[i].vpn)
			continue;
		if (at++ == (2 * k + 1) * able / (2 * count))
			l->phones[i].fault = order[k++];
	}
}

int
fault_mix_spread(const struct fault_mix *mix, unsigned long seed, struct fleet_list *l, struct err *e)
{
	size_t able = 0, count = 0, at = 0;
	uint64_t state = seed;
	uint8_t *order;

	for (size_t i = 0; i < l->count; i++) {
		l->phones[i].fault = l->phones[i].vpn ? FAULT_NONE : FAULT_NO_VPN;
		able += l->phones[i].vpn;
	}
	for (unsigned int f = 0; f < FAULT_COUNT; f++)
		count += share_of(&mix->share[f], l->count);
	if (count > able)
		return err_set(e, ERR_USAGE,
		    "fault: expected at most the %zu phones that have a VPN, found a mix of %zu", able, count);
	if (count == 0)
		return 0;
	order = malloc(count);
	if (order == NULL)
		return err_set(e, ERR_FAILED, "faults of %zu phones: no memory", count);
	for (unsigned int f = 0; f < FAULT_COUNT; f++) {
		for (unsigned long n = share_of(&mix->share[f], l->count); n > 0; n--)
			order[at++] = (uint8_t)f;
	}
	shuffle(order, count, &state);
	deal(l, able, order, count);
	free(order);
	return 0;
}
