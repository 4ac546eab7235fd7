/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Subcommands as tables: a row names a command, a command has a table of options. Help, parsing and the nearest name follow from them. */

enum command_group { COMMAND_PERSON, COMMAND_ADMIN, COMMAND_NODE, COMMAND_TOOL, COMMAND_HIDDEN };

enum command_kind {
	COMMAND_FLAG,    /* bool */
	COMMAND_TEXT,    /* const char * */
	COMMAND_SECRET,  /* the same: taken out of argv, which everybody on the machine can read; "-": a line of standard input */
	COMMAND_LIST,    /* struct command_list; may be given again, and takes commas */
	COMMAND_WORDS,   /* the same without commas */
	COMMAND_SECONDS, /* uint64_t in [min, max], units s m h d */
	COMMAND_NUMBER   /* uint64_t in [min, max] */
};

#define COMMAND_LIST_MAX 64
struct command_list {
	size_t n;
	const char *item[COMMAND_LIST_MAX];
};

struct command_option {
	const char *name; /* first member: searched by conf_nearest */
	char letter;      /* 0: none */
	enum command_kind kind;
	size_t offset;    /* of the field in the command's own struct, which holds the defaults */
	uint64_t min, max;
	const char *value; /* its name in the help text */
	const char *help;
};

struct command_row;

struct command {
	int (*run)(const struct command *self, int argc, char **argv); /* exit status; argv[0] is the command's full name */
	const char *usage;   /* operands */
	const char *example; /* lines, each ending with a newline */
	const struct command_option *options;
	size_t n_options;
	int least, most;  /* operands; most < 0: any number */
	bool in_order;    /* options end at the first operand */
	const struct command_row *verbs; /* a family: `run` is NULL */
	size_t n_verbs;
};

struct command_row {
	const char *name; /* first member: searched by conf_nearest */
	const struct command *command;
	const char *help;
	enum command_group group;
};

struct command_operands {
	int n;
	char **v;
};

#define COMMAND_GO (-1)
#define COMMAND_OPTIONS(table) .options = (table), .n_options = sizeof(table) / sizeof((table)[0])

/*
 * Fills `args` from the options and *ret with what is left. COMMAND_GO, or the exit status with which the command ends now: help was printed, or a usage error.
 * Strings point into argv, those of COMMAND_SECRET into memory of this module.
 */
int command_parse(const struct command *self, int argc, char **argv, void *args, struct command_operands *ret);

/*
 * For a command that reads its words itself: argv[*i] is "--name", "--name value" or "--name=value" of its table; *i moves to the last word taken. Results as command_parse.
 */
int command_long(const struct command *self, char **argv, int *i, void *args);

/* Finds argv[0] among the rows and runs it; families go one level down. `program` is what stands before it in messages. */
int command_run(const struct command_row *rows, size_t n, const char *program, int argc, char **argv);

/* "cluster-login: <name>: <sentence>", where to look, and the status for usage errors. */
int command_usage_error(const char *name, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
