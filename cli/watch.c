/* SPDX-License-Identifier: ISC */
#include "rollout/watch.h"

#include "cli/commands.h"
#include "cli/service_manager.h"
#include "cli/state.h"
#include "common/log.h"
#include "common/process.h"
#include "common/text.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	OPT_MANAGEMENT,
	OPT_SOAK,
};

#define SOAK_DEFAULT 900
#define SOAK_MAX (7UL * 24 * 3600)

static const struct option_def options[] = {
	[OPT_MANAGEMENT] = { "management", "SOCKET[,SOCKET...]", "the servers' management sockets (required)" },
	[OPT_SOAK] = { "soak", "SECONDS",
	    "how long a session has to last for its generation to count as settled (900)" },
	OPTION_END,
};

struct sockets {
	char *names; /* cut into paths */
	const char *paths[WATCH_SERVERS_MAX];
	size_t count, refused;
};

static int
socket_add(struct sockets *s, const char *path, struct err *e)
{
	if (strlen(path) == 0 || strlen(path) > WATCH_PATH_MAX)
		return err_set(e, ERR_USAGE, "--management: expected a socket's path of 1 to %d bytes, found \"%s\"",
		    WATCH_PATH_MAX, path);
	for (size_t i = 0; i < s->count; i++) {
		if (strcmp(s->paths[i], path) == 0)
			return err_set(e, ERR_USAGE, "--management: %s: named twice", path);
	}
	if (s->count == WATCH_SERVERS_MAX)
		return err_set(e, ERR_USAGE, "--management: expected at most %d sockets, found more",
		    WATCH_SERVERS_MAX);
	s->paths[s->count++] = path;
	return 0;
}

static int
sockets_parse(const char *option, struct sockets *ret, struct err *e)
{
	char *rest;

	if (option == NULL)
		return err_set(e, ERR_USAGE, "watch: expected --management SOCKET, found none");
	ret->names = rest = strdup(option);
	if (rest == NULL)
		return err_set(e, ERR_FAILED, "watch: no memory");
	while (rest != NULL) {
		if (socket_add(ret, strsep(&rest, ","), e) != 0)
			return -1;
	}
	return 0;
}

static void
tell_sighted(const struct db_sighting *s, const struct db_sighted *d)
{
	char serial[2 * DB_SERIAL_SIZE + 1], since[TEXT_TIME_SIZE];

	switch (d->outcome) {
	case DB_OUTCOME_NONE:
		break;
	case DB_OUTCOME_CONNECTED:
		log_info("phone %s: connected with generation %lld, from %s", d->mac, (long long)d->number, s->address);
		break;
	case DB_OUTCOME_FELL_BACK:
		log_warn(
		    "phone %s: fell back to generation %lld after it was connected with %lld: it has lost the newer "
		    "bundle, as by a factory reset, or discarded it",
		    d->mac, (long long)d->number, (long long)d->newer);
		break;
	case DB_OUTCOME_UNKNOWN:
		text_hex_number(s->serial, sizeof(s->serial), serial);
		log_warn(
		    "phone %s: connected from %s with a certificate, serial %s, that is on no bundle of this phone's",
		    d->mac, s->address, serial);
		break;
	case DB_OUTCOME_UNWATCHED:
		text_time(s->since, since);
		log_info("phone %s: is connected since %s; with which certificate shows when it connects anew", d->mac,
		    since);
		break;
	case DB_OUTCOME_STRANGER:
		log_warn("%s: connected from %s; no phone of the fleet has that name", s->name, s->address);
		break;
	}
}

static void
tell(void *arg, const struct watch_news *news)
{
	struct sockets *sockets = arg;

	switch (news->what) {
	case WATCH_ATTACHED:
		log_info("%s: attached; %zu session%s had ended meanwhile", news->server, news->count,
		    news->count == 1 ? "" : "s");
		break;
	case WATCH_LOST:
		log_warn("%s; tried again until it is there", news->why);
		break;
	case WATCH_REFUSED:
		sockets->refused++;
		log_error("%s; it is not watched", news->why);
		break;
	case WATCH_SIGHTED:
		tell_sighted(news->sighting, news->sighted);
		break;
	case WATCH_SETTLED:
		log_info("%s: %zu phone%s settled", news->server, news->count, news->count == 1 ? " has" : "s have");
		break;
	case WATCH_BARRED:
		log_warn("%s: told to end the session of client %llu, %s from %s: its certificate is barred",
		    news->server, (unsigned long long)news->client->id, news->client->name, news->client->address);
		break;
	case WATCH_STORE:
		log_error("%s; tried again", news->why);
		break;
	}
}

/* Tell the service manager as often as it wants to hear. */
static void
alive(time_t *next)
{
	long interval = manager_alive_interval();

	if (interval < 0 || time(NULL) < *next)
		return;
	manager_alive();
	*next = time(NULL) + interval / 1000;
}

static int
watch_until_stopped(const struct watch_config *config, const struct sockets *sockets, struct err *e)
{
	struct watch *w = watch_open(config, e);
	time_t next_alive = 0;
	bool is_stored;

	if (w == NULL)
		return -1;
	manager_ready();
	while (sockets->refused < sockets->count) {
		int sig = process_stop_pending();

		if (sig != 0 && sig != SIGHUP)
			break;
		watch_step(w);
		alive(&next_alive);
	}
	manager_stopping();
	is_stored = watch_close(w);
	if (sockets->refused == sockets->count)
		return err_set(e, ERR_CONFLICT, "watch: no server is left that may be watched");
	return is_stored ? 0 : err_set(e, ERR_FAILED, "watch: the last of what was seen is not on record");
}

static int
watch_run(const struct invocation *in, struct err *e)
{
	struct sockets sockets = { .count = 0 };
	struct watch_config config = { .soak = SOAK_DEFAULT, .tell = tell, .arg = &sockets };
	char actor[STATE_ACTOR_SIZE];
	struct db_location where;
	struct db *db = NULL;
	int rc = -1;

	state_location(in, actor, &where);
	if (sockets_parse(in->option[OPT_MANAGEMENT], &sockets, e) != 0 ||
	    command_number(in->option[OPT_SOAK], 1, SOAK_MAX, "soak", &config.soak, e) != 0)
		goto out;
	/* That there is a state, and of this version, shall show now. */
	db = db_open(&where, e);
	if (db == NULL)
		goto out;
	db_close(db);
	where.at_once = true;
	config.where = &where;
	config.sockets = sockets.paths;
	config.count = sockets.count;
	process_stop_block();
	if (in->quiet)
		log_set_level(LOG_LEVEL_WARN);
	rc = watch_until_stopped(&config, &sockets, e);
out:
	free(sockets.names);
	return rc;
}

const struct command command_watch = {
	.name = "watch",
	.summary = "Record which phones connect to OpenVPN servers, and with which certificate",
	.details =
	    "Listens on the management sockets of OpenVPN servers, as 'phonevpn emit server' sets them up, until it is told "
	    "to stop. A server tells the serial number of a phone's certificate only while somebody listens, and to one "
	    "listener at a time; so this is a service that runs for as long as the servers do. What it sees is recorded: that "
	    "a phone has connected with the certificate of a generation, and that its session then lasted for --soak. "
	    "'phonevpn phone show' and 'phonevpn events' show it. A phone that comes back with an older certificate, or "
	    "with one that phonevpn does not know, is named. Of a session that began while nobody listened, the list of the "
	    "server's clients tells the name alone: its certificate is known only where the phone has never had another one.",
	.options = options,
	.run = watch_run,
};
