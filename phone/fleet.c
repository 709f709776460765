/* SPDX-License-Identifier: ISC */
#include "phone/fleet.h"

#include "common/process.h"
#include "common/progress.h"
#include "phone/fleet_poll.h"

#include <stdlib.h>
#include <sys/resource.h>

#define WAIT_MAX 200      /* ms, until a signal is seen and the progress drawn */
#define UNRESOLVED_MAX 16 /* phones at once whose hosts have no address: each looks it up anew, in a thread */
#define FILES_SPARE 32    /* descriptors for all but connections */

struct fleet {
	struct fleet_list *list;
	const struct fleet_boot_plan *plan;
	struct fleet_result *result;
	struct fleet_boot_crowd crowd;

	CURLM *multi;
	struct fleet_poll poll;
	long long wake; /* when libcurl wants to be called, in µs of the monotonic clock; negative: not at all */

	struct fleet_boot **boots, **idle;
	size_t most, boot_count, idle_count;
	size_t first, next; /* in the list: the one that goes alone; the next of all */
	bool alone;
};

static int
multi_failed(CURLMcode code, struct err *e)
{
	return err_set(e, ERR_FAILED, "libcurl: %s", curl_multi_strerror(code));
}

/* libcurl tells which socket it waits for. */
static int
on_socket(CURL *curl, curl_socket_t fd, int what, void *arg, void *assigned)
{
	struct fleet *f = arg;

	(void)curl;
	(void)assigned;
	return fleet_poll_want(&f->poll, fd, what);
}

static int
on_timer(CURLM *multi, long ms, void *arg)
{
	struct fleet *f = arg;

	(void)multi;
	f->wake = ms < 0 ? -1 : fleet_boot_clock() + ms * 1000LL;
	return 0;
}

static void
phone_ended(struct fleet *f, struct fleet_boot *h)
{
	long long micros = fleet_boot_provisioned(h) ? fleet_boot_clock() - h->began : -1;

	fleet_result_add(f->result, h->who, micros, fleet_boot_reason(h));
	if (h->unresolved && f->most > UNRESOLVED_MAX)
		f->most = UNRESOLVED_MAX;
	fleet_boot_end(h);
	f->idle[f->idle_count++] = h;
	f->alone = false;
}

static int
obey(struct fleet *f, struct fleet_boot *h, enum fleet_boot_wish wish, struct err *e)
{
	CURLMcode code;

	if (wish == FLEET_BOOT_END) {
		phone_ended(f, h);
		return 0;
	}
	code = curl_multi_add_handle(f->multi, h->curl);
	if (code != CURLM_OK)
		return multi_failed(code, e);
	h->running = true;
	return 0;
}

static struct fleet_boot *
fleet_boot_take(struct fleet *f, struct err *e)
{
	struct fleet_boot *h;

	if (f->idle_count > 0)
		return f->idle[--f->idle_count];
	h = fleet_boot_new(f->plan, &f->crowd, e);
	if (h != NULL)
		f->boots[f->boot_count++] = h;
	return h;
}

static int
phone_start(struct fleet *f, size_t at, struct err *e)
{
	struct fleet_boot *h = fleet_boot_take(f, e);

	if (h == NULL)
		return -1;
	h->began = fleet_boot_clock();
	return obey(f, h, fleet_boot_start(h, &f->list->phones[at]), e);
}

/* As many phones as may boot at the same time. */
static int
start_phones(struct fleet *f, struct err *e)
{
	while (!f->alone && f->next < f->list->count && f->boot_count - f->idle_count < f->most) {
		size_t at = f->next++;

		if (at != f->first && phone_start(f, at, e) != 0)
			return -1;
	}
	return 0;
}

static int
transfers_ended(struct fleet *f, struct err *e)
{
	const CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(f->multi, &left)) != NULL) {
		CURLcode code = m->data.result;
		CURL *curl = m->easy_handle;
		struct fleet_boot *h = NULL;

		(void)curl_easy_getinfo(curl, CURLINFO_PRIVATE, &h);
		(void)curl_multi_remove_handle(f->multi, curl);
		h->running = false;
		if (obey(f, h, fleet_boot_fetched(h, code), e) != 0)
			return -1;
	}
	return 0;
}

/* What libcurl wants to do by its timer. */
static int
timer_run(struct fleet *f, struct err *e)
{
	CURLMcode code = CURLM_OK;
	int running;

	if (f->wake >= 0 && f->wake <= fleet_boot_clock()) {
		f->wake = -1;
		code = curl_multi_socket_action(f->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	}
	return code == CURLM_OK ? 0 : multi_failed(code, e);
}

/* As far as it goes without waiting. */
static int
go_on(struct fleet *f, struct err *e)
{
	return transfers_ended(f, e) == 0 && start_phones(f, e) == 0 && timer_run(f, e) == 0 &&
	               transfers_ended(f, e) == 0
	           ? 0
	           : -1;
}

/* For how long there is nothing to do, in ms. */
static int
idle_time(const struct fleet *f)
{
	long long wake = fleet_boot_clock() + WAIT_MAX * 1000LL, wait;

	if (f->wake >= 0 && f->wake < wake)
		wake = f->wake;
	if (f->crowd.slow != NULL && f->crowd.slow->resume < wake)
		wake = f->crowd.slow->resume;
	wait = (wake - fleet_boot_clock() + 999) / 1000;
	return wait > 0 ? (int)wait : 0;
}

/* One round: wait for sockets and libcurl's timer, and let libcurl go on. */
static int
turn(struct fleet *f, struct err *e)
{
	int ready[FLEET_POLL_MAX];
	CURLMcode code = CURLM_OK;
	int running, n;

	n = fleet_poll_wait(&f->poll, idle_time(f), ready, e);
	if (n < 0)
		return -1;
	for (int i = 0; i < n && code == CURLM_OK; i++) {
		int what = fleet_poll_take(&f->poll, ready[i]);

		if (what != 0)
			code = curl_multi_socket_action(f->multi, ready[i], what, &running);
		/* At once, while the phone's memory is in the processor's cache: in a thousand it does not stay. */
		if (code == CURLM_OK && what != 0 && go_on(f, e) != 0)
			return -1;
	}
	if (code != CURLM_OK)
		return multi_failed(code, e);
	fleet_boot_resume(&f->crowd);
	return go_on(f, e);
}

static int
run(struct fleet *f, bool quiet, struct err *e)
{
	struct progress progress;
	int rc = 0;

	progress_start(&progress, "booting", f->list->count, quiet);
	f->alone = f->first < f->list->count;
	if (f->alone)
		rc = phone_start(f, f->first, e);
	while (rc == 0 && f->result->done < f->list->count && !f->result->stopped) {
		rc = start_phones(f, e);
		/* Phones that could not begin are done without a transfer. */
		if (rc == 0 && f->result->done < f->list->count)
			rc = turn(f, e);
		f->result->stopped = process_stop_pending() != 0;
		progress_set(&progress, f->result->done);
	}
	progress_end(&progress);
	return rc;
}

static size_t
first_good(const struct fleet_list *l)
{
	size_t i = 0;

	while (i < l->count && l->phones[i].fault != FAULT_NONE)
		i++;
	return i;
}

static int
files_check(size_t concurrency, struct err *e)
{
	struct rlimit files;

	process_raise_files();
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < concurrency + FILES_SPARE)
		return err_set(e, ERR_USAGE,
		    "concurrency: expected at most %lu, as this process may open %lu files, found %zu; 'ulimit -Hn' "
		    "tells the limit",
		    (unsigned long)(files.rlim_cur > FILES_SPARE ? files.rlim_cur - FILES_SPARE : 0),
		    (unsigned long)files.rlim_cur, concurrency);
	return 0;
}

static int
fleet_open(struct fleet *f, struct err *e)
{
	f->boots = calloc(f->most, sizeof(struct fleet_boot *));
	f->idle = calloc(f->most, sizeof(struct fleet_boot *));
	f->multi = curl_multi_init();
	if (f->boots == NULL || f->idle == NULL || f->multi == NULL)
		return err_set(e, ERR_FAILED, "fleet of %zu phones: no memory", f->list->count);
	if (fleet_poll_open(&f->poll, e) != 0)
		return -1;
	if (curl_multi_setopt(f->multi, CURLMOPT_SOCKETFUNCTION, on_socket) != CURLM_OK ||
	    curl_multi_setopt(f->multi, CURLMOPT_SOCKETDATA, f) != CURLM_OK ||
	    curl_multi_setopt(f->multi, CURLMOPT_TIMERFUNCTION, on_timer) != CURLM_OK ||
	    curl_multi_setopt(f->multi, CURLMOPT_TIMERDATA, f) != CURLM_OK ||
	    /* Of each phone one for the XML, and one where the bundle is on another host. */
	    curl_multi_setopt(f->multi, CURLMOPT_MAXCONNECTS, f->plan->share ? (long)f->most : 2L) != CURLM_OK)
		return err_set(e, ERR_FAILED, "libcurl: an option cannot be set");
	return 0;
}

static void
fleet_close(struct fleet *f)
{
	for (size_t i = 0; i < f->boot_count; i++) {
		if (f->boots[i]->running)
			(void)curl_multi_remove_handle(f->multi, f->boots[i]->curl);
	}
	/* It closes shared connections, which the boots that opened them count. */
	(void)curl_multi_cleanup(f->multi);
	for (size_t i = 0; i < f->boot_count; i++)
		fleet_boot_free(f->boots[i]);
	fleet_poll_close(&f->poll);
	free(f->boots);
	free(f->idle);
}

int
fleet_run(struct fleet_list *list, const struct fleet_boot_plan *plan, size_t concurrency, bool quiet,
    struct fleet_result *ret, struct err *e)
{
	struct fleet f = {
		.list = list,
		.plan = plan,
		.result = ret,
		.poll = FLEET_POLL_INIT,
		.wake = -1,
		.most = concurrency < list->count ? concurrency : list->count,
		.first = first_good(list),
	};
	long long began = fleet_boot_clock();
	int rc = -1;

	f.crowd.slow_end = &f.crowd.slow;
	f.crowd.poll = &f.poll;
	if (fleet_result_start(ret, list->count, e) != 0 || files_check(f.most, e) != 0)
		return -1;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(e, ERR_FAILED, "libcurl: cannot be started");
	if (fleet_open(&f, e) == 0)
		rc = run(&f, quiet, e);
	fleet_close(&f);
	curl_global_cleanup();
	ret->seconds = (double)(fleet_boot_clock() - began) / 1e6;
	ret->requests = f.crowd.requests;
	ret->bytes = f.crowd.bytes;
	ret->connections = f.crowd.most;
	fleet_result_finish(ret);
	return rc;
}
