/* SPDX-License-Identifier: Apache-2.0 */
#include "pam_stack.h"

#include <string.h>

#define DEPTH_MAX 8
#define NAME_SIZE 64

struct walk {
	const char *type;
	const char *(*include)(void *arg, const char *name);
	void *arg;
	struct pam_stack stack;
};

static bool word_is(const char *word, size_t n, const char *want)
{
	return strlen(want) == n && strncmp(word, want, n) == 0;
}

/* The next word of a line; [actions in brackets] are one. NULL: the line is over. */
static const char *next_word(const char **p, size_t *ret_n)
{
	const char *word;

	*p += strspn(*p, " \t");
	if (**p == '\0' || **p == '\n' || **p == '#')
		return NULL;
	word = *p;
	*ret_n = strcspn(word, *word == '[' ? "]\n" : " \t\n");
	if (word[*ret_n] == ']')
		(*ret_n)++;
	*p += *ret_n;
	return word;
}

static enum cluster_err walk_text(struct walk *w, const char *text, unsigned int depth);

static enum cluster_err walk_include(struct walk *w, const char *word, size_t n, unsigned int depth)
{
	char name[NAME_SIZE];
	const char *text;

	if (depth >= DEPTH_MAX || n >= sizeof name)
		return CLUSTER_ELIMIT;
	memcpy(name, word, n);
	name[n] = '\0';
	text = strchr(name, '/') == NULL ? w->include(w->arg, name) : NULL;
	return text != NULL ? walk_text(w, text, depth + 1) : CLUSTER_OK;
}

static void see_module(struct walk *w, const char *word, size_t n)
{
	const char *slash = memrchr(word, '/', n);

	if (slash != NULL) {
		n -= (size_t)(slash + 1 - word);
		word = slash + 1;
	}
	if (word_is(word, n, "pam_cluster.so"))
		w->stack.cluster = true;
	else if (!w->stack.cluster && (word_is(word, n, "pam_env.so") || word_is(word, n, "pam_exec.so")))
		w->stack.early_env = true;
}

static enum cluster_err walk_line(struct walk *w, const char *p, unsigned int depth)
{
	const char *type, *control, *module;
	size_t type_n, control_n, n;

	if ((type = next_word(&p, &type_n)) == NULL || (control = next_word(&p, &control_n)) == NULL)
		return CLUSTER_OK;
	if (word_is(type, type_n, "@include"))
		return walk_include(w, control, control_n, depth);
	if (*type == '-') {
		type++;
		type_n--;
	}
	if (!word_is(type, type_n, w->type) || (module = next_word(&p, &n)) == NULL)
		return CLUSTER_OK;
	if (word_is(control, control_n, "include") || word_is(control, control_n, "substack"))
		return walk_include(w, module, n, depth);
	see_module(w, module, n);
	return CLUSTER_OK;
}

static enum cluster_err walk_text(struct walk *w, const char *text, unsigned int depth)
{
	enum cluster_err e = CLUSTER_OK;

	while (*text != '\0' && e == CLUSTER_OK) {
		e = walk_line(w, text, depth);
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	return e;
}

enum cluster_err pam_stack_read(const char *text, const char *type, const char *(*include)(void *arg, const char *name), void *arg, struct pam_stack *ret)
{
	struct walk w = { .type = type, .include = include, .arg = arg };
	enum cluster_err e = walk_text(&w, text, 0);

	if (e == CLUSTER_OK)
		*ret = w.stack;
	return e;
}
