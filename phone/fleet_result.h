/* SPDX-License-Identifier: ISC */
#ifndef PHONE_FLEET_RESULT_H
#define PHONE_FLEET_RESULT_H

#include "phone/fleet_fault.h"
#include "phone/fleet_list.h"

#include <jansson.h>
#include <stdio.h>

#define FLEET_JSON_SCHEMA 1
#define FLEET_FAILURES_MAX 10	/* phones that are named in the report */

/* What came of a fleet, counted while it boots. */
struct fleet_result {
	size_t phones, done, unexpected;
	unsigned long verdicts[FAULT_COUNT][VERDICT_COUNT];
	unsigned long missed[FAULT_COUNT];	/* of each fault, those that came to something else */
	uint32_t *micros;	/* from its start to its bundle, of each phone that has one now */
	size_t provisioned;
	double seconds;		/* of all */
	unsigned long requests;
	unsigned long long bytes;	/* of bodies */
	size_t connections;	/* at most, at the same time */
	bool stopped;		/* by a signal */
	struct fleet_failure {
		char mac[MAC_SIZE];
		enum fleet_fault fault;
		enum verdict verdict;
		char *reason;
	} failures[FLEET_FAILURES_MAX];
	size_t failure_count;
};

int fleet_result_start(struct fleet_result *r, size_t phones, struct err *e);

/* A phone is done. micros: until its bundle was installed, negative when none is. */
void fleet_result_add(struct fleet_result *r, const struct fleet_phone *p, long long micros, const char *reason);

/* Sort the times, once all phones are done. */
void fleet_result_finish(struct fleet_result *r);

/* The time that percent (1 to 100) of the provisioned phones took at most, by nearest rank; 0 when there is none. */
uint32_t fleet_percentile(const struct fleet_result *r, unsigned int percent);

int fleet_result_print(const struct fleet_result *r, FILE *out, struct err *e);

/* list: with each phone's verdict; NULL: without. */
json_t *fleet_result_json(const struct fleet_result *r, const struct fleet_list *list);

void fleet_result_release(struct fleet_result *r);

#endif
