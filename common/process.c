/* SPDX-License-Identifier: ISC */
#include "common/process.h"

#include <malloc.h>
#include <openssl/rand.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#define TRIM_BYTES (4 << 20)

void
process_harden(void)
{
	const struct rlimit none = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)umask(077);
	(void)signal(SIGPIPE, SIG_IGN);
	/* A full quota shows as EFBIG from write() and as a clear error, not as a killed process. */
	(void)signal(SIGXFSZ, SIG_IGN);
}

/* Not those that nohup or a shell's background has made the program ignore: blocked, they would come nevertheless. */
static void
stop_set(sigset_t *set)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct sigaction now;

	(void)sigemptyset(set);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (sigaction(signals[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
			(void)sigaddset(set, signals[i]);
}

void
process_stop_block(void)
{
	sigset_t set;

	stop_set(&set);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
}

int
process_stop_pending(void)
{
	const struct timespec now = { 0, 0 };
	sigset_t set;
	int sig;

	stop_set(&set);
	sig = sigtimedwait(&set, NULL, &now);
	return sig > 0 ? sig : 0;
}

int
process_stop_wait(void)
{
	sigset_t set;
	int sig;

	stop_set(&set);
	while (sigwait(&set, &sig) != 0)
		;
	return sig;
}

int
process_stop_wait_for(long ms)
{
	const struct timespec limit = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
	sigset_t set;
	int sig;

	stop_set(&set);
	sig = sigtimedwait(&set, NULL, &limit);
	return sig > 0 ? sig : 0;
}

static void
event_set(sigset_t *set)
{
	stop_set(set);
	(void)sigaddset(set, SIGCHLD);
	(void)sigaddset(set, SIGUSR1);
}

void
process_event_block(void)
{
	sigset_t set;

	event_set(&set);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
}

int
process_event_wait(long ms)
{
	const struct timespec limit = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
	sigset_t set;
	int sig;

	event_set(&set);
	do
		sig = sigtimedwait(&set, NULL, ms < 0 ? NULL : &limit);
	while (sig < 0 && ms < 0);
	return sig > 0 ? sig : 0;
}

bool
process_end_is_asked(void)
{
	sigset_t set;

	return sigpending(&set) == 0 &&
	       (sigismember(&set, SIGINT) == 1 || sigismember(&set, SIGTERM) == 1 || sigismember(&set, SIGQUIT) == 1);
}

unsigned int
process_cpus(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		return 1;
	return (unsigned int)CPU_COUNT(&set);
}

void
process_raise_files(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		return;
	files.rlim_cur = files.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &files);
}

void
process_one_arena(void)
{
	(void)mallopt(M_ARENA_MAX, 1);
	/* Not to ask the system for the same memory time and again. */
	(void)mallopt(M_TRIM_THRESHOLD, TRIM_BYTES);
	(void)mallopt(M_TOP_PAD, TRIM_BYTES / 4);
}

void
process_cond_init(pthread_cond_t *ret)
{
	pthread_condattr_t attr;

	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(ret, &attr);
	(void)pthread_condattr_destroy(&attr);
}

int
process_random(void *out, size_t len, struct err *e)
{
	if (RAND_priv_bytes(out, (int)len) != 1)
		return err_openssl(e, ERR_FAILED, "random generator");
	return 0;
}
