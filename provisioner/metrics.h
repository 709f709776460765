/* SPDX-License-Identifier: ISC */
#ifndef PROVISIONER_METRICS_H
#define PROVISIONER_METRICS_H

#include "common/buf.h"

/*
 * Prometheus' text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats). Appends never fail here:
 * buf_check() at the end.
 */
#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

enum metrics_type {
	METRICS_COUNTER,
	METRICS_GAUGE,
};

/* The head of a family; its samples follow. help: one line. */
void metrics_family(struct buf *out, const char *name, enum metrics_type type, const char *help);

/* One sample: a whole number, or seconds and bytes. label NULL: without labels. */
void metrics_sample(struct buf *out, const char *name, const char *label, const char *label_value, double value);

/* With two labels. */
void metrics_sample2(struct buf *out, const char *name, const char *const labels[2], const char *const values[2],
    double value);

/* A family of one sample without labels. */
void metrics_single(struct buf *out, const char *name, enum metrics_type type, const char *help, double value);

/* What Prometheus' own client libraries tell of every process: CPU, memory, descriptors, start. */
void metrics_process(struct buf *out);

#endif
