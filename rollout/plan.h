/* SPDX-License-Identifier: ISC */
#ifndef ROLLOUT_PLAN_H
#define ROLLOUT_PLAN_H

#include "common/err.h"
#include "db/rollout.h"

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

/* What a rollout does to its phones, in which pieces, and what stops it. */

enum plan_what {
	PLAN_RENEW,	/* a new certificate for the same key */
	PLAN_REKEY,	/* a new key, too */
	PLAN_SETTINGS,	/* the same certificate, with what the settings have become */
};

/* So many phones, or so many of a hundred. */
struct plan_share {
	unsigned long number;
	bool is_percent;
};

struct plan {
	enum plan_what what;
	struct plan_share waves[DB_WAVES_MAX];
	size_t wave_count;		/* what they leave over is one more */
	unsigned long success;		/* of a hundred phones of a wave, so many have to settle before the next one */
	struct plan_share errors;	/* more phones of a wave than these fail: pause */
	unsigned long soak;		/* seconds between a wave's success and the next one */
	unsigned long per_minute;	/* phones; 0: no limit */
	unsigned long deadline;		/* seconds a phone has to settle from when it is offered its generation */
	bool has_quiet;
	int quiet_from, quiet_until;	/* minutes of the day, local time, from until before; may cross midnight */
	char ca[65];			/* the authority that is moved to; "": none */
	char server[512];		/* a server.conf that is kept by hand, for the lock-out guard; "": none */
};

#define PLAN_WAVES_DEFAULT "5,10%"
#define PLAN_SUCCESS_DEFAULT 95
#define PLAN_ERRORS_DEFAULT "5%"
#define PLAN_SOAK_DEFAULT "1h"
#define PLAN_PER_MINUTE_DEFAULT 100
#define PLAN_DEADLINE_DEFAULT "72h"

/* "renew" and so on. */
const char *plan_what_name(enum plan_what what);

/* All at its default. */
void plan_default(struct plan *p);

/* "5", "10%" of at most 100 %; "08:00-18:00"; sizes of waves with commas between. ERR_USAGE names what is wrong. */
int plan_share_parse(const char *s, const char *what, struct plan_share *ret, struct err *e);
int plan_waves_parse(const char *s, struct plan *ret, struct err *e);
int plan_quiet_parse(const char *s, struct plan *ret, struct err *e);

/* The plan as the text that is stored, and back. ERR_INTEGRITY when it is none. */
int plan_write(const struct plan *p, char ret[DB_ROLLOUT_PLAN_SIZE], struct err *e);
int plan_read(const char *text, struct plan *ret, struct err *e);

/* "5" or "10%". */
#define PLAN_SHARE_SIZE 24
void plan_share_text(const struct plan_share *s, char ret[PLAN_SHARE_SIZE]);

/* How many of count phones a share is: part of a phone counts as one, if up, or not at all. */
size_t plan_share_of(const struct plan_share *s, size_t count, bool up);

/*
 * Into how many phones each wave of count is cut, ret_sizes[0] the first's; canaries phones stand before them all as a wave
 * of their own. The number of waves.
 */
size_t plan_waves(const struct plan *p, size_t count, size_t canaries, size_t ret_sizes[DB_WAVES_MAX]);

/* The end of the quiet hours that now is in; 0 when it is in none. */
time_t plan_quiet_end(const struct plan *p, time_t now);

#endif
