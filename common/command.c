/* SPDX-License-Identifier: ISC */
#include "common/command.h"

#include "common/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	COMMON_JSON,
	COMMON_QUIET,
	COMMON_HELP,
	COMMON_VERSION,
	COMMON_COUNT,
};

static const struct option_def common_options[] = {
	[COMMON_JSON] = { "json", NULL, "answer, and report an error, as JSON" },
	[COMMON_QUIET] = { "quiet", NULL, "print no progress and no remarks" },
	[COMMON_HELP] = { "help", NULL, "print this help" },
	[COMMON_VERSION] = { "version", NULL, "print the version" },
	OPTION_END,
};

/* The longest name first wins: "phone add" before a command "phone". Returns the number of words that matched. */
static int
command_find(const struct program *program, int argc, char **argv, const struct command **ret)
{
	for (const struct command *const *c = program->commands; *c != NULL; c++) {
		const char *blank = strchr((*c)->name, ' ');
		size_t first = blank == NULL ? strlen((*c)->name) : (size_t)(blank - (*c)->name);

		if (argc < 1 || strlen(argv[0]) != first || strncmp(argv[0], (*c)->name, first) != 0)
			continue;
		if (blank == NULL) {
			*ret = *c;
			return 1;
		}
		if (argc >= 2 && strcmp(argv[1], blank + 1) == 0) {
			*ret = *c;
			return 2;
		}
	}
	return 0;
}

/* "phone" of "phone add": the first word of commands that have two. */
static bool
in_group(const struct command *c, const char *group)
{
	size_t len = strlen(group);

	return strncmp(c->name, group, len) == 0 && c->name[len] == ' ';
}

static bool
group_exists(const struct program *program, const char *group)
{
	for (const struct command *const *c = program->commands; *c != NULL; c++)
		if (in_group(*c, group))
			return true;
	return false;
}

static int
option_index(const struct option_def *defs, const char *name, size_t len)
{
	for (int i = 0; defs != NULL && defs[i].name != NULL; i++) {
		if (strlen(defs[i].name) == len && strncmp(defs[i].name, name, len) == 0)
			return i;
	}
	return -1;
}

static bool
is_path(const char *argument)
{
	return strncmp(argument, "DIR", 3) == 0 || strncmp(argument, "FILE", 4) == 0;
}

/* One "--name", "--name=value" or "--name value" at argv[*at]; *at moves behind it. */
static int
option_take(const struct option_def *defs, const char *values[], int index, char **argv, int argc, int *at,
    struct err *e)
{
	const char *equals = strchr(argv[*at], '=');
	const char *name = defs[index].name;

	(*at)++;
	if (values[index] != NULL)
		return err_set(e, ERR_USAGE, "--%s: expected once, found twice", name);
	if (defs[index].argument == NULL) {
		if (equals != NULL)
			return err_set(e, ERR_USAGE, "--%s: expected no value, found one", name);
		values[index] = "";
		return 0;
	}
	if (equals == NULL && *at >= argc)
		return err_set(e, ERR_USAGE, "--%s: expected %s behind it, found nothing", name, defs[index].argument);
	values[index] = equals != NULL ? equals + 1 : argv[(*at)++];
	/* A script's variable that is not set. */
	if (values[index][0] == '\0' && is_path(defs[index].argument))
		return err_set(e, ERR_USAGE, "--%s: expected %s behind it, found an empty name", name,
		    defs[index].argument);
	return 0;
}

static int
option_unknown(const struct invocation *in, const char *word, struct err *e)
{
	char name[64], shown[64];

	/* What stands behind '=' may be a secret. */
	(void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(word, "="), word);
	return err_set(e, ERR_USAGE, "%s: no such option; see '%s%s%s --help'",
	    text_printable(name, shown, sizeof(shown)), in->program->name, in->command != NULL ? " " : "",
	    in->command != NULL ? in->command->name : "");
}

/*
 * Options from argv[*at] on. Without a command it stops at the first word; with one it gathers the words in front of
 * argv, and "--" ends the options.
 */
static int
options_parse(struct invocation *in, const char *common[], int argc, char **argv, int *at, struct err *e)
{
	int words = 0;

	while (*at < argc) {
		const char *word = argv[*at];
		size_t len;
		int i;

		if (strcmp(word, "-h") == 0)
			word = "--help";
		if (word[0] != '-' || word[1] == '\0') {
			if (in->command == NULL)
				break;
			argv[words++] = argv[(*at)++];
			continue;
		}
		if (strcmp(word, "--") == 0) {
			for ((*at)++; *at < argc; (*at)++)
				argv[words++] = argv[*at];
			break;
		}
		if (strncmp(word, "--", 2) != 0)
			return option_unknown(in, word, e);
		word += 2;
		len = strcspn(word, "=");
		if (in->command != NULL && (i = option_index(in->command->options, word, len)) >= 0) {
			if (option_take(in->command->options, in->option, i, argv, argc, at, e) != 0)
				return -1;
		} else if ((i = option_index(in->program->globals, word, len)) >= 0) {
			if (option_take(in->program->globals, in->global, i, argv, argc, at, e) != 0)
				return -1;
		} else if ((i = option_index(common_options, word, len)) >= 0) {
			common[i] = "";
			(*at)++;
		} else {
			return option_unknown(in, argv[*at], e);
		}
	}
	in->argc = words;
	in->argv = argv;
	return 0;
}

static void
options_print(const char *title, const struct option_def *defs)
{
	if (defs == NULL || defs[0].name == NULL)
		return;
	(void)printf("\n%s:\n", title);
	for (; defs->name != NULL; defs++) {
		char left[64];

		(void)snprintf(left, sizeof(left), "--%s%s%s", defs->name, defs->argument != NULL ? " " : "",
		    defs->argument != NULL ? defs->argument : "");
		(void)printf("  %-26s %s\n", left, defs->help);
	}
}

static void
command_help(const struct program *program, const struct command *c)
{
	(void)printf("usage: %s [OPTION...] %s%s%s%s\n\n%s.\n", program->name, c->name,
	    c->options != NULL ? " [OPTION...]" : "", c->arguments != NULL ? " " : "",
	    c->arguments != NULL ? c->arguments : "", c->summary);
	if (c->details != NULL)
		(void)printf("\n%s\n", c->details);
	options_print("options", c->options);
	options_print("global options", program->globals);
	options_print("options of every command", common_options);
}

static void
program_help(const struct program *program)
{
	(void)printf("usage: %s [OPTION...] COMMAND [OPTION...] [ARGUMENT...]\n\n%s.\n\ncommands:\n", program->name,
	    program->summary);
	for (const struct command *const *c = program->commands; *c != NULL; c++)
		(void)printf("  %-18s %s\n", (*c)->name, (*c)->summary);
	options_print("global options", program->globals);
	options_print("options of every command", common_options);
	(void)printf("\n'%s COMMAND --help' tells the rest; the manual is %s(1).\n", program->name, program->name);
}

static void
group_help(const struct program *program, const char *group, FILE *out)
{
	(void)fprintf(out, "usage: %s [OPTION...] %s COMMAND [OPTION...] [ARGUMENT...]\n\ncommands:\n", program->name,
	    group);
	for (const struct command *const *c = program->commands; *c != NULL; c++)
		if (in_group(*c, group))
			(void)fprintf(out, "  %-18s %s\n", (*c)->name, (*c)->summary);
	(void)fprintf(out, "\n'%s %s COMMAND --help' tells the rest; the manual is %s(1).\n", program->name, group,
	    program->name);
}

/* mdoc takes a line's first '.' or '\'' and any '\' as its own. */
static void
mdoc_text(const char *s)
{
	if (*s == '.' || *s == '\'')
		(void)printf("\\&");
	for (; *s != '\0'; s++) {
		if (*s == '\\')
			(void)printf("\\e");
		else
			(void)putchar(*s);
	}
	(void)putchar('\n');
}

static void
mdoc_options(const struct option_def *defs)
{
	if (defs == NULL || defs[0].name == NULL)
		return;
	(void)printf(".Bl -tag -width Ds\n");
	for (; defs->name != NULL; defs++) {
		(void)printf(".It Fl \\-%s%s%s\n", defs->name, defs->argument != NULL ? " Ar " : "",
		    defs->argument != NULL ? defs->argument : "");
		mdoc_text(defs->help);
	}
	(void)printf(".El\n");
}

static void
program_mdoc(const struct program *program)
{
	(void)printf(".Ss Options of every command\n");
	mdoc_options(program->globals);
	mdoc_options(common_options);
	for (const struct command *const *c = program->commands; *c != NULL; c++) {
		(void)printf(".Ss %s%s%s\n", (*c)->name, (*c)->arguments != NULL ? " " : "",
		    (*c)->arguments != NULL ? (*c)->arguments : "");
		(void)printf("%s.\n", (*c)->summary);
		if ((*c)->details != NULL)
			mdoc_text((*c)->details);
		mdoc_options((*c)->options);
	}
}

static int
error_print(const struct invocation *in, const struct err *e)
{
	char text[ERR_TEXT_MAX];
	json_t *document;

	if (in->json) {
		/* A text with a path that is no UTF-8 would make no JSON at all. */
		document = json_pack("{s:{s:s,s:s}}", "error", "code", err_name(e->code), "text",
		    text_printable(e->text, text, sizeof(text)));
		if (document != NULL && json_dumpf(document, stderr, JSON_COMPACT) == 0)
			(void)fputc('\n', stderr);
		json_decref(document);
	} else {
		(void)fprintf(stderr, "%s: %s\n", in->program->name, e->text);
	}
	return err_exit_status(e->code);
}

static int
run(struct invocation *in, struct err *e)
{
	const struct command *c = in->command;

	if (in->argc < c->min_arguments || (c->max_arguments >= 0 && in->argc > c->max_arguments))
		return err_set(e, ERR_USAGE, "%s: expected %s, found %d argument%s; see '%s %s --help'", c->name,
		    c->arguments != NULL ? c->arguments : "no argument", in->argc, in->argc == 1 ? "" : "s",
		    in->program->name, c->name);
	return c->run(in, e);
}

/* The words behind "help" name a command; "help --mdoc" is for the build. */
static int
help(struct invocation *in, int argc, char **argv, struct err *e)
{
	if (argc > 0 && strcmp(argv[0], "--mdoc") == 0)
		program_mdoc(in->program);
	else if (argc == 0)
		program_help(in->program);
	else if (command_find(in->program, argc, argv, &in->command) > 0)
		command_help(in->program, in->command);
	else if (argc == 1 && group_exists(in->program, argv[0]))
		group_help(in->program, argv[0], stdout);
	else
		return err_set(e, ERR_USAGE, "help: no such command; see '%s --help'", in->program->name);
	return 0;
}

/* "phone" without a command of its own behind it: name those that there are. */
static int
group_unknown(const struct invocation *in, const char *group, const char *found, struct err *e)
{
	struct buf known = BUF_INIT(512);
	char shown[64];

	for (const struct command *const *c = in->program->commands; *c != NULL; c++)
		if (in_group(*c, group))
			buf_addf(&known, "%s%s", known.len > 0 ? ", " : "", strchr((*c)->name, ' ') + 1);
	err_set(e, ERR_USAGE, "%s: expected one of %s behind it, found %s; see '%s %s --help'", group,
	    buf_string(&known), found != NULL ? text_printable(found, shown, sizeof(shown)) : "nothing",
	    in->program->name, group);
	buf_release(&known);
	if (found == NULL && !in->json)
		group_help(in->program, group, stderr);
	return -1;
}

/* What is no command: a group, of which there may be help, or nothing at all. */
static int
no_command(struct invocation *in, const char *common[], int argc, char **argv, struct err *e)
{
	char shown[64];
	int at = 0;

	if (!group_exists(in->program, argv[0]))
		return err_set(e, ERR_USAGE, "%s: no such command; see '%s --help'",
		    text_printable(argv[0], shown, sizeof(shown)), in->program->name);
	/* An option that is none of every command's is of a command that is not there. */
	if (options_parse(in, common, argc - 1, argv + 1, &at, NULL) == 0 && common[COMMON_HELP] != NULL &&
	    at == argc - 1) {
		group_help(in->program, argv[0], stdout);
		return 0;
	}
	in->json = common[COMMON_JSON] != NULL;
	return group_unknown(in, argv[0], at < argc - 1 ? argv[1 + at] : NULL, e);
}

static int
dispatch(struct invocation *in, int argc, char **argv, struct err *e)
{
	const char *common[COMMON_COUNT] = { NULL };
	int at = 0, words = 0, rc;

	rc = options_parse(in, common, argc, argv, &at, e);
	argv += at;
	argc -= at;
	at = 0;
	if (rc == 0 && argc > 0 && strcmp(argv[0], "help") == 0)
		return help(in, argc - 1, argv + 1, e);
	if (rc == 0 && argc > 0) {
		words = command_find(in->program, argc, argv, &in->command);
		if (words > 0)
			rc = options_parse(in, common, argc - words, argv + words, &at, e);
	}
	in->json = common[COMMON_JSON] != NULL;
	in->quiet = common[COMMON_QUIET] != NULL;
	if (rc != 0)
		return -1;
	if (common[COMMON_VERSION] != NULL) {
		(void)printf("%s %s\n", in->program->name, VERSION);
		return 0;
	}
	if (argc > 0 && words == 0)
		return no_command(in, common, argc, argv, e);
	if (common[COMMON_HELP] != NULL && in->command != NULL) {
		command_help(in->program, in->command);
		return 0;
	}
	if (common[COMMON_HELP] != NULL) {
		program_help(in->program);
		return 0;
	}
	if (argc == 0)
		return err_set(e, ERR_USAGE, "expected a command, found none; see '%s --help'", in->program->name);
	return run(in, e);
}

int
command_main(const struct program *program, int argc, char **argv)
{
	struct invocation in = { .program = program };
	struct err e = ERR_INIT;

	int rc = dispatch(&in, argc - 1, argv + 1, &e);

	/* A full disk behind a redirection shows only here. */
	if (rc >= 0 && (fflush(stdout) != 0 || ferror(stdout)))
		rc = err_errno(&e, ERR_FAILED, errno, "standard output");
	return rc >= 0 ? rc : error_print(&in, &e);
}

int
command_number(const char *value, unsigned long min, unsigned long max, const char *name, unsigned long *number,
    struct err *e)
{
	if (value == NULL || text_number(value, min, max, name, number, e) == 0)
		return 0;
	return err_usage(e);
}

int
command_print_json(json_t *document, struct err *e)
{
	int rc = -1;

	if (document == NULL || json_dumpf(document, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER) != 0)
		err_set(e, ERR_FAILED, "JSON: no memory, or standard output cannot be written");
	else
		rc = puts("") < 0 ? err_errno(e, ERR_FAILED, errno, "standard output") : 0;
	json_decref(document);
	return rc;
}
