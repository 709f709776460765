/* SPDX-License-Identifier: ISC */
#include "cli/stranded.h"

#include "bundler/check_client.h"
#include "ca/cert.h"
#include "db/holding.h"
#include "db/rollout.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is known of a profile; a fleet has few. */
struct verdict {
	unsigned char profile[DB_PROFILE_HASH_SIZE];
	bool trusts;
};

struct search {
	struct db *db;
	int64_t given_up;
	X509 *trusted;
	struct verdict *verdicts;
	size_t verdict_count;
	struct stranded *found;
};

static bool
side_trusts(const struct client_side *side, const X509 *ca)
{
	for (int i = 0; i < sk_X509_num(side->cas); i++)
		if (X509_cmp(sk_X509_value(side->cas, i), ca) == 0)
			return true;
	return false;
}

static int
profile_judge(const struct search *s, const unsigned char hash[DB_PROFILE_HASH_SIZE], bool *ret, struct err *e)
{
	struct buf text = BUF_INIT(DB_DER_MAX);
	struct client_side side = { .cas = NULL };
	struct config config = { 0 };
	int rc = -1;

	if (db_profile_get(s->db, hash, &text, e) != 0 || config_read(text.data, text.len, &config, e) != 0)
		goto out;
	rc = client_side_read(&config, &side, e);
	if (rc == 0)
		*ret = side_trusts(&side, s->trusted);
	client_side_release(&side);
out:
	config_release(&config);
	buf_release(&text);
	return rc == 0 ? 0 : err_prefix(e, "profile");
}

static int
profile_trusts(struct search *s, const unsigned char hash[DB_PROFILE_HASH_SIZE], bool *ret, struct err *e)
{
	struct verdict *v;

	for (size_t i = 0; i < s->verdict_count; i++) {
		if (memcmp(s->verdicts[i].profile, hash, DB_PROFILE_HASH_SIZE) == 0) {
			*ret = s->verdicts[i].trusts;
			return 0;
		}
	}
	v = reallocarray(s->verdicts, s->verdict_count + 1, sizeof(*v));
	if (v == NULL)
		return err_set(e, ERR_FAILED, "profiles of phones: no memory");
	s->verdicts = v;
	v += s->verdict_count;
	if (profile_judge(s, hash, &v->trusts, e) != 0)
		return -1;
	memcpy(v->profile, hash, DB_PROFILE_HASH_SIZE);
	*ret = v->trusts;
	s->verdict_count++;
	return 0;
}

static void
add(struct stranded *found, enum stranded_why why, const char mac[DB_MAC_SIZE])
{
	if (found->count[why] < STRANDED_SHOWN)
		memcpy(found->first[why][found->count[why]], mac, DB_MAC_SIZE);
	found->count[why]++;
	found->phones++;
}

static int
judge(const struct db_holding *h, void *arg, struct err *e)
{
	struct search *s = arg;
	bool offered_trusts = true, seen_trusts = true;

	if (profile_trusts(s, h->offered.profile, &offered_trusts, e) != 0 ||
	    (h->seen.number != 0 && profile_trusts(s, h->seen.profile, &seen_trusts, e) != 0))
		return -1;
	if (s->given_up != 0 && h->offered.authority == s->given_up)
		add(s->found, STRANDED_OFFERED_OF, h->mac);
	else if (s->given_up != 0 && h->seen.authority == s->given_up)
		add(s->found, STRANDED_SEEN_OF, h->mac);
	else if (!offered_trusts)
		add(s->found, STRANDED_OFFERED_TRUST, h->mac);
	else if (!seen_trusts)
		add(s->found, STRANDED_SEEN_TRUST, h->mac);
	else if (h->seen.number == 0 && !h->fetched)
		s->found->unseen++;
	return 0;
}

int
stranded_find(struct db *db, int64_t given_up, const struct db_authority *trusted, struct stranded *ret, struct err *e)
{
	struct search s = { .db = db, .given_up = given_up, .found = ret };
	int rc = -1;

	*ret = (struct stranded){ .phones = 0 };
	s.trusted = ca_cert_decode(trusted->cert.data, trusted->cert.len, e);
	if (s.trusted != NULL)
		rc = db_holding_each(db, judge, &s, e);
	X509_free(s.trusted);
	free(s.verdicts);
	return rc;
}

struct former_search {
	struct search s;
	size_t phones;
	char *first;
};

static int
former_judge(const struct db_member_former *m, void *arg, struct err *e)
{
	struct former_search *f = arg;
	bool trusts;

	if (profile_judge(&f->s, m->profile, &trusts, e) != 0)
		return -1;
	if (trusts)
		return 0;
	if (f->phones == 0)
		memcpy(f->first, m->first, DB_MAC_SIZE);
	f->phones += m->phones;
	return 0;
}

int
stranded_former_find(struct db *db, int64_t rollout, const struct db_authority *trusted, size_t *ret_phones,
    char ret_first[DB_MAC_SIZE], struct err *e)
{
	struct former_search f = { .s = { .db = db }, .first = ret_first };
	int rc = -1;

	f.s.trusted = ca_cert_decode(trusted->cert.data, trusted->cert.len, e);
	if (f.s.trusted != NULL)
		rc = db_member_former_each(db, rollout, former_judge, &f, e);
	X509_free(f.s.trusted);
	*ret_phones = f.phones;
	return rc;
}

__attribute__((format(printf, 3, 4))) static void
append(char out[STRANDED_TEXT_SIZE], size_t *len, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(out + *len, STRANDED_TEXT_SIZE - *len, fmt, ap);
	va_end(ap);
	if (n > 0)
		*len = *len + (size_t)n < STRANDED_TEXT_SIZE ? *len + (size_t)n : STRANDED_TEXT_SIZE - 1;
}

void
stranded_print(const struct stranded *s, char out[STRANDED_TEXT_SIZE])
{
	static const char *const texts[STRANDED_WHY_COUNT][2] = {
		[STRANDED_OFFERED_OF] = { "is offered a certificate of that CA",
		    "are offered certificates of that CA" },
		[STRANDED_SEEN_OF] = { "was last seen on the VPN with one of that CA",
		    "were last seen on the VPN with those of that CA" },
		[STRANDED_OFFERED_TRUST] = { "is offered a bundle that does not trust the server's CA",
		    "are offered bundles that do not trust the server's CA" },
		[STRANDED_SEEN_TRUST] = { "was last seen on the VPN with a bundle that does not trust it",
		    "were last seen on the VPN with bundles that do not trust it" },
	};
	size_t len = 0;

	out[0] = '\0';
	for (unsigned int why = 0; why < STRANDED_WHY_COUNT; why++) {
		size_t count = s->count[why], shown = count < STRANDED_SHOWN ? count : STRANDED_SHOWN;

		if (count == 0)
			continue;
		append(out, &len, "%s%zu phone%s %s (", len > 0 ? "; " : "", count, count == 1 ? "" : "s",
		    texts[why][count == 1 ? 0 : 1]);
		for (size_t i = 0; i < shown; i++)
			append(out, &len, "%s%s", i > 0 ? ", " : "", s->first[why][i]);
		append(out, &len, "%s)", count > shown ? " and others" : "");
	}
}

void
stranded_unseen_print(const struct stranded *s)
{
	if (s->unseen > 0)
		(void)printf("%zu phone%s neither seen to fetch what %s offered nor on the VPN: what %s is not known\n",
		    s->unseen, s->unseen == 1 ? " was" : "s were", s->unseen == 1 ? "it is" : "they are",
		    s->unseen == 1 ? "it has" : "they have");
}
