/* SPDX-License-Identifier: ISC */
#include "provisioner/http_log_file.h"

#include "common/log.h"
#include "common/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOG_MODE 0600
#define NS_PER_MS 1000000

/* Not more than a pipe takes in one piece, so that lines of others do not come in between. */
#define GATHERED_MAX PIPE_BUF

struct http_log_file {
	char *path; /* NULL: stderr */
	int fd;
	pthread_t flusher;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool ending, failed;
	bool idle;         /* the flusher is, and has to be told of the first line that waits */
	long long written; /* when, in milliseconds */
	char gathered[GATHERED_MAX];
	size_t len;
	time_t second; /* that the text is of */
	char text[HTTP_LOG_TIME_SIZE];
};

static long long
now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (long long)t.tv_sec * 1000 + t.tv_nsec / NS_PER_MS;
}

/* ---- writing, under the lock ---- */

/* A full disk is told of once, not at each request. */
static void
flush(struct http_log_file *f)
{
	size_t done = 0;
	ssize_t n = 0;

	while (done < f->len && (n = write(f->fd, f->gathered + done, f->len - done)) > 0)
		done += (size_t)n;
	if (done < f->len && !f->failed)
		log_error("access log %s: %s; requests are not logged", f->path != NULL ? f->path : "on stderr",
		    n < 0 ? strerror(errno) : "disk full");
	f->failed = done < f->len;
	f->len = 0;
	f->written = now_ms();
}

/* What lines begin with on stderr. */
static const char *
prefix(const struct http_log_file *f)
{
	extern char *program_invocation_short_name;

	return f->path == NULL ? program_invocation_short_name : NULL;
}

static void
add(struct http_log_file *f, const char *s, size_t len)
{
	if (len > GATHERED_MAX - f->len)
		len = GATHERED_MAX - f->len;
	memcpy(f->gathered + f->len, s, len);
	f->len += len;
}

void
http_log_file_add(struct http_log_file *f, const char *line, size_t len)
{
	const char *name = prefix(f);

	if (name != NULL && !log_shows(LOG_LEVEL_INFO))
		return;
	(void)pthread_mutex_lock(&f->lock);
	if (f->len + len + sizeof(": \n") + (name != NULL ? strlen(name) : 0) > GATHERED_MAX)
		flush(f);
	if (name != NULL) {
		add(f, name, strlen(name));
		add(f, ": ", 2);
	}
	add(f, line, len);
	add(f, "\n", 1);
	if (now_ms() - f->written >= HTTP_LOG_DELAY_MS)
		flush(f);
	else if (f->idle)
		(void)pthread_cond_signal(&f->changed);
	f->idle = f->idle && f->len == 0;
	(void)pthread_mutex_unlock(&f->lock);
}

void
http_log_file_flush(struct http_log_file *f)
{
	(void)pthread_mutex_lock(&f->lock);
	flush(f);
	(void)pthread_mutex_unlock(&f->lock);
}

void
http_log_file_time(struct http_log_file *f, char out[HTTP_LOG_TIME_SIZE])
{
	time_t now = time(NULL);
	struct tm tm;

	(void)pthread_mutex_lock(&f->lock);
	if (f->second != now &&
	    (localtime_r(&now, &tm) == NULL || strftime(f->text, sizeof(f->text), "%d/%b/%Y:%H:%M:%S %z", &tm) == 0))
		(void)snprintf(f->text, sizeof(f->text), "-");
	f->second = now;
	memcpy(out, f->text, sizeof(f->text));
	(void)pthread_mutex_unlock(&f->lock);
}

/* Lines that wait are written when their time has come, even if no other one follows. */
static void *
flusher(void *arg)
{
	struct http_log_file *f = arg;
	struct timespec until;

	(void)pthread_mutex_lock(&f->lock);
	while (!f->ending) {
		if (f->len == 0) {
			f->idle = true;
			(void)pthread_cond_wait(&f->changed, &f->lock);
			continue;
		}
		(void)clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += HTTP_LOG_DELAY_MS * NS_PER_MS;
		until.tv_sec += until.tv_nsec / (1000 * NS_PER_MS);
		until.tv_nsec %= 1000 * NS_PER_MS;
		while (!f->ending && pthread_cond_timedwait(&f->changed, &f->lock, &until) == 0)
			;
		flush(f);
	}
	(void)pthread_mutex_unlock(&f->lock);
	return NULL;
}

/* ---- the file ---- */

static int
file_open(const char *path, struct err *e)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, LOG_MODE);

	return fd >= 0 ? fd : err_errno(e, ERR_FAILED, errno, "access log %s", path);
}

static void
file_free(struct http_log_file *f)
{
	if (f->fd >= 0 && f->path != NULL)
		(void)close(f->fd);
	(void)pthread_cond_destroy(&f->changed);
	(void)pthread_mutex_destroy(&f->lock);
	free(f->path);
	free(f);
}

static struct http_log_file *
file_new(const char *path)
{
	struct http_log_file *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	f->fd = -1;
	f->path = path != NULL ? strdup(path) : NULL;
	(void)pthread_mutex_init(&f->lock, NULL);
	process_cond_init(&f->changed);
	if (path == NULL || f->path != NULL)
		return f;
	file_free(f);
	return NULL;
}

struct http_log_file *
http_log_file_open(const char *path, struct err *e)
{
	struct http_log_file *f = file_new(path);
	int failed;

	if (f == NULL) {
		(void)err_set(e, ERR_FAILED, "access log: no memory");
		return NULL;
	}
	f->fd = path != NULL ? file_open(path, e) : STDERR_FILENO;
	if (f->fd < 0) {
		file_free(f);
		return NULL;
	}
	failed = pthread_create(&f->flusher, NULL, flusher, f);
	if (failed == 0)
		return f;
	file_free(f);
	(void)err_errno(e, ERR_FAILED, failed, "access log: no thread can be started");
	return NULL;
}

void
http_log_file_close(struct http_log_file *f)
{
	if (f == NULL)
		return;
	(void)pthread_mutex_lock(&f->lock);
	f->ending = true;
	(void)pthread_cond_signal(&f->changed);
	(void)pthread_mutex_unlock(&f->lock);
	(void)pthread_join(f->flusher, NULL);
	http_log_file_flush(f);
	file_free(f);
}

/* The descriptor keeps its number, so that no thread ever finds it closed. */
int
http_log_file_reopen(struct http_log_file *f, struct err *e)
{
	int fd, rc = 0;

	if (f->path == NULL)
		return 0;
	http_log_file_flush(f);
	fd = file_open(f->path, e);
	if (fd < 0)
		return -1;
	if (dup3(fd, f->fd, O_CLOEXEC) < 0)
		rc = err_errno(e, ERR_FAILED, errno, "access log %s", f->path);
	(void)close(fd);
	return rc;
}
