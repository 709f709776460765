/* SPDX-License-Identifier: ISC */
#ifndef PBX_VALUE_H
#define PBX_VALUE_H

#include "common/buf.h"
#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * How Asterisk has to be told a value so that it reads that very value, by main/config.c (process_text_line(),
 * config_text_file_load(), ast_realtime_decode_chunk()). What no spelling can say is refused: ERR_INPUT names the rule
 * and never the value, which may be a secret; what stands for it in the text.
 */

/* Append value as it stands behind "option=" in a configuration file. */
int value_file(const char *value, const char *what, struct buf *out, struct err *e);

/*
 * Append value as it stands in a column of max characters (0: any number) that Asterisk reads through realtime with
 * res_config_odbc or res_config_pgsql.
 */
int value_row(const char *value, size_t max, const char *what, struct buf *out, struct err *e);

/* value_row() spells it with an escape, which res_config_sqlite3, alone among the drivers, does not decode. */
bool value_is_escaped(const char *value);

/* Append '"name" <number>', or '<number>' where name is "". */
void value_callerid(const char *name, const char *number, struct buf *out);

/*
 * Append value as an SQL string. With escapes: a string with a backslash as PostgreSQL's E'...', which means the same
 * whatever standard_conforming_strings says (its manual, section 4.1.2.2).
 */
void value_sql(const char *value, bool escapes, struct buf *out);

#endif
