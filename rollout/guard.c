/* SPDX-License-Identifier: ISC */
#include "rollout/guard.h"

#include "common/text.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
	const char *name, *remedy;
} reasons[GUARD_REASON_COUNT] = {
	[GUARD_FINE] = { "fine", "" },
	[GUARD_CA_ENDS] = { "ca-ends", "move the fleet to another CA first" },
	[GUARD_SERVER_ENDS] = { "server-certificate-ends",
	    "'phonevpn server renew' and 'phonevpn emit server' make another one" },
	[GUARD_CRL_ENDS] = { "crl-ends",
	    "'phonevpn crl' and 'phonevpn emit server' renew it, crl-days makes it last longer" },
	[GUARD_REVOKED] = { "revoked",
	    "leave the phone out, or have it fetch its files another way than through the VPN" },
	[GUARD_CHECK] = { "check-fails", "'phonevpn check fleet' and 'phonevpn check server' tell more" },
	[GUARD_CUT_OFF] = { "cut-off",
	    "serve the XML at an address that is reached without the VPN, or let the server take both bundles meanwhile" },
	[GUARD_LATE] = { "late", "put the phone into an earlier wave, or make the waves faster" },
};

const char *
guard_reason_name(enum guard_reason reason)
{
	return reasons[reason].name;
}

const char *
guard_reason_remedy(enum guard_reason reason)
{
	return reasons[reason].remedy;
}

__attribute__((format(printf, 3, 4))) static enum guard_reason
found(char detail[GUARD_DETAIL_SIZE], enum guard_reason reason, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(detail, GUARD_DETAIL_SIZE, fmt, ap);
	va_end(ap);
	return reason;
}

static enum guard_reason
judge_ends(const struct guard_facts *f, const struct guard_phone *p, char detail[GUARD_DETAIL_SIZE])
{
	char end[TEXT_TIME_SIZE], settled[TEXT_TIME_SIZE];

	for (size_t i = 0; i < f->end_count; i++) {
		const struct guard_end *x = &f->ends[i];

		if (x->end > p->settled || (x->renewed_from != 0 && f->now < x->renewed_from && x->end > f->now))
			continue;
		text_time(x->end, end);
		text_time(p->settled, settled);
		if (x->end <= f->now)
			return found(detail, x->reason, "%s ended at %s", x->name, end);
		return found(detail, x->reason, "%s ends at %s, and the phone may take until %s", x->name, end,
		    settled);
	}
	return GUARD_FINE;
}

/* Nobody brings its files to a phone that reaches them through the VPN alone. */
static enum guard_reason
judge_way(const struct guard_facts *f, const struct guard_kind *kind, const struct guard_phone *p,
    char detail[GUARD_DETAIL_SIZE])
{
	char offered[TEXT_TIME_SIZE];

	if (f->xml_host == NULL)
		return GUARD_FINE;
	if (kind->breaks != NULL)
		return found(detail, GUARD_CUT_OFF, "its XML is at %s, inside the VPN, and %s", f->xml_host,
		    kind->breaks);
	/* One that has ended already is lost whatever is done now. */
	if (p->not_after <= f->now || p->not_after > p->offered)
		return GUARD_FINE;
	text_time(p->offered, offered);
	return found(detail, GUARD_LATE,
	    "its XML is at %s, inside the VPN, and its certificate ends before its wave has been offered the next one, at %s",
	    f->xml_host, offered);
}

enum guard_reason
guard_judge(const struct guard_facts *f, const struct guard_kind *kind, const struct guard_phone *p,
    char detail[GUARD_DETAIL_SIZE])
{
	enum guard_reason reason = judge_ends(f, p, detail);

	if (reason != GUARD_FINE)
		return reason;
	if (p->is_revoked)
		return found(detail, GUARD_REVOKED,
		    "the certificate that it last connected with is revoked, or its CA is dropped: it stays off the VPN with it");
	if (kind->fails != NULL)
		return found(detail, GUARD_CHECK, "%s", kind->fails);
	reason = judge_way(f, kind, p, detail);
	if (reason == GUARD_FINE)
		detail[0] = '\0';
	return reason;
}

unsigned long
guard_wave_offered(const struct plan *p, const size_t *sizes, size_t i)
{
	unsigned long seconds = 0;

	for (size_t wave = 0; wave <= i; wave++) {
		if (p->per_minute > 0 && sizes[wave] > 0)
			seconds += (sizes[wave] - 1) / p->per_minute * 60;
		if (wave < i)
			seconds += p->soak;
	}
	return seconds;
}

unsigned long
guard_wave_over(const struct plan *p, const size_t *sizes, size_t i)
{
	return guard_wave_offered(p, sizes, i) + (i + 1) * p->deadline;
}
