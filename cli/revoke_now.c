/* SPDX-License-Identifier: ISC */
#include "cli/revoke_now.h"

#include "cli/state.h"
#include "db/bar.h"

#include <string.h>
#include <time.h>

#define LOOK_MS 100
#define ANSWER_MS 10000 /* until somebody who watches has taken note: he may have to wait for another writer */
#define END_MS 20000    /* until the server has told of the session's end: five seconds after its client was told */

static int
gather(const struct db_certificate *c, void *arg, struct err *e)
{
	return c->server ? 0 : revocation_add(arg, c->serial, e);
}

int
revoke_now_of_phone(struct db *db, const struct db_phone *p, struct revoke_now *n, struct err *e)
{
	const struct db_certificate_filter filter = { .name = p->mac };

	n->phone = p->id;
	return db_certificate_each(db, &filter, gather, &n->bar, e);
}

int
revoke_now_of_serial(struct db *db, const unsigned char serial[DB_SERIAL_SIZE], struct revoke_now *n, struct err *e)
{
	struct db_certificate c;
	char owner[DB_MAC_SIZE];
	struct db_phone p;

	if (db_certificate_get(db, serial, &c, e) != 0 || gather(&c, &n->bar, e) != 0)
		return -1;
	if (db_phone_get(db, c.name, &p, NULL) == 0 ||
	    (db_certificate_owner(db, serial, owner, NULL) == 0 && db_phone_get(db, owner, &p, NULL) == 0))
		n->phone = p.id;
	return 0;
}

/* A session with another certificate of the phone's is none of our business; one with an unknown one may be. */
static int
goes_on(struct db *db, const struct revoke_now *n, bool *ret, struct err *e)
{
	struct err none = ERR_INIT;
	struct db_session s;

	*ret = false;
	if (n->phone == 0)
		return 0;
	if (db_session_get(db, n->phone, &s, &none) != 0)
		return none.code == ERR_NOT_FOUND ? 0 : err_set(e, none.code, "%s", none.text);
	if (s.ended != 0)
		return 0;
	*ret = !s.has_serial;
	for (size_t i = 0; i < n->bar.count; i++)
		*ret = *ret || memcmp(n->bar.serials[i], s.serial, sizeof(s.serial)) == 0;
	return 0;
}

static int
look(struct db *db, struct revoke_now *n, struct err *e)
{
	bool is_answered, is_on;

	if (db_bar_answer(db, n->event, &is_answered, &n->attached, e) != 0 || goes_on(db, n, &is_on, e) != 0)
		return -1;
	n->outcome = !is_answered ? NOW_UNWATCHED : is_on ? NOW_GOES_ON : NOW_ENDED;
	return 0;
}

int
revoke_now_wait(const struct invocation *in, struct revoke_now *n, struct err *e)
{
	const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000 };
	struct db *db = state_open(in, e);
	int rc = db != NULL ? look(db, n, e) : -1;

	for (long waited = 0; rc == 0 && n->outcome != NOW_ENDED; waited += LOOK_MS) {
		if (waited >= (n->outcome == NOW_UNWATCHED ? ANSWER_MS : END_MS))
			break;
		(void)nanosleep(&pause, NULL);
		rc = look(db, n, e);
	}
	db_close(db);
	return rc;
}

const char *
revoke_now_outcome(const struct revoke_now *n)
{
	static const char *const names[] = {
		[NOW_UNWATCHED] = "unwatched",
		[NOW_ENDED] = "ended",
		[NOW_GOES_ON] = "goes on",
	};

	return names[n->outcome];
}

int
revoke_now_check(const struct revoke_now *n, struct err *e)
{
	switch (n->outcome) {
	case NOW_UNWATCHED:
		return err_set(e, ERR_FAILED,
		    "revoked, but no 'phonevpn watch' seems to be running that would end its session; one that is "
		    "started ends it, and until then it goes on");
	case NOW_GOES_ON:
		return err_set(e, ERR_FAILED,
		    "revoked, but its session goes on: 'phonevpn watch' is attached to %zu servers, and has not seen "
		    "its end",
		    n->attached);
	case NOW_ENDED:
		break;
	}
	if (n->attached == 0)
		return err_set(e, ERR_FAILED,
		    "revoked, but 'phonevpn watch' is attached to no server; it ends the session when it is");
	return 0;
}
