/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cluster/json.h"
#include "cluster/onetime.h"
#include "cmd.h"
#include "issue.h"
#include "out.h"
#include "resolve.h"
#include "view.h"

struct words {
	uint64_t ttl;
	bool json;
};

static const struct command_option options[] = {
	{ "ttl", 0, COMMAND_SECONDS, offsetof(struct words, ttl), 10, ONETIME_LIFE_MAX, "TIME", "life (2m)" },
	{ "json", 0, COMMAND_FLAG, offsetof(struct words, json), 0, 0, NULL, "JSON" },
};

/* "ACCOUNT@NODE" into a wish; a role, address or instance id becomes the name of its node. */
static int read_wish(const struct profile *p, char *word, const struct words *w, const char *name, struct issue_wish *ret)
{
	char *at = strrchr(word, '@'), *host;
	const struct directory_node *node;
	struct view *v = NULL;
	int n = 0;

	if (at == NULL)
		return command_usage_error(name, "ACCOUNT@NODE, both");
	*at = '\0';
	host = at + 1;
	if (!name_account_ok(word))
		return command_usage_error(name, "%s: not the name of an account", word);
	*ret = (struct issue_wish){ .ttl = (int64_t)w->ttl, .n_acc = 1, .n_nod = 1 };
	(void)snprintf(ret->acc[0], sizeof ret->acc[0], "%s", word);
	if (view_load(p, &v, NULL) == CLUSTER_OK && (node = resolve_node(v->dir, host)) != NULL)
		n = snprintf(ret->nod[0], sizeof ret->nod[0], "node:%s", node->name);
	else if (name_node_ok(host))
		n = snprintf(ret->nod[0], sizeof ret->nod[0], "node:%s", host);
	view_free(v);
	if (n <= 0 || (size_t)n >= sizeof ret->nod[0])
		return command_usage_error(name, "%s: not a node", host);
	return COMMAND_GO;
}

static int print(const char *token, int64_t exp, const struct issue_wish *wish, const struct words *w)
{
	if (w->json)
		return out_json(json_make("{s:s, s:s, s:I, s:s}", "account", wish->acc[0], "credential", token, "expires", (long long)exp, "node", wish->nod[0] + strlen("node:")));
	out_line("%s", token);
	out_note("For one login as %s on %s, within %" PRId64 " seconds: paste it where a password is asked for. Whoever sees it before it is used can use it.", wish->acc[0],
	    wish->nod[0] + strlen("node:"), exp - (int64_t)time(NULL));
	return EXIT_DONE;
}

static int run(const struct command *self, int argc, char **argv)
{
	struct command_operands rest;
	struct issue_wish wish;
	struct words w = { 0 };
	char *token = NULL;
	int64_t exp = 0;
	struct profile p;
	struct diag d;
	int status;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	diag_clear(&d);
	if (profile_load(&p, &d) != CLUSTER_OK)
		return out_failed(&d, profile_next(d.code));
	if ((status = read_wish(&p, rest.v[0], &w, argv[0], &wish)) != COMMAND_GO)
		return status;
	if (issue_onetime(&p, &wish, &token, &exp, &d) != CLUSTER_OK)
		return out_failed(&d, d.code == CLUSTER_EDENIED ? "cluster-login ssh, or ask an administrator: cluster-login grant add --onetime" :
			d.code == CLUSTER_ENOTFOUND ? "cluster-login nodes" : d.code == CLUSTER_EUNAVAIL ? "cluster-login ssh, which needs no authority; one-time credentials do" : NULL);
	status = print(token, exp, &wish, &w);
	explicit_bzero(token, strlen(token));
	free(token);
	return status;
}

const struct command cmd_token = {
	.run = run,
	.usage = "ACCOUNT@NODE",
	.example = "  cluster-login token emr-user@master-1-1\n"
		   "  cluster-login token core@leader --ttl 5m\n"
		   "\nFor PuTTY, a console or a web page that can only take a password. Good once, on that node, for two minutes; nothing else is printed to stdout.\n",
	COMMAND_OPTIONS(options),
	.least = 1,
	.most = 1,
};
