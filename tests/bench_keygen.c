/* SPDX-License-Identifier: ISC */
#include "ca/keygen.h"
#include "ca/prime_engine.h"
#include "common/text.h"

#include <fcntl.h>
#include <gnutls/x509.h>
#include <jansson.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS_MAX 99
#define CONTENDERS_MAX 8
#define BUDGET 2.0 /* seconds of CPU for each in a round */
#define KEYS_MAX 10000

/*
 * bench_keygen BITS ROUNDS FILE [NAME...]: CPU time of an RSA key: ours with each engine of this CPU, and those of others
 * (library is EVP_RSA_gen(), pki a process for each key, where it is installed). Each has a turn of about two seconds in
 * each round, so that what else the machine does hits all of them alike; the median of the rounds counts. A table on
 * standard output, the same as JSON in FILE. Compare ratios: they carry over to other machines.
 */
struct contender {
	const char *name;
	int (*make)(struct contender *c, struct err *e); /* one key */
	struct ca_keygen *maker;
	unsigned int bits;
	unsigned long turn; /* keys of a turn */
	double ms[ROUNDS_MAX];
};

static double
cpu_ms(void)
{
	struct rusage self, children;

	(void)getrusage(RUSAGE_SELF, &self);
	(void)getrusage(RUSAGE_CHILDREN, &children);
	return 1e3 * (double)(self.ru_utime.tv_sec + self.ru_stime.tv_sec + children.ru_utime.tv_sec +
			      children.ru_stime.tv_sec) +
	       1e-3 * (double)(self.ru_utime.tv_usec + self.ru_stime.tv_usec + children.ru_utime.tv_usec +
			       children.ru_stime.tv_usec);
}

static int
maker_make(struct contender *c, struct err *e)
{
	EVP_PKEY *key = ca_keygen_next(c->maker, e);

	EVP_PKEY_free(key);
	return key == NULL ? -1 : 0;
}

static int
gnutls_make(struct contender *c, struct err *e)
{
	gnutls_x509_privkey_t key = NULL;
	int status = gnutls_x509_privkey_init(&key);

	if (status == 0)
		status = gnutls_x509_privkey_generate(key, GNUTLS_PK_RSA, c->bits, 0);
	gnutls_x509_privkey_deinit(key);
	return status == 0 ? 0 : err_set(e, ERR_FAILED, "GnuTLS: %s", gnutls_strerror(status));
}

static int
pki_make(struct contender *c, struct err *e)
{
	char pki[] = "pki", gen[] = "--gen", type[] = "--type", rsa[] = "rsa", size[] = "--size", bits[16];
	char *const argv[] = { pki, gen, type, rsa, size, bits, NULL };
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int status = -1;

	(void)snprintf(bits, sizeof(bits), "%u", c->bits);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	if (posix_spawnp(&pid, pki, &actions, NULL, argv, environ) == 0)
		(void)waitpid(pid, &status, 0);
	posix_spawn_file_actions_destroy(&actions);
	return status == 0 ? 0 : err_set(e, ERR_FAILED, "pki: status %d", status);
}

/* All that there are, or those named. */
static size_t
contenders_list(struct contender *list, unsigned int bits, char *const *names)
{
	struct contender all[CONTENDERS_MAX] = { { .name = "library", .make = maker_make } };
	size_t count = 1, ret = 0;

	for (const struct ca_engine *const *engine = ca_engines(); *engine != NULL; engine++)
		if ((*engine)->supported(bits / 2))
			all[count++] = (struct contender){ .name = (*engine)->name, .make = maker_make };
	all[count++] = (struct contender){ .name = "gnutls", .make = gnutls_make };
	if (access("/usr/bin/pki", X_OK) == 0)
		all[count++] = (struct contender){ .name = "pki", .make = pki_make };
	for (size_t i = 0; i < count; i++) {
		bool wanted = names[0] == NULL;

		for (char *const *name = names; *name != NULL; name++)
			wanted = wanted || strcmp(*name, all[i].name) == 0;
		if (wanted) {
			list[ret] = all[i];
			list[ret++].bits = bits;
		}
	}
	return ret;
}

static int
contender_init(struct contender *c, struct err *e)
{
	const struct ca_engine *const *engine = ca_engines();
	double start = cpu_ms(), ms;
	unsigned long keys = 0;

	if (c->make == maker_make) {
		while (*engine != NULL && strcmp((*engine)->name, c->name) != 0)
			engine++;
		c->maker = ca_keygen_new(c->bits, *engine == NULL ? CA_KEYGEN_LIBRARY : CA_KEYGEN_NATIVE, *engine, e);
		if (c->maker == NULL)
			return -1;
	}
	do {
		if (c->make(c, e) != 0)
			return -1;
		keys++;
		ms = cpu_ms() - start;
	} while (ms < 1e3 * BUDGET / 4);
	c->turn = (unsigned long)(1e3 * BUDGET * (double)keys / ms);
	if (c->turn == 0)
		c->turn = 1;
	if (c->turn > KEYS_MAX)
		c->turn = KEYS_MAX;
	return 0;
}

static int
contender_turn(struct contender *c, unsigned long round, struct err *e)
{
	const double start = cpu_ms();

	for (unsigned long i = 0; i < c->turn; i++)
		if (c->make(c, e) != 0)
			return -1;
	c->ms[round] = (cpu_ms() - start) / (double)c->turn;
	return 0;
}

static int
compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static json_t *
report(struct contender *list, size_t count, unsigned int bits, unsigned long rounds)
{
	json_t *rows = json_array();
	double library = 0;

	printf("RSA-%u keys, CPU time of one thread, median of %lu rounds\n", bits, rounds);
	printf("%-12s %10s %10s %10s %18s\n", "", "ms/key", "keys/s", "x library", "ms of all rounds");
	for (size_t i = 0; i < count; i++) {
		double median;

		qsort(list[i].ms, rounds, sizeof(list[i].ms[0]), compare);
		median = list[i].ms[rounds / 2];
		if (i == 0)
			library = median;
		printf("%-12s %10.2f %10.1f %10.1f %8.1f to %6.1f\n", list[i].name, median, 1e3 / median,
		    library / median, list[i].ms[0], list[i].ms[rounds - 1]);
		json_array_append_new(rows, json_pack("{s:s, s:f, s:f, s:f}", "name", list[i].name, "cpu_ms", median,
						"keys_per_second", 1e3 / median, "times_library", library / median));
	}
	return json_pack("{s:i, s:i, s:o}", "bits", (int)bits, "rounds", (int)rounds, "makers", rows);
}

int
main(int argc, char **argv)
{
	struct contender list[CONTENDERS_MAX] = { 0 };
	struct err e = ERR_INIT;
	unsigned long bits, rounds;
	size_t count;
	json_t *json = NULL;
	int rc = 0;

	if (argc < 4 || text_number(argv[1], 2048, 4096, "bits", &bits, &e) != 0 ||
	    text_number(argv[2], 1, ROUNDS_MAX, "rounds", &rounds, &e) != 0) {
		(void)fprintf(stderr, "usage: bench_keygen BITS ROUNDS FILE [NAME...]\n");
		return 2;
	}
	count = contenders_list(list, (unsigned int)bits, argv + 4);
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = contender_init(&list[i], &e);
	for (unsigned long round = 0; round < rounds; round++)
		for (size_t i = 0; i < count && rc == 0; i++)
			rc = contender_turn(&list[i], round, &e);
	if (rc == 0) {
		json = report(list, count, (unsigned int)bits, rounds);
		if (json_dump_file(json, argv[3], JSON_INDENT(2)) != 0)
			rc = err_set(&e, ERR_FAILED, "%s: cannot be written", argv[3]);
	}
	if (rc != 0)
		(void)fprintf(stderr, "bench_keygen: %s\n", e.text);
	json_decref(json);
	for (size_t i = 0; i < count; i++)
		ca_keygen_free(list[i].maker);
	return rc == 0 ? 0 : 1;
}
