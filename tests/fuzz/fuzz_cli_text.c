/* SPDX-License-Identifier: Apache-2.0 */
/* Edits of other people's files: nsswitch.conf, ssh_config, and the reading of PAM's. */
#include "fuzz.h"

#include <string.h>

#include "nsswitch.h"
#include "pam_stack.h"
#include "ssh_config.h"
#include "sudoers.h"

#define INCLUDES 16

static void check_nsswitch(const char *s)
{
	char *once = NULL, *twice = NULL, *without = NULL;

	if (nsswitch_add(s, &once, NULL) == CLUSTER_OK) {
		FUZZ_CHECK(nsswitch_has(once));
		FUZZ_CHECK(nsswitch_add(once, &twice, NULL) == CLUSTER_OK && strcmp(once, twice) == 0);
		FUZZ_CHECK(strlen(once) >= strlen(s));
	}
	if (nsswitch_remove(s, &without) == CLUSTER_OK)
		FUZZ_CHECK(strlen(without) <= strlen(s));
	free(without);
	free(twice);
	free(once);
}

static void check_ssh_config(const char *s)
{
	char *with = NULL, *without = NULL;
	bool gone = false;

	FUZZ_CHECK(ssh_config_include(s, "/x", false, &with) == CLUSTER_OK && ssh_config_included(with));
	if (!ssh_config_included(s))
		FUZZ_CHECK(ssh_config_exclude(with, &without, &gone) == CLUSTER_OK && strcmp(without, s) == 0 && !gone);
	free(without);
	free(with);
}

static void sudoers_include(struct sudoers *s, const char *path, bool folder)
{
	(void)s;
	(void)folder;
	FUZZ_CHECK(path[0] != '\0');
}

static void check_sudoers(const char *s)
{
	struct sudoers x = { .include = sudoers_include };

	sudoers_read(&x, s);
	for (int i = 0; i < SUDOERS_N; i++)
		FUZZ_CHECK(!x.on[i] || strstr(s, "Defaults") || strchr(s, '\\'));
}

struct includes {
	const char *text;
	unsigned int left;
};

/* Every file includes itself. */
static const char *include(void *arg, const char *name)
{
	struct includes *x = arg;

	FUZZ_CHECK(strchr(name, '/') == NULL);
	return x->left-- > 0 ? x->text : (x->left = 0, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct includes x = { .left = INCLUDES };
	struct pam_stack stack;
	char *s = malloc(n + 1);

	if (s == NULL)
		return 0;
	memcpy(s, data, n);
	s[n] = '\0';
	x.text = s;
	check_nsswitch(s);
	check_ssh_config(s);
	check_sudoers(s);
	if (pam_stack_read(s, "session", include, &x, &stack) == CLUSTER_OK && stack.cluster)
		FUZZ_CHECK(strstr(s, "pam_cluster.so") != NULL);
	free(s);
	return 0;
}
