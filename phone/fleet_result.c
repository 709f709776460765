/* SPDX-License-Identifier: ISC */
#include "phone/fleet_result.h"

#include "common/table.h"
#include "common/text.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	unsigned int percent;
	const char *name;
} times[] = { { 50, "p50" }, { 90, "p90" }, { 99, "p99" }, { 100, "max" } };

#define TIMES (sizeof(times) / sizeof(times[0]))

int
fleet_result_start(struct fleet_result *r, size_t phones, struct err *e)
{
	*r = (struct fleet_result){ .phones = phones };
	r->micros = calloc(phones + 1, sizeof(*r->micros));
	return r->micros != NULL ? 0 : err_set(e, ERR_FAILED, "fleet of %zu phones: no memory", phones);
}

static void
failure_add(struct fleet_result *r, const struct fleet_phone *p, const char *reason)
{
	struct fleet_failure *f = &r->failures[r->failure_count];

	if (r->failure_count == FLEET_FAILURES_MAX)
		return;
	*f = (struct fleet_failure){ .fault = p->fault, .verdict = p->verdict, .reason = strdup(reason) };
	memcpy(f->mac, p->mac, sizeof(f->mac));
	r->failure_count++;
}

void
fleet_result_add(struct fleet_result *r, const struct fleet_phone *p, long long micros, const char *reason)
{
	r->done++;
	r->verdicts[p->fault][p->verdict]++;
	if (micros >= 0)
		r->micros[r->provisioned++] = micros < UINT32_MAX ? (uint32_t)micros : UINT32_MAX;
	if (p->expected)
		return;
	r->unexpected++;
	r->missed[p->fault]++;
	failure_add(r, p, reason);
}

static int
compare_micros(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

void
fleet_result_finish(struct fleet_result *r)
{
	qsort(r->micros, r->provisioned, sizeof(*r->micros), compare_micros);
}

uint32_t
fleet_percentile(const struct fleet_result *r, unsigned int percent)
{
	size_t rank = (r->provisioned * percent + 99) / 100;

	return rank > 0 ? r->micros[rank - 1] : 0;
}

static double
seconds_of(const struct fleet_result *r, size_t time)
{
	return fleet_percentile(r, times[time].percent) / 1e6;
}

static unsigned long
fault_phones(const struct fleet_result *r, unsigned int fault)
{
	unsigned long n = 0;

	for (unsigned int v = 0; v < VERDICT_COUNT; v++)
		n += r->verdicts[fault][v];
	return n;
}

/* "190 ok, 2 login_refused" */
static void
verdict_counts(const unsigned long counts[VERDICT_COUNT], struct buf *out)
{
	for (unsigned int v = 0; v < VERDICT_COUNT; v++) {
		if (counts[v] > 0)
			buf_addf(out, "%s%lu %s", out->len > 0 ? ", " : "", counts[v], verdict_name((enum verdict)v));
	}
}

static int
print_faults(const struct fleet_result *r, FILE *out, struct err *e)
{
	static const char *const headings[] = { "FAULT", "PHONES", "EXPECTED", "VERDICTS", "OTHERWISE" };
	struct table *t = table_new(sizeof(headings) / sizeof(headings[0]), headings);
	int rc;

	if (t == NULL)
		return err_set(e, ERR_FAILED, "table: no memory");
	for (unsigned int f = 0; f < FAULT_COUNT; f++) {
		struct buf verdicts = BUF_INIT(1024);
		char phones[24], missed[24];

		(void)snprintf(phones, sizeof(phones), "%lu", fault_phones(r, f));
		(void)snprintf(missed, sizeof(missed), "%lu", r->missed[f]);
		verdict_counts(r->verdicts[f], &verdicts);
		if (verdicts.len > 0)
			table_row(t, (const char *[]){ fault_name((enum fleet_fault)f), phones,
					 fault_expected((enum fleet_fault)f), buf_string(&verdicts), missed });
		buf_release(&verdicts);
	}
	rc = table_print(t, out) == 0 ? 0 : err_set(e, ERR_FAILED, "table: it cannot be printed");
	table_free(t);
	return rc;
}

static double
rate(const struct fleet_result *r)
{
	return r->seconds > 0 ? (double)r->done / r->seconds : 0;
}

static void
print_failures(const struct fleet_result *r, FILE *out)
{
	for (size_t i = 0; i < r->failure_count; i++) {
		const struct fleet_failure *f = &r->failures[i];

		(void)fprintf(out, "%s  fault %s, expected %s, found %s: %s\n", f->mac, fault_name(f->fault),
		    fault_expected(f->fault), verdict_name(f->verdict), f->reason != NULL ? f->reason : "");
	}
	if (r->unexpected > r->failure_count)
		(void)fprintf(out, "and %zu more\n", r->unexpected - r->failure_count);
}

int
fleet_result_print(const struct fleet_result *r, FILE *out, struct err *e)
{
	(void)fprintf(out,
	    "%zu of %zu phones in %.2f s, %.0f a second; %lu requests, %llu bytes, at most %zu connections\n", r->done,
	    r->phones, r->seconds, rate(r), r->requests, r->bytes, r->connections);
	(void)fprintf(out, "%zu provisioned, time to that:", r->provisioned);
	for (size_t i = 0; i < TIMES; i++)
		(void)fprintf(out, "%s %s %.3f s", i > 0 ? "," : "", times[i].name, seconds_of(r, i));
	(void)fputc('\n', out);
	if (r->done > 0 && print_faults(r, out, e) != 0)
		return -1;
	print_failures(r, out);
	(void)fprintf(out, "%zu phones ended otherwise than expected\n", r->unexpected);
	return fflush(out) == 0 ? 0 : err_set(e, ERR_FAILED, "standard output: the report cannot be written");
}

static json_t *
counts_json(const unsigned long counts[VERDICT_COUNT])
{
	json_t *o = json_object();

	for (unsigned int v = 0; v < VERDICT_COUNT; v++) {
		if (counts[v] > 0)
			(void)json_object_set_new(o, verdict_name((enum verdict)v),
			    json_integer((json_int_t)counts[v]));
	}
	return o;
}

static json_t *
faults_json(const struct fleet_result *r)
{
	json_t *all = json_array();

	for (unsigned int f = 0; f < FAULT_COUNT; f++) {
		if (fault_phones(r, f) == 0)
			continue;
		(void)json_array_append_new(all,
		    json_pack("{s:s,s:I,s:s,s:o,s:I}", "fault", fault_name((enum fleet_fault)f), "phones",
			(json_int_t)fault_phones(r, f), "expected", fault_expected((enum fleet_fault)f), "verdicts",
			counts_json(r->verdicts[f]), "unexpected", (json_int_t)r->missed[f]));
	}
	return all;
}

static json_t *
totals_json(const struct fleet_result *r)
{
	unsigned long sums[VERDICT_COUNT] = { 0 };

	for (unsigned int f = 0; f < FAULT_COUNT; f++) {
		for (unsigned int v = 0; v < VERDICT_COUNT; v++)
			sums[v] += r->verdicts[f][v];
	}
	return counts_json(sums);
}

static json_t *
times_json(const struct fleet_result *r)
{
	json_t *o = json_object();

	for (size_t i = 0; i < TIMES; i++)
		(void)json_object_set_new(o, times[i].name, json_real(seconds_of(r, i)));
	return o;
}

static json_t *
failures_json(const struct fleet_result *r)
{
	json_t *all = json_array();

	for (size_t i = 0; i < r->failure_count; i++) {
		const struct fleet_failure *f = &r->failures[i];

		(void)json_array_append_new(all,
		    json_pack("{s:s,s:s,s:s,s:s,s:s?}", "mac", f->mac, "fault", fault_name(f->fault), "expected",
			fault_expected(f->fault), "verdict", verdict_name(f->verdict), "reason", f->reason));
	}
	return all;
}

static json_t *
phones_json(const struct fleet_list *list)
{
	json_t *all = json_array();

	for (size_t i = 0; i < list->count; i++) {
		const struct fleet_phone *p = &list->phones[i];

		(void)json_array_append_new(all,
		    json_pack("{s:s,s:s,s:s?,s:b}", "mac", p->mac, "fault", fault_name(p->fault), "verdict",
			p->done ? verdict_name(p->verdict) : NULL, "expected", p->expected));
	}
	return all;
}

json_t *
fleet_result_json(const struct fleet_result *r, const struct fleet_list *list)
{
	json_t *doc = json_pack("{s:i,s:I,s:I,s:I,s:I,s:b,s:f,s:f,s:I,s:I,s:I,s:o,s:o,s:o,s:o}", "schema",
	    FLEET_JSON_SCHEMA, "phones", (json_int_t)r->phones, "done", (json_int_t)r->done, "provisioned",
	    (json_int_t)r->provisioned, "unexpected", (json_int_t)r->unexpected, "stopped", r->stopped, "seconds",
	    r->seconds, "phones_per_second", rate(r), "requests", (json_int_t)r->requests, "bytes",
	    (json_int_t)r->bytes, "connections_max", (json_int_t)r->connections, "time_to_provisioned", times_json(r),
	    "verdicts", totals_json(r), "faults", faults_json(r), "failures", failures_json(r));

	if (doc != NULL && list != NULL && json_object_set_new(doc, "fleet", phones_json(list)) != 0) {
		json_decref(doc);
		return NULL;
	}
	return doc;
}

void
fleet_result_release(struct fleet_result *r)
{
	for (size_t i = 0; i < r->failure_count; i++)
		free(r->failures[i].reason);
	free(r->micros);
	*r = (struct fleet_result){ .phones = 0 };
}
