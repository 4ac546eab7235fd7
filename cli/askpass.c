/* SPDX-License-Identifier: Apache-2.0 */
#include "askpass.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cluster/crypto.h"
#include "cluster/secret.h"
#include "exit.h"
#include "out.h"
#include "self.h"
#include "view.h"
#include "wallet.h"

bool askpass_named(const char *argv0)
{
	return self_named(argv0, SELF_ASKPASS) || self_named(argv0, "cluster-login-askpass");
}

enum cluster_err askpass_check(const struct challenge_prompt_view *v, const struct cluster_id *cluster, const struct directory *dir, int64_t now, struct diag *d)
{
	const struct challenge *c = &v->challenge;
	const struct directory_node *node;

	if (!id_equal(&c->cluster, cluster))
		return diag_set(d, CLUSTER_EDENIED, "the challenge is of another cluster");
	if (strcmp(c->service, "sshd") != 0)
		return diag_set(d, CLUSTER_EDENIED, "the challenge is for the service \"%s\", not sshd", c->service);
	if (c->account[0] == '\0' || strcmp(c->account, v->user) != 0)
		return diag_set(d, CLUSTER_EDENIED, "the challenge is for the account \"%s\", but ssh logs on as \"%s\"", c->account, v->user);
	if (c->time > now + CHALLENGE_AGE_MAX || c->time < now - CHALLENGE_AGE_MAX)
		return diag_set(d, CLUSTER_EDENIED, "the challenge was made %lld seconds from now: compare the clocks of this machine and the node", (long long)(c->time - now));
	if ((node = directory_node_by_host(dir, v->host)) == NULL)
		return diag_set(d, CLUSTER_EDENIED, "the cluster's directory has no node \"%s\"", v->host);
	if (!id_equal(&node->id, &c->node) || !crypto_equal(node->hostkey_hash, c->hostkey_hash, sizeof node->hostkey_hash))
		return diag_set(d, CLUSTER_EDENIED, "%s sent the challenge of another node: somebody in between may be passing it on", v->host);
	return CLUSTER_OK;
}

static enum cluster_err answer(const struct challenge_prompt_view *prompt, char *dst, size_t size, struct diag *d)
{
	int64_t now = time(NULL);
	struct wallet w = { 0 };
	struct view *v = NULL;
	struct profile p;
	enum cluster_err e;

	if ((e = profile_load(&p, d)) != CLUSTER_OK || (e = view_load(&p, &v, d)) != CLUSTER_OK || (e = wallet_load(&p, &w, d)) != CLUSTER_OK)
		goto out;
	if ((e = askpass_check(prompt, &p.cluster, v->dir, now, d)) != CLUSTER_OK)
		goto out;
	if (w.claims.exp <= now) {
		e = diag_set(d, CLUSTER_EEXPIRED, "the credential has expired");
		goto out;
	}
	if ((e = challenge_answer_build(w.token, w.key, &prompt->challenge, dst, size)) != CLUSTER_OK)
		diag_set(d, e, "cannot sign the answer: %s", err_name(e));
out:
	view_free(v);
	wallet_done(&w);
	return e;
}

int askpass_run(int argc, char **argv)
{
	char text[CHALLENGE_ANSWER_MAX + 2]; /* the answer, a newline and a NUL */
	struct challenge_prompt_view prompt;
	enum cluster_err e;
	struct diag d;
	ssize_t sent;
	size_t n;

	/* A hint means a question for a human: confirm this, touch that. */
	if (getenv("SSH_ASKPASS_PROMPT") != NULL || argc != 2)
		return EXIT_NO;
	if (challenge_prompt_parse(argv[1], strlen(argv[1]), &prompt) != CLUSTER_OK) {
		out_error("not answered: this is not a cluster's challenge");
		out_try("cluster-login show, for the accounts that are yours; local accounts of a node, and questions of ssh, are for an ssh without this helper");
		return EXIT_NO;
	}
	diag_clear(&d);
	if ((e = answer(&prompt, text, CHALLENGE_ANSWER_MAX + 1, &d)) != CLUSTER_OK) {
		out_error("not answered: %s", d.text);
		if (e == CLUSTER_EEXPIRED || e == CLUSTER_ENOTFOUND)
			out_try("cluster-login get");
		return EXIT_NO;
	}
	/* One write: ssh reads at most 1023 bytes and closes its end. */
	n = strlen(text);
	text[n] = '\n';
	sent = write(1, text, n + 1);
	secret_wipe(text);
	return sent == (ssize_t)(n + 1) ? EXIT_DONE : EXIT_NO;
}
