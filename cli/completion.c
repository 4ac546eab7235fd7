/* SPDX-License-Identifier: Apache-2.0 */
#include "completion.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define WORD_SIZE 256
#define WORDS_MAX 64

/* The line as words; the last one is what is being typed, and may be empty. */
struct line {
	size_t n;
	char word[WORDS_MAX][WORD_SIZE];
};

static bool split(const char *text, struct line *ret)
{
	size_t n;

	for (ret->n = 0; ret->n < WORDS_MAX; ret->n++) {
		text += strspn(text, " \t");
		n = strcspn(text, " \t");
		if (n >= WORD_SIZE)
			return false;
		memcpy(ret->word[ret->n], text, n);
		ret->word[ret->n][n] = '\0';
		text += n;
		if (*text == '\0') {
			ret->n++;
			return true;
		}
	}
	return false;
}

static void offer(const struct completion *c, const char *typed, const char *word, const char *help)
{
	if (strncmp(word, typed, strlen(typed)) == 0)
		c->emit(c->arg, word, help);
}

static void offer_rows(const struct completion *c, const struct command_row *rows, size_t n, const char *typed)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].group != COMMAND_HIDDEN)
			offer(c, typed, rows[i].name, rows[i].help);
}

static void offer_options(const struct completion *c, const struct command *command, const char *typed)
{
	char word[WORD_SIZE];

	for (size_t i = 0; i < command->n_options; i++) {
		(void)snprintf(word, sizeof word, "--%s", command->options[i].name);
		offer(c, typed, word, command->options[i].help);
	}
	offer(c, typed, "--help", "what it does");
}

static void offer_names(const struct completion *c, const char *const *names, size_t n, const char *typed, const char *suffix)
{
	char word[WORD_SIZE];

	for (size_t i = 0; i < n; i++) {
		(void)snprintf(word, sizeof word, "%s%s", names[i], suffix);
		offer(c, typed, word, "");
	}
}

/* [ACCOUNT@]NODE, with `suffix` behind it. */
static void offer_destination(const struct completion *c, const char *typed, const char *suffix)
{
	const struct completion_names *names = c->names(c->arg);
	const char *at = strchr(typed, '@');
	char word[2 * WORD_SIZE];

	if (names == NULL)
		return;
	if (at == NULL) {
		offer_names(c, names->nodes, names->n_nodes, typed, suffix);
		offer_names(c, names->accounts, names->n_accounts, typed, "@");
		return;
	}
	for (size_t i = 0; i < names->n_nodes; i++) {
		(void)snprintf(word, sizeof word, "%.*s%s%s", (int)(at + 1 - typed), typed, names->nodes[i], suffix);
		offer(c, typed, word, "");
	}
}

/* "bash|zsh|fish" */
static void offer_choices(const struct completion *c, const char *choices, const char *typed)
{
	char word[WORD_SIZE];

	for (size_t n; *choices != '\0'; choices += n + (choices[n] == '|')) {
		n = strcspn(choices, "|");
		(void)snprintf(word, sizeof word, "%.*s", (int)n, choices);
		offer(c, typed, word, "");
	}
}

/* What the usage text calls `kind`. */
static void offer_kind(const struct completion *c, const char *kind, const char *typed)
{
	const struct completion_names *names;

	if (islower((unsigned char)kind[0]) && strchr(kind, '|') != NULL)
		offer_choices(c, kind, typed);
	else if (strstr(kind, "[ACCOUNT@]NODE:") != NULL)
		offer_destination(c, typed, ":");
	else if (strstr(kind, "[ACCOUNT@]NODE") != NULL || strstr(kind, "ACCOUNT@NODE") != NULL)
		offer_destination(c, typed, "");
	else if ((strstr(kind, "NODE") != NULL || strstr(kind, "ACCOUNT") != NULL) && (names = c->names(c->arg)) != NULL) {
		if (strstr(kind, "NODE") != NULL)
			offer_names(c, names->nodes, names->n_nodes, typed, "");
		if (strstr(kind, "ACCOUNT") != NULL)
			offer_names(c, names->accounts, names->n_accounts, typed, "");
	}
}

static const struct command_option *option_of(const struct command *command, const char *word)
{
	if (word[0] != '-')
		return NULL;
	for (size_t i = 0; i < command->n_options; i++) {
		const struct command_option *o = &command->options[i];

		if (o->kind != COMMAND_FLAG && ((word[1] == '-' && strcmp(word + 2, o->name) == 0) || (o->letter != '\0' && word[1] == o->letter && word[2] == '\0')))
			return o;
	}
	return NULL;
}

static void complete_command(const struct completion *c, const struct command *command, const struct line *l)
{
	const char *typed = l->word[l->n - 1];
	const struct command_option *o = option_of(command, l->word[l->n - 2]);

	if (o != NULL)
		offer_kind(c, o->value != NULL ? o->value : "", typed);
	else if (typed[0] == '-')
		offer_options(c, command, typed);
	else
		offer_kind(c, command->usage, typed);
}

void completion_each(const struct completion *c, const char *line)
{
	const struct command_row *rows = c->rows;
	size_t n = c->n_rows, i;
	struct line l;

	if (!split(line, &l) || l.n < 2)
		return;
	for (size_t at = 1; at + 1 < l.n; at++) {
		for (i = 0; i < n && strcmp(rows[i].name, l.word[at]) != 0; i++)
			;
		if (i == n)
			return;
		if (rows[i].command->verbs == NULL) {
			complete_command(c, rows[i].command, &l);
			return;
		}
		n = rows[i].command->n_verbs;
		rows = rows[i].command->verbs;
	}
	offer_rows(c, rows, n, l.word[l.n - 1]);
}

/* bash breaks words at COMP_WORDBREAKS, and replaces only what stands behind the last such character. */
static const char bash[] =
	"_cluster_login() {\n"
	"\tlocal line=${COMP_LINE:0:COMP_POINT} breaks='' c cur words\n"
	"\tfor c in @ : =; do [[ $COMP_WORDBREAKS == *$c* ]] && breaks+=$c; done\n"
	"\tcur=${line##*[[:space:]]}\n"
	"\tmapfile -t words < <(cluster-login complete -- \"$line\" 2>/dev/null | cut -f1)\n"
	"\t[[ -n $breaks ]] && words=(\"${words[@]#\"${cur%\"${cur##*[\"$breaks\"]}\"}\"}\")\n"
	"\tCOMPREPLY=(\"${words[@]}\")\n"
	"\tcase ${COMPREPLY[0]-} in *[@:=]) compopt -o nospace ;; esac\n"
	"}\n"
	"complete -o default -F _cluster_login cluster-login\n";

static const char zsh[] =
	"#compdef cluster-login\n"
	"_cluster_login() {\n"
	"\tlocal line word\n"
	"\tlocal -a whole open\n"
	"\tfor line in \"${(@f)$(cluster-login complete -- \"$LBUFFER\" 2>/dev/null)}\"; do\n"
	"\t\tword=${line%%$'\\t'*}\n"
	"\t\tcase $word in '') ;; *[@:=]) open+=(\"$word\") ;; *) whole+=(\"$word\") ;; esac\n"
	"\tdone\n"
	"\t(( $#whole + $#open )) || { _files; return }\n"
	"\tcompadd -a whole\n"
	"\tcompadd -S '' -a open\n"
	"}\n"
	"compdef _cluster_login cluster-login\n";

static const char fish[] =
	"complete -c cluster-login -a '(cluster-login complete -- (commandline -cp) 2>/dev/null)'\n";

const char *completion_script(const char *shell)
{
	static const struct {
		const char *shell, *text;
	} scripts[] = { { "bash", bash }, { "zsh", zsh }, { "fish", fish } };

	for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++)
		if (strcmp(scripts[i].shell, shell) == 0)
			return scripts[i].text;
	return NULL;
}
