/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/conf.h"
#include "cluster/id.h"
#include "cluster/num.h"
#include "command_secret.h"
#include "exit.h"
#include "out.h"

#define OPTIONS_MAX 40
#define NAME_MAX_LENGTH 100
#define FIRST_LONG 256
#define HELP_INDEX OPTIONS_MAX
#define IDS_MAX 8
#define MASK '\001'

int command_usage_error(const char *name, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	out_error("%s%s%s", name, *name != '\0' ? ": " : "", text);
	out_try("cluster-login %s%s--help", name, *name != '\0' ? " " : "");
	return EXIT_USAGE;
}

static void print_option(const struct command_option *o)
{
	char left[60], letter[8] = "";

	if (o->letter != '\0')
		(void)snprintf(letter, sizeof letter, "-%c, ", o->letter);
	(void)snprintf(left, sizeof left, "%s--%s%s%s", letter, o->name, o->value != NULL ? " " : "", o->value != NULL ? o->value : "");
	printf("  %-26s %s\n", left, o->help);
}

static void print_help(const struct command *self, const char *name)
{
	size_t i;

	printf("usage: cluster-login %s%s%s%s\n", name, self->n_options > 0 ? " [options]" : "", self->usage[0] != '\0' ? " " : "", self->usage);
	if (self->n_options > 0)
		puts("\nOptions");
	for (i = 0; i < self->n_options; i++)
		print_option(&self->options[i]);
	printf("\nExample\n%s", self->example);
}

static int add_to_list(const char *name, const struct command_option *o, struct command_list *list, char *value)
{
	const char *separator = o->kind == COMMAND_LIST ? "," : "";
	size_t before = list->n;
	char *word, *rest = NULL;

	for (word = strtok_r(value, separator, &rest); word != NULL; word = strtok_r(NULL, separator, &rest)) {
		if (list->n == COMMAND_LIST_MAX)
			return command_usage_error(name, "--%s: more than %d", o->name, COMMAND_LIST_MAX);
		list->item[list->n++] = word;
	}
	/* an unset variable of a script must not make "only on" into "anywhere" */
	if (list->n == before)
		return command_usage_error(name, "--%s needs a value, not an empty one", o->name);
	return COMMAND_GO;
}

static int set_option(const char *name, const struct command_option *o, void *args, char *value)
{
	void *field = (char *)args + o->offset;

	switch (o->kind) {
	case COMMAND_FLAG:
		*(bool *)field = true;
		return COMMAND_GO;
	case COMMAND_TEXT:
		*(const char **)field = value;
		return COMMAND_GO;
	case COMMAND_SECRET:
		*(const char **)field = command_secret(o->name, value);
		return *(const char **)field != NULL ? COMMAND_GO : command_usage_error(name, "--%s -: a line of at most %d characters is read from standard input", o->name, COMMAND_SECRET_MAX);
	case COMMAND_LIST:
	case COMMAND_WORDS:
		return add_to_list(name, o, field, value);
	case COMMAND_SECONDS:
		if (num_seconds(value, o->min, o->max, field) != CLUSTER_OK)
			return command_usage_error(name, "--%s %s: a time from %llus to %llus, such as 90s, 15m, 12h or 2d", o->name, value,
			    (unsigned long long)o->min, (unsigned long long)o->max);
		return COMMAND_GO;
	case COMMAND_NUMBER:
		if (num_u64(value, o->min, o->max, field) != CLUSTER_OK)
			return command_usage_error(name, "--%s %s: a number from %llu to %llu", o->name, value, (unsigned long long)o->min, (unsigned long long)o->max);
		return COMMAND_GO;
	}
	return EXIT_BUG;
}

/* The two forms that getopt_long wants, from the one table. */
static void build_getopt(const struct command *self, char *letters, struct option *longs)
{
	size_t i;

	if (self->in_order)
		*letters++ = '+';
	*letters++ = ':';
	*letters++ = 'h';
	for (i = 0; i < self->n_options; i++) {
		const struct command_option *o = &self->options[i];

		longs[i] = (struct option){ .name = o->name, .has_arg = o->kind == COMMAND_FLAG ? no_argument : required_argument, .val = FIRST_LONG + (int)i };
		if (o->letter == '\0')
			continue;
		*letters++ = o->letter;
		if (o->kind != COMMAND_FLAG)
			*letters++ = ':';
	}
	longs[i++] = (struct option){ .name = "help", .val = FIRST_LONG + HELP_INDEX };
	longs[i] = (struct option){ 0 };
	*letters = '\0';
}

static int unknown_option(const struct command *self, char **argv)
{
	const char *word = argv[optind - 1], *near = NULL;

	if (optopt >= FIRST_LONG)
		return command_usage_error(argv[0], "%s takes no value", word);
	if (strncmp(word, "--", 2) != 0)
		return command_usage_error(argv[0], "unknown option -%c", optopt);
	if (self->n_options > 0)
		near = conf_nearest(word + 2, self->options, self->n_options, sizeof self->options[0]);
	if (near != NULL)
		return command_usage_error(argv[0], "unknown option %s; did you mean --%s?", word, near);
	return command_usage_error(argv[0], "unknown option %s", word);
}

static const struct command_option *find_option(const struct command *self, int c)
{
	size_t i;

	if (c >= FIRST_LONG)
		return &self->options[c - FIRST_LONG];
	for (i = 0; i < self->n_options; i++) {
		if (self->options[i].letter == c)
			return &self->options[i];
	}
	return NULL;
}

/*
 * One id in 64 begins with "-" and must not be taken for an option. Until getopt is through, such a word has a mark in front, in memory that lives as long as the process.
 */
static void mask_ids(int argc, char **argv)
{
	static char room[IDS_MAX][ID_TEXT + 2];
	struct cluster_id id;
	int i, n = 0;

	for (i = 1; i < argc && n < IDS_MAX; i++) {
		if (argv[i][0] != '-' || id_parse(argv[i], &id) != CLUSTER_OK)
			continue;
		(void)snprintf(room[n], sizeof room[n], "%c%s", MASK, argv[i]);
		memset(argv[i], 'x', ID_TEXT); /* it may be a token: command_secret */
		argv[i] = room[n++];
	}
}

static char *unmask(char *word)
{
	return word != NULL && word[0] == MASK ? word + 1 : word;
}

static int parse_options(const struct command *self, int argc, char **argv, void *args)
{
	struct option longs[OPTIONS_MAX + 2];
	char letters[2 * OPTIONS_MAX + 4];
	const struct command_option *o;
	int c, status;

	if (self->n_options > OPTIONS_MAX)
		return EXIT_BUG;
	build_getopt(self, letters, longs);
	opterr = 0;
	optind = 0;
	while ((c = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		if (c == 'h' || c == FIRST_LONG + HELP_INDEX) {
			print_help(self, argv[0]);
			return EXIT_DONE;
		}
		if (c == ':')
			return command_usage_error(argv[0], "%s needs a value", argv[optind - 1]);
		if (c == '?' || (o = find_option(self, c)) == NULL)
			return unknown_option(self, argv);
		if ((status = set_option(argv[0], o, args, unmask(optarg))) != COMMAND_GO)
			return status;
	}
	return COMMAND_GO;
}

int command_parse(const struct command *self, int argc, char **argv, void *args, struct command_operands *ret)
{
	int i, status;

	mask_ids(argc, argv);
	if ((status = parse_options(self, argc, argv, args)) != COMMAND_GO)
		return status;
	for (i = optind; i < argc; i++)
		argv[i] = unmask(argv[i]);
	ret->n = argc - optind;
	ret->v = argv + optind;
	if (ret->n < self->least)
		return command_usage_error(argv[0], "too few words: cluster-login %s %s", argv[0], self->usage);
	if (self->most >= 0 && ret->n > self->most)
		return command_usage_error(argv[0], "one word too many: \"%s\"", ret->v[self->most]);
	return COMMAND_GO;
}

int command_long(const struct command *self, char **argv, int *i, void *args)
{
	char *word = argv[*i] + 2, *value = strchr(word, '=');
	size_t k, n = value != NULL ? (size_t)(value++ - word) : strlen(word);
	const char *near;

	if (n == 4 && strncmp(word, "help", 4) == 0) {
		print_help(self, argv[0]);
		return EXIT_DONE;
	}
	for (k = 0; k < self->n_options; k++) {
		const struct command_option *o = &self->options[k];

		if (strlen(o->name) != n || strncmp(o->name, word, n) != 0)
			continue;
		if (o->kind == COMMAND_FLAG && value != NULL)
			return command_usage_error(argv[0], "--%s takes no value", o->name);
		if (o->kind != COMMAND_FLAG && value == NULL && (value = argv[++*i]) == NULL)
			return command_usage_error(argv[0], "--%s needs a value", o->name);
		return set_option(argv[0], o, args, value);
	}
	near = self->n_options > 0 ? conf_nearest(word, self->options, self->n_options, sizeof self->options[0]) : NULL;
	if (near != NULL)
		return command_usage_error(argv[0], "unknown option --%s; did you mean --%s?", word, near);
	return command_usage_error(argv[0], "unknown option --%s", word);
}

static const struct command_row *find_row(const struct command_row *rows, size_t n, const char *name)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	}
	return NULL;
}

static int print_family(const struct command_row *family)
{
	size_t i;

	printf("usage: cluster-login %s COMMAND ...\n\n%s\n\n", family->name, family->help);
	for (i = 0; i < family->command->n_verbs; i++)
		printf("  %s %-16s %s\n", family->name, family->command->verbs[i].name, family->command->verbs[i].help);
	printf("\nEach has --help.\n");
	return EXIT_DONE;
}

static int unknown_command(const struct command_row *rows, size_t n, const char *program, const char *word)
{
	const char *near = conf_nearest(word, rows, n, sizeof rows[0]);

	if (near != NULL)
		return command_usage_error(program, "there is no command \"%s\"; did you mean \"%s\"?", word, near);
	return command_usage_error(program, "there is no command \"%s\"", word);
}

static bool wants_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
}

int command_run(const struct command_row *rows, size_t n, const char *program, int argc, char **argv)
{
	const struct command_row *row = find_row(rows, n, argv[0]);
	char name[NAME_MAX_LENGTH];

	if (row == NULL)
		return unknown_command(rows, n, program, argv[0]);
	if (row->command->verbs != NULL) {
		if (argc < 2)
			return command_usage_error(row->name, "which? It needs one more word");
		if (wants_help(argv[1]))
			return print_family(row);
		return command_run(row->command->verbs, row->command->n_verbs, row->name, argc - 1, argv + 1);
	}
	(void)snprintf(name, sizeof name, "%s%s%s", program, *program != '\0' ? " " : "", row->name);
	argv[0] = name;
	return row->command->run(row->command, argc, argv);
}
