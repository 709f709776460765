/* SPDX-License-Identifier: ISC */
#include "provisioner/http_metrics.h"

#include "provisioner/metrics.h"

#include <stdio.h>

/* The last is for all others. */
static const unsigned int statuses[HTTP_STATUSES] = { 200, 206, 304, 400, 401, 404, 405, 408, 411, 413, 414, 429, 431,
	500, 503, 505, 0 };

const char *
http_route_name(enum route_kind kind)
{
	switch (kind) {
	case ROUTE_CONFIG:
		return "config";
	case ROUTE_GENERIC:
		return "generic";
	case ROUTE_BUNDLE:
		return "bundle";
	case ROUTE_NONE:
		break;
	}
	return "other";
}

const char *
http_login_name(enum http_login login)
{
	static const char *const names[HTTP_LOGINS] = {
		[HTTP_LOGIN_NONE] = "",
		[HTTP_LOGIN_RIGHT] = "",
		[HTTP_LOGIN_STALE] = "stale",
		[HTTP_LOGIN_MALFORMED] = "malformed",
		[HTTP_LOGIN_UNKNOWN] = "unknown_user",
		[HTTP_LOGIN_WRONG] = "wrong_password",
		[HTTP_LOGIN_OTHER] = "other_phone",
		[HTTP_LOGIN_FAILED] = "database",
		[HTTP_LOGIN_THROTTLED] = "throttled",
	};

	return names[login];
}

static size_t
status_index(unsigned int status)
{
	size_t i = 0;

	while (i < HTTP_STATUSES - 1 && statuses[i] != status)
		i++;
	return i;
}

void
http_count(struct http_counts *c, enum route_kind route, unsigned int status, enum http_login login, size_t bytes)
{
	atomic_fetch_add_explicit(&c->requests[route][status_index(status)], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&c->logins[login], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&c->bytes, bytes, memory_order_relaxed);
}

static unsigned long
count_of(const atomic_ulong *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static void
requests_render(struct http_counts *c, struct buf *out)
{
	static const char name[] = "phonevpn_http_requests_total";
	static const char *const labels[] = { "route", "status" };
	char status[16];

	metrics_family(out, name, METRICS_COUNTER,
	    "Requests that ended, by what they asked for and the answer's status.");
	for (enum route_kind route = ROUTE_NONE; route <= ROUTE_BUNDLE; route++) {
		for (size_t i = 0; i < HTTP_STATUSES; i++) {
			unsigned long n = count_of(&c->requests[route][i]);

			(void)snprintf(status, sizeof(status), "%u", statuses[i]);
			/* Those of every day are there from the start, so that their rates are. */
			if (n > 0 || statuses[i] == 200 || statuses[i] == 401)
				metrics_sample2(out, name, labels,
				    (const char *[]){ http_route_name(route), statuses[i] != 0 ? status : "other" },
				    (double)n);
		}
	}
}

void
http_counts_render(struct http_counts *c, struct buf *out)
{
	static const char failures[] = "phonevpn_http_login_failures_total";

	requests_render(c, out);
	metrics_family(out, failures, METRICS_COUNTER,
	    "Requests whose login did not let them have what they asked for, by reason.");
	for (enum http_login i = HTTP_LOGIN_STALE; i < HTTP_LOGINS; i++)
		metrics_sample(out, failures, "reason", http_login_name(i), (double)count_of(&c->logins[i]));
	metrics_single(out, "phonevpn_http_logins_total", METRICS_COUNTER, "Requests whose login was right.",
	    (double)count_of(&c->logins[HTTP_LOGIN_RIGHT]));
	metrics_single(out, "phonevpn_http_document_bytes_total", METRICS_COUNTER, "Bytes of documents that were sent.",
	    (double)count_of(&c->bytes));
}
