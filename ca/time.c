/* SPDX-License-Identifier: ISC */
#include "ca/time.h"

#define TIME_FIRST (-631152000) /* 1950-01-01T00:00:00Z */
#define TIME_LAST 253402300799  /* 9999-12-31T23:59:59Z */

int
time_to_asn1(time_t from, const char *what, ASN1_TIME *to, struct err *e)
{
	/* ASN1_TIME_adj() alone would write a year of five digits. */
	if (from < TIME_FIRST || from > TIME_LAST)
		return err_set(e, ERR_INPUT,
		    "%s (RFC 5280 section 4.1.2.5): expected a time from 1950 to 9999, found %lld s since 1970", what,
		    (long long)from);
	if (ASN1_TIME_adj(to, from, 0, 0) == NULL)
		return err_openssl(e, ERR_FAILED, "%s", what);
	return 0;
}

int
time_from_asn1(const ASN1_TIME *from, const char *what, time_t *ret, struct err *e)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(from, &tm) != 1)
		return err_openssl(e, ERR_INTEGRITY, "%s (RFC 5280 section 4.1.2.5): expected a time, found none",
		    what);
	*ret = timegm(&tm);
	return 0;
}
