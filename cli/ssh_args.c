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
	int n = snprintf(dst, VALUE_MAX, "%s " SELF_KNOWN_HOSTS "%s%s %%H %%K", self_askpass(askpass) ? askpass : a->self, a->home != NULL ? " --home=" : "", a->home != NULL ? a->home : "");

	return n < VALUE_MAX ? CLUSTER_OK : CLUSTER_ELIMIT;
}

/* Host, user@host, address: nothing that a shell or ssh could take for something else. */
static bool jump_ok(const char *s)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:@-";

	return *s != '\0' && *s != '-' && s[strspn(s, plain)] == '\0';
}

/* What a node says of itself makes nobody's bastion of it. */
static const struct directory_node *jump_node(const struct ssh_args *a, const char *host)
{
	return a->proxy != NULL ? resolve_node(a->dir, host) : resolve_named(a->dir, host);
}

/* A node of the cluster is jumped through by this program, which asks nothing and checks its host key too. The brackets would be a pattern to the person's shell. */
static enum cluster_err through_node(const struct ssh_args *a, const struct directory_node *node, char dst[VALUE_MAX])
{
	int n = snprintf(dst, VALUE_MAX, "%s%s%s%s ssh -q -W '[%%h]:%%p' %%r@%s", a->home != NULL ? "env CLUSTER_LOGIN_HOME=" : "", a->home != NULL ? a->home : "",
	    a->home != NULL ? " " : "", a->self, node->name);

	return n < VALUE_MAX ? CLUSTER_OK : CLUSTER_ELIMIT;
}

/* Another host to jump through is ssh's own affair. */
static enum cluster_err jump(const struct ssh_args *a, const char *host, ssh_args_emit *emit, void *arg)
{
	const struct directory_node *node = jump_node(a, host);
	char value[VALUE_MAX];
	enum cluster_err e;

	if (node == NULL || node == a->node) {
		emit(arg, "ProxyJump", host);
		return CLUSTER_OK;
	}
	if ((e = through_node(a, node, value)) != CLUSTER_OK)
		return e;
	emit(arg, "ProxyCommand", value);
	emit(arg, "ProxyUseFdpass", "no"); /* reach() may have said otherwise in the person's configuration */
	return CLUSTER_OK;
}

/* The node's own address if it answers, else the jump host: one connection, whichever it is. */
static enum cluster_err reach(const struct ssh_args *a, const char *host, ssh_args_emit *emit, void *arg)
{
	const struct directory_node *node = jump_node(a, host);
	char askpass[PROFILE_PATH_MAX], around[VALUE_MAX], value[VALUE_MAX];
	enum cluster_err e = CLUSTER_OK;

	if (node != NULL)
		e = through_node(a, node, around);
	else if (snprintf(around, sizeof around, "ssh -W '[%%h]:%%p' ssh://%s", host) >= (int)sizeof around)
		e = CLUSTER_ELIMIT;
	if (e != CLUSTER_OK)
		return e;
	if (snprintf(value, sizeof value, "%s " SELF_REACH " %%h %%p %s", self_askpass(askpass) ? askpass : a->self, around) >= (int)sizeof value)
		return CLUSTER_ELIMIT;
	emit(arg, "ProxyCommand", value);
	emit(arg, "ProxyUseFdpass", "yes");
	return CLUSTER_OK;
}

static enum cluster_err way(const struct ssh_args *a, ssh_args_emit *emit, void *arg, struct diag *d)
{
	const char *host = a->proxy != NULL ? a->proxy : a->node->jump;
	enum cluster_err e;

	if (host == NULL || a->own_way)
		return CLUSTER_OK;
	if (!jump_ok(host))
		return diag_set(d, CLUSTER_ECONFIG, "\"%.100s\" is not a host to jump through", host);
	e = a->proxy != NULL || jump_node(a, host) == a->node ? jump(a, host, emit, arg) : reach(a, host, emit, arg);
	return e == CLUSTER_OK ? e : diag_set(d, e, "the jump host is too long");
}

enum cluster_err ssh_args_each(const struct ssh_args *a, ssh_args_emit *emit, void *arg, struct diag *d)
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
	if ((e = way(a, emit, arg, d)) != CLUSTER_OK)
		return e;
	for (i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
		emit(arg, fixed[i][0], fixed[i][1]);
	return CLUSTER_OK;
}
