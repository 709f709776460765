/* SPDX-License-Identifier: ISC */
#ifndef PHONE_FLEET_LIST_H
#define PHONE_FLEET_LIST_H

#include "common/buf.h"
#include "common/err.h"
#include "dseries/mac.h"
#include "dseries/model.h"
#include "phone/verdict.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FLEET_TEXT_MAX (128 << 20)	/* bytes of URLs and logins */
#define FLEET_PROBLEMS_MAX 1000	/* bad rows that are kept; more are counted */

/* One phone before its boot and after it: tens of bytes, as a fleet has thousands. */
struct fleet_phone {
	char mac[MAC_SIZE];
	bool vpn;		/* model and firmware can do it */
	bool done;		/* its boots are over: verdict and expected hold */
	bool expected;		/* it came to what its fault lets expect */
	uint8_t fault;		/* enum fleet_fault */
	uint8_t verdict;	/* enum verdict */
	const struct model *model;
	struct firmware firmware;
	uint32_t url, login;	/* see fleet_text(); 0: none */
	uint32_t line;		/* that its row begins on */
};

/* A row that is no phone, and why. */
struct fleet_problem {
	unsigned long line;
	char text[200];
};

struct fleet_list {
	struct fleet_phone *phones;
	size_t count, size;
	struct fleet_problem *problems;
	size_t problem_count;	/* kept */
	size_t problem_total;
	size_t rows;		/* that were read, good and bad, without the header */
	struct buf text;	/* URLs and logins, each with its NUL: secrets */
};

#define FLEET_LIST_INIT { .text = BUF_INIT(FLEET_TEXT_MAX) }

/* Add a phone at the end, with its own URL and login, "" for none. Release the list in any case. */
int fleet_list_add(struct fleet_list *l, const struct fleet_phone *p, const char *url, const char *login, struct err *e);

/* Note a problem with a line. */
int fleet_list_problem(struct fleet_list *l, unsigned long line, const char *text, struct err *e);

/* MACs that stand there twice become problems; then these are in the order of their lines. */
int fleet_list_finish(struct fleet_list *l, struct err *e);

/* A text of the list: its own config_url, or its "user:password", percent-encoded; "" when it has none. */
const char *fleet_text(const struct fleet_list *l, uint32_t at);

/*
 * Append the URL that a phone is given: its own, or base ("" when there is none), with its own login put in. ERR_INPUT
 * when there is no URL, or one with a login already.
 */
int fleet_url(const struct fleet_list *l, const struct fleet_phone *p, const char *base, struct buf *out, struct err *e);

/* The same, and it is a URL of which an XML can be fetched. */
int fleet_url_check(const struct fleet_list *l, const struct fleet_phone *p, const char *base, struct buf *out,
    struct err *e);

void fleet_list_release(struct fleet_list *l);

#endif
