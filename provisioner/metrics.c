/* SPDX-License-Identifier: ISC */
#include "provisioner/metrics.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

void
metrics_family(struct buf *out, const char *name, enum metrics_type type, const char *help)
{
	buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type == METRICS_COUNTER ? "counter" : "gauge");
}

/* A label's value: backslash, quote and line feed are escaped. */
static void
label_add(struct buf *out, const char *label, const char *value)
{
	buf_addf(out, "%s=\"", label);
	for (; *value != '\0'; value++) {
		if (*value == '\n')
			buf_add_string(out, "\\n");
		else
			buf_addf(out, *value == '"' || *value == '\\' ? "\\%c" : "%c", *value);
	}
	buf_add_string(out, "\"");
}

void
metrics_sample(struct buf *out, const char *name, const char *label, const char *label_value, double value)
{
	buf_add_string(out, name);
	if (label != NULL) {
		buf_add_string(out, "{");
		label_add(out, label, label_value);
		buf_add_string(out, "}");
	}
	buf_addf(out, " %.15g\n", value);
}

void
metrics_sample2(struct buf *out, const char *name, const char *const labels[2], const char *const values[2],
    double value)
{
	buf_addf(out, "%s{", name);
	label_add(out, labels[0], values[0]);
	buf_add_string(out, ",");
	label_add(out, labels[1], values[1]);
	buf_addf(out, "} %.15g\n", value);
}

void
metrics_single(struct buf *out, const char *name, enum metrics_type type, const char *help, double value)
{
	metrics_family(out, name, type, help);
	metrics_sample(out, name, NULL, NULL, value);
}

static double
timespec_seconds(const struct timespec *t)
{
	return (double)t->tv_sec + (double)t->tv_nsec / 1e9;
}

/* proc(5): of /proc/self/stat, starttime (22, in ticks since boot), vsize (23, bytes) and rss (24, pages). */
static void
stat_add(struct buf *out)
{
	unsigned long long started, size;
	char line[1024], *end = NULL;
	struct timespec now, boot;
	FILE *f = fopen("/proc/self/stat", "re");
	long pages;

	if (f == NULL)
		return;
	/* The name, in parentheses, may hold anything. */
	if (fgets(line, sizeof(line), f) != NULL)
		end = strrchr(line, ')');
	(void)fclose(f);
	if (end == NULL ||
	    sscanf(end + 1,
		" %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu %llu %ld", &started,
		&size, &pages) != 3)
		return;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)clock_gettime(CLOCK_BOOTTIME, &boot);
	metrics_single(out, "process_start_time_seconds", METRICS_GAUGE, "Start of the process, in seconds since 1970.",
	    timespec_seconds(&now) - timespec_seconds(&boot) + (double)started / (double)sysconf(_SC_CLK_TCK));
	metrics_single(out, "process_virtual_memory_bytes", METRICS_GAUGE, "Virtual memory.", (double)size);
	metrics_single(out, "process_resident_memory_bytes", METRICS_GAUGE, "Resident memory.",
	    (double)pages * (double)sysconf(_SC_PAGESIZE));
}

static void
descriptors_add(struct buf *out)
{
	const struct dirent *entry;
	struct rlimit files;
	DIR *d = opendir("/proc/self/fd");
	int count = -1; /* the folder's own */

	if (d != NULL) {
		while ((entry = readdir(d)) != NULL)
			count += entry->d_name[0] != '.';
		(void)closedir(d);
		metrics_single(out, "process_open_fds", METRICS_GAUGE, "Open file descriptors.", count);
	}
	if (getrlimit(RLIMIT_NOFILE, &files) == 0)
		metrics_single(out, "process_max_fds", METRICS_GAUGE, "Most file descriptors that may be open.",
		    (double)files.rlim_cur);
}

void
metrics_process(struct buf *out)
{
	struct timespec cpu;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu) == 0)
		metrics_single(out, "process_cpu_seconds_total", METRICS_COUNTER, "CPU time, user and system.",
		    timespec_seconds(&cpu));
	stat_add(out);
	descriptors_add(out);
}
