/* SPDX-License-Identifier: Apache-2.0 */
#include "ssh_args.h"

#include <stdio.h>
#include <string.h>

#include "resolve.h"
#include "self.h"
#include "ssh_key.h"

#define VALUE_MAX 2048

bool ssh_args_takes_value(char letter)
{
	return letter != '\0' && strchr("BbcDEeFIiJLlmOopQRSWwP", letter) != NULL;
}

bool ssh_args_letter_ok(char letter)
{
	return ssh_args_takes_value(letter) || (letter != '\0' && strchr("46AaCfGgKkMNnqsTtVvXxYy", letter) != NULL);
}

static enum cluster_err known_hosts(const struct ssh_args *a, char dst[VALUE_MAX])
{
	char askpass[PROFILE_PATH_MAX];
	int n = snprintf(dst, VALUE_MAX, "%s " SELF_KNOWN_HOSTS "%s%s %%H", self_askpass(askpass) ? askpass : a->self, a->home != NULL ? " --home=" : "", a->home != NULL ? a->home : "");

	return n < VALUE_MAX ? CLUSTER_OK : CLUSTER_ELIMIT;
}

/* Host, user@host, address: nothing that a shell or ssh could take for something else. */
static bool jump_ok(const char *s)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:@-";

	return *s != '\0' && *s != '-' && s[strspn(s, plain)] == '\0';
}

/* A node of the cluster is jumped through by this program, which asks nothing and checks its host key too; another host is ssh's own affair. */
static enum cluster_err jump(const struct ssh_args *a, const char *host, char dst[VALUE_MAX], const char **ret_key)
{
	/* what a node says of itself makes nobody's bastion of it */
	const struct directory_node *node = a->proxy != NULL ? resolve_node(a->dir, host) : resolve_named(a->dir, host);
	int n;

	if (node == NULL || node == a->node) {
		*ret_key = "ProxyJump";
		n = snprintf(dst, VALUE_MAX, "%s", host);
	} else {
		*ret_key = "ProxyCommand";
		n = snprintf(dst, VALUE_MAX, "%s%s%s%s ssh -q -W [%%h]:%%p %%r@%s", a->home != NULL ? "env CLUSTER_LOGIN_HOME=" : "", a->home != NULL ? a->home : "",
		    a->home != NULL ? " " : "", a->self, node->name);
	}
	return n < VALUE_MAX ? CLUSTER_OK : CLUSTER_ELIMIT;
}

enum cluster_err ssh_args_each(const struct ssh_args *a, void (*emit)(void *arg, const char *key, const char *value), void *arg, struct diag *d)
{
	static const char *const fixed[][2] = {
		{ "StrictHostKeyChecking", "yes" },
		{ "UserKnownHostsFile", "none" },
		{ "GlobalKnownHostsFile", "none" },
		/* a certificate in the agent serves without a question; keys of other purposes are shown to nobody */
		{ "PreferredAuthentications", "publickey,keyboard-interactive" },
		{ "KbdInteractiveAuthentication", "yes" },
		{ "PubkeyAuthentication", "yes" },
		{ "PubkeyAcceptedAlgorithms", SSH_KEY_CERTIFICATE },
		{ "IdentityFile", "none" },
		{ "NumberOfPasswordPrompts", "1" },
		{ "ForwardAgent", "no" },
		{ "ForwardX11", "no" },
		{ "CheckHostIP", "no" },
		{ "UpdateHostKeys", "no" },
	};
	const char *host = a->proxy != NULL ? a->proxy : a->node->jump, *key = NULL;
	char value[VALUE_MAX];
	enum cluster_err e;
	size_t i;

	if (a->node->n_addresses == 0)
		return diag_set(d, CLUSTER_ECONFIG, "node %s has no address in the directory", a->node->name);
	emit(arg, "HostName", a->node->addresses[0]);
	emit(arg, "HostKeyAlias", a->node->name);
	(void)snprintf(value, sizeof value, "%u", (unsigned int)a->node->port);
	emit(arg, "Port", value);
	if ((e = known_hosts(a, value)) != CLUSTER_OK)
		return diag_set(d, e, "the path of this program is too long");
	emit(arg, "KnownHostsCommand", value);
	if (host != NULL) {
		if (!jump_ok(host))
			return diag_set(d, CLUSTER_ECONFIG, "\"%.100s\" is not a host to jump through", host);
		if ((e = jump(a, host, value, &key)) != CLUSTER_OK)
			return diag_set(d, e, "the jump host is too long");
		emit(arg, key, value);
	}
	for (i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
		emit(arg, fixed[i][0], fixed[i][1]);
	return CLUSTER_OK;
}
