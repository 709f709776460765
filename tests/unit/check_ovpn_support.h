/* SPDX-License-Identifier: ISC */
#ifndef TESTS_CHECK_OVPN_SUPPORT_H
#define TESTS_CHECK_OVPN_SUPPORT_H

#include "tests/unit/support.h"

#include "bundler/check_ovpn.h"
#include "common/file.h"
#include "common/text.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the tests of "check ovpn" share: the samples of check_ovpn_samples.sh, and what is found in one. */

#define NOW 1764000000 /* 2025-11-24T16:00:00Z */
#define DAYS 30

struct sample {
	char *folder;     /* of all; */
	const char *name; /* of this one, without ".ovpn" */
	struct buf file;
	struct findings found;
};

static inline void
sample_read(struct sample *s, const char *folder, const char *name)
{
	char *path = text_format("%s/samples/%s.ovpn", folder, name);
	struct err e = ERR_INIT;

	assert_non_null(path);
	s->name = name;
	buf_clear(&s->file);
	assert_ok(file_read(path, &s->file, &e), e);
	free(path);
}

static inline void
sample_check_as(struct sample *s, const char *model, const char *firmware, time_t now)
{
	struct firmware f;
	struct check_ovpn_params params = {
		.model = model != NULL ? model_find(model) : NULL,
		.clock = { .now = now, .days = DAYS },
	};
	struct err e = ERR_INIT;

	if (firmware != NULL) {
		assert_ok(firmware_parse(firmware, &f, &e), e);
		params.firmware = &f;
	}
	findings_clear(&s->found);
	assert_ok(check_ovpn(s->name, s->file.data, s->file.len, &params, &s->found, &e), e);
	assert_int_equal(ERR_peek_error(), 0);
}

static inline void
sample_check(struct sample *s, const char *folder, const char *name)
{
	sample_read(s, folder, name);
	sample_check_as(s, "D65", NULL, NOW);
}

static inline void
sample_release(struct sample *s)
{
	findings_release(&s->found);
	buf_release(&s->file);
}

#define SAMPLE_INIT                                                  \
	{                                                            \
		.file = BUF_INIT(CONFIG_MAX), .found = FINDINGS_INIT \
	}

/* The finding of that rule, or NULL. */
static inline const struct finding *
sample_find(const struct sample *s, const char *rule)
{
	for (size_t i = 0; i < s->found.count; i++)
		if (strcmp(s->found.list[i].rule->id, rule) == 0)
			return &s->found.list[i];
	return NULL;
}

/* The same where there must be one. */
static inline const struct finding *
sample_must_find(const struct sample *s, const char *rule)
{
	const struct finding *finding = sample_find(s, rule);

	if (finding != NULL)
		return finding;
	fail_msg("%s: %s is not found", s->name, rule);
	abort();
}

static inline void
sample_print(const struct sample *s)
{
	for (size_t i = 0; i < s->found.count; i++)
		print_error("# %s:%u: %s [%s]\n", s->name, s->found.list[i].line, s->found.list[i].text,
		    s->found.list[i].rule->id);
}

/* For cmocka: *state is the folder of all. */
static inline int
samples_make(void **state)
{
	struct buf out = BUF_INIT(1 << 16);

	*state = support_folder();
	support_shell(&out, NULL, "tests/unit/check_ovpn_samples.sh '%s' %d", (char *)*state, NOW);
	buf_release(&out);
	return 0;
}

static inline int
samples_unmake(void **state)
{
	support_remove(*state);
	return 0;
}

#endif
