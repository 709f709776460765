/* SPDX-License-Identifier: ISC */
#include "common/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#define LINE_MAX_BYTES 2048

static enum log_level log_threshold = LOG_LEVEL_INFO;

bool
log_shows(enum log_level level)
{
	return level <= log_threshold;
}

/* One write a line, so that the lines of several threads do not mix. */
__attribute__((format(printf, 3, 0))) static void
line_write(enum log_level level, const char *tag, const char *fmt, va_list ap)
{
	extern char *program_invocation_short_name;
	char line[LINE_MAX_BYTES];

	if (!log_shows(level))
		return;
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	(void)fprintf(stderr, "%s: %s%s\n", program_invocation_short_name, tag, line);
}

void
log_set_level(enum log_level level)
{
	log_threshold = level;
}

/* clang-format off */
#define LOG_FUNCTION(name, level, tag)				\
	void							\
	name(const char *fmt, ...)				\
	{							\
		va_list ap;					\
								\
		va_start(ap, fmt);				\
		line_write(level, tag, fmt, ap);		\
		va_end(ap);					\
	}

/* clang-format on */
LOG_FUNCTION(log_error, LOG_LEVEL_ERROR, "error: ")
LOG_FUNCTION(log_warn, LOG_LEVEL_WARN, "warning: ")
LOG_FUNCTION(log_info, LOG_LEVEL_INFO, "")
LOG_FUNCTION(log_debug, LOG_LEVEL_DEBUG, "debug: ")
