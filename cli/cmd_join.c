/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cluster/api.h"
#include "cluster/endpoint.h"
#include "cluster/enrolled.h"
#include "cluster/file.h"
#include "cluster/json.h"
#include "cluster/secret.h"
#include "cmd.h"
#include "configure.h"
#include "join_host.h"
#include "node_view.h"
#include "out.h"

#define JOIN_PATH "/v1/join"
#define TIMEOUT_MS 20000
#define PATH_SIZE 512

struct words {
	struct node_words node;
	const char *pin, *token, *name, *instance, *relay;
	struct command_list addresses, hostkeys, adopt;
	bool configure;
};

static const struct command_option options[] = {
	{ "pin", 0, COMMAND_TEXT, offsetof(struct words, pin), 0, 0, "PIN", "sha256:... of the cluster's first root" },
	{ "token", 0, COMMAND_SECRET, offsetof(struct words, token), 0, 0, "TOKEN", "from cluster-login node token; good for one node; - reads it from standard input" },
	{ "name", 0, COMMAND_TEXT, offsetof(struct words, name), 0, 0, "NAME", "the node's name (the host name)" },
	{ "address", 0, COMMAND_LIST, offsetof(struct words, addresses), 0, 0, "IP", "where it is reached (all addresses); may be given again" },
	{ "hostkey", 0, COMMAND_WORDS, offsetof(struct words, hostkeys), 0, 0, "FILE", "public ssh host key (/etc/ssh); may be given again" },
	{ "instance", 0, COMMAND_TEXT, offsetof(struct words, instance), 0, 0, "ID", "the cloud's id of this machine" },
	{ "relay", 0, COMMAND_TEXT, offsetof(struct words, relay), 0, 0, "HOST:PORT", "reach the authority through this node's relay, the agent later too" },
	{ "configure", 0, COMMAND_FLAG, offsetof(struct words, configure), 0, 0, NULL, "set up sshd, PAM and nsswitch too" },
	{ "adopt", 0, COMMAND_LIST, offsetof(struct words, adopt), 0, 0, "NAME", "with --configure: a local account that logs on by credential" },
	NODE_OPTIONS(struct words),
};

/* A join under way. */
struct join {
	struct api_where where;
	const char *state;
	struct document_root root;
	struct document_keyset keyset;
	char *root_text, *keyset_text;
	struct request_join request;
	struct join_host host;
	struct crypto_key *key, *hop;
	struct enrolled enrolled;
	bool made_dir;
};

static void join_free(struct join *j)
{
	crypto_key_free(j->hop);
	crypto_key_free(j->key);
	request_join_done(&j->request);
	explicit_bzero(j->request.token, sizeof j->request.token);
	free(j->keyset_text);
	free(j->root_text);
	free(j);
}

/* ---- before anything is sent ---- */

static enum cluster_err check_words(struct join *j, const struct words *w, struct diag *d)
{
	struct request_join *r = &j->request;
	enum cluster_err e;

	if (j->where.via != NULL && !endpoint_ok(j->where.via))
		return diag_set(d, CLUSTER_ECONFIG, "--relay is written host:port");
	if (!enrolled_url_ok(j->where.url))
		return diag_set(d, CLUSTER_ECONFIG, "\"%.80s\": an authority's address is https://host:port, at most 63 characters", j->where.url);
	if (document_pin_parse(w->pin, j->enrolled.pin) != CLUSTER_OK)
		return diag_set(d, CLUSTER_ECONFIG, "--pin is sha256: and 43 characters of base64url");
	if (w->name != NULL && !name_node_ok(w->name))
		return diag_set(d, CLUSTER_ECONFIG, "--name %.80s: not the name of a node", w->name);
	if (w->name == NULL && (e = join_host_name(r->name, d)) != CLUSTER_OK)
		return e;
	if (w->name != NULL)
		(void)snprintf(r->name, sizeof r->name, "%s", w->name);
	if (snprintf(r->token, sizeof r->token, "%s", w->token) >= (int)sizeof r->token || (w->instance != NULL && snprintf(r->instance, sizeof r->instance, "%s", w->instance) >= (int)sizeof r->instance))
		return diag_set(d, CLUSTER_ECONFIG, "--token or --instance is too long");
	if ((e = join_host_addresses(&w->addresses, r, d)) != CLUSTER_OK)
		return e;
	return join_host_keys(&w->hostkeys, &j->host, r, d);
}

static enum cluster_err check_state(struct join *j, struct diag *d)
{
	struct enrolled old;
	enum cluster_err e;

	e = enrolled_read(j->state, geteuid(), &old, d);
	if (e == CLUSTER_OK)
		return diag_set(d, CLUSTER_EDENIED, "this machine is the node %s of a cluster already", old.name);
	if (e != CLUSTER_ENOTFOUND)
		return e;
	j->made_dir = access(j->state, F_OK) != 0;
	return file_mkdir(j->state, 0755, d);
}

/* ---- keys ---- */

static enum cluster_err store_key(const struct join *j, const char *name, const struct crypto_key *key, struct diag *d)
{
	struct secret *pem = NULL;
	char path[PATH_SIZE];
	enum cluster_err e;

	if ((e = file_join(path, sizeof path, j->state, name)) != CLUSTER_OK)
		return diag_set(d, e, "%s: the path is too long", j->state);
	/* Without the marker a key of an earlier try is worth nothing. */
	if (unlink(path) != 0 && errno != ENOENT)
		return diag_errno(d, "cannot remove %s", path);
	if ((e = crypto_key_build(key, &pem)) == CLUSTER_OK)
		e = file_create(path, pem->bytes, pem->n, 0600, d);
	secret_free(pem);
	return e;
}

static enum cluster_err make_keys(struct join *j, struct diag *d)
{
	enum cluster_err e;

	if ((e = crypto_key_new(CRYPTO_ED25519, &j->key)) != CLUSTER_OK || (e = crypto_key_new(CRYPTO_ED25519, &j->hop)) != CLUSTER_OK ||
	    (e = crypto_key_pub(j->key, &j->request.key)) != CLUSTER_OK || (e = crypto_key_pub(j->hop, &j->request.hop)) != CLUSTER_OK)
		return diag_set(d, e, "cannot make the node's keys: %s", err_name(e));
	if ((e = store_key(j, "node.key", j->key, d)) != CLUSTER_OK)
		return e;
	return store_key(j, "hop.key", j->hop, d);
}

static void remove_file(const struct join *j, const char *name)
{
	char path[PATH_SIZE];

	if (file_join(path, sizeof path, j->state, name) == CLUSTER_OK)
		(void)unlink(path);
}

/* After a refusal nothing of ours is left. */
static void clean(const struct join *j)
{
	remove_file(j, "node.key");
	remove_file(j, "hop.key");
	if (j->made_dir)
		(void)rmdir(j->state);
}

/* ---- the request ---- */

static enum cluster_err build_body(struct join *j, struct json **ret, struct diag *d)
{
	struct json *signatures = json_list(), *body = NULL;
	char *request = NULL, *armoured = NULL;
	enum cluster_err e;
	size_t i;

	j->request.cluster = j->root.cluster;
	(void)snprintf(j->request.c.htm, sizeof j->request.c.htm, "POST");
	(void)snprintf(j->request.c.htu, sizeof j->request.c.htu, JOIN_PATH);
	if ((e = request_join_build(&j->request, time(NULL), j->key, &request)) != CLUSTER_OK) {
		diag_set(d, e, "cannot sign the request: %s", err_name(e));
		goto out;
	}
	for (i = 0; i < j->host.n_keys; i++) {
		free(armoured);
		armoured = NULL;
		if ((e = join_host_sign(&j->host, i, request, &armoured, d)) != CLUSTER_OK)
			goto out;
		if ((e = json_append(signatures, json_make("s", armoured))) != CLUSTER_OK) {
			diag_set(d, e, "out of memory");
			goto out;
		}
	}
	body = json_make("{s:s, s:O}", "request", request, "signatures", signatures);
	e = body != NULL ? CLUSTER_OK : diag_set(d, CLUSTER_ENOMEM, "out of memory");
	*ret = body;
out:
	json_free(signatures);
	free(armoured);
	free(request);
	return e;
}

static enum cluster_err read_answer(struct join *j, const struct json *answer, struct diag *d)
{
	const char *node = json_member_text(answer, "node"), *name = json_member_text(answer, "name");

	if (node == NULL || id_parse(node, &j->enrolled.node) != CLUSTER_OK || !name_node_ok(name))
		return diag_set(d, CLUSTER_EFORMAT, "the authority's answer names no node");
	j->enrolled.cluster = j->root.cluster;
	document_pin_text(j->enrolled.pin, j->enrolled.pin_text);
	(void)snprintf(j->enrolled.name, sizeof j->enrolled.name, "%s", name);
	j->enrolled.authority.n = 1;
	(void)snprintf(j->enrolled.authority.item[0], sizeof j->enrolled.authority.item[0], "%s", j->where.url);
	j->enrolled.relay.n = j->where.via != NULL;
	if (j->where.via != NULL)
		(void)snprintf(j->enrolled.relay.item[0], sizeof j->enrolled.relay.item[0], "%s", j->where.via);
	return CLUSTER_OK;
}

/* The token goes out here, over a connection that the keyset vouches for. */
static enum cluster_err send_request(struct join *j, struct diag *d)
{
	struct json *body = NULL, *answer = NULL;
	struct http *http = NULL;
	enum cluster_err e;

	if ((e = build_body(j, &body, d)) != CLUSTER_OK || (e = api_open(&j->where, &j->keyset, &http, d)) != CLUSTER_OK)
		goto out;
	if ((e = api_json(http, JOIN_PATH, NULL, body, TIMEOUT_MS, &answer, d)) == CLUSTER_OK)
		e = read_answer(j, answer, d);
out:
	json_free(answer);
	json_free(body);
	http_free(http);
	return e;
}

static enum cluster_err join(struct join *j, const struct words *w, struct diag *d)
{
	const struct configure c = { .state = j->state, .adopt = &w->adopt };
	enum cluster_err e, configured = CLUSTER_OK;

	if ((e = check_words(j, w, d)) != CLUSTER_OK || (w->configure && (e = configure_check(&c, d)) != CLUSTER_OK))
		return e;
	if ((e = api_bootstrap(&j->where, j->enrolled.pin, &j->root, &j->keyset, &j->root_text, &j->keyset_text, d)) != CLUSTER_OK)
		return e;
	if ((e = check_state(j, d)) != CLUSTER_OK)
		return e;
	if ((e = make_keys(j, d)) != CLUSTER_OK || (e = send_request(j, d)) != CLUSTER_OK) {
		clean(j);
		return e;
	}
	/* The token is spent: whatever happens now, this machine is a node, and the marker is the last thing written. */
	if (w->configure)
		configured = configure_apply(&c, d);
	if ((e = enrolled_store(j->state, &j->enrolled, d)) != CLUSTER_OK) {
		diag_prefix(d, "this machine is known to the authority as %s, but", j->enrolled.name);
		return e;
	}
	out_note("This machine is the node %s of the cluster %s.", j->enrolled.name, j->root.name);
	return configured;
}

static int run_join(const struct words *w, const char *url, const char *state)
{
	struct join *j = calloc(1, sizeof *j);
	struct diag d;
	int status = EXIT_DONE;

	if (j == NULL)
		return out_failed(&(struct diag){ .code = CLUSTER_ENOMEM }, NULL);
	j->where = (struct api_where){ .url = url, .via = w->relay };
	j->state = state;
	diag_clear(&d);
	if (join(j, w, &d) == CLUSTER_OK)
		out_note("Next: systemctl enable --now cluster-agentd");
	else if (j->enrolled.authority.n > 0)
		status = out_failed(&d, "cluster-login join --configure, once that is put right");
	else
		status = out_failed(&d, d.code == CLUSTER_ESIGNATURE || d.code == CLUSTER_EDENIED ? "the command exactly as cluster-login node token printed it, once and in time; else another token" : NULL);
	join_free(j);
	return status;
}

/* join --configure without an address, on a machine that has joined. */
static int run_configure(const struct words *w, const char *state)
{
	const struct configure c = { .state = state, .adopt = &w->adopt };
	struct enrolled enrolled;
	struct diag d;

	diag_clear(&d);
	if (enrolled_read(state, geteuid(), &enrolled, &d) != CLUSTER_OK)
		return out_failed(&d, "cluster-login join URL --pin PIN --token TOKEN --configure");
	if (configure_check(&c, &d) != CLUSTER_OK || configure_apply(&c, &d) != CLUSTER_OK)
		return out_failed(&d, d.code == CLUSTER_ECONFIG ? "cluster-login doctor; cluster-login leave undoes what was configured" : NULL);
	return EXIT_DONE;
}

static int run(const struct command *self, int argc, char **argv)
{
	struct command_operands rest;
	struct words w = { .pin = NULL };
	struct node_conf conf;
	const char *state;
	struct diag d;
	int status;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	if (geteuid() != 0 && w.node.conf == NULL && w.node.state == NULL) {
		out_error("only root can let a machine join a cluster");
		return EXIT_REFUSED;
	}
	diag_clear(&d);
	if (node_conf_load(w.node.conf != NULL ? w.node.conf : NODE_CONF_PATH, 0, &conf, &d) != CLUSTER_OK)
		return out_failed(&d, NULL);
	state = w.node.state != NULL ? w.node.state : conf.state;
	if (rest.n == 0 && w.configure)
		return run_configure(&w, state);
	if (rest.n == 0 || w.pin == NULL || w.token == NULL)
		return command_usage_error(argv[0], "the address of the authority, --pin and --token are needed; cluster-login node token prints the whole command");
	if (w.adopt.n > 0 && !w.configure)
		return command_usage_error(argv[0], "--adopt belongs to --configure");
	return run_join(&w, rest.v[0], state);
}

const struct command cmd_join = {
	.run = run,
	.usage = "URL --pin PIN --token TOKEN",
	.example = "  cluster-login join https://authority.example:7443 --pin sha256:kPqX... --token 7F3K... --configure --adopt ecs-user\n"
		   "\nProves the cluster by the pin, makes the node's keys, lets every ssh host key sign, and spends the token. With --configure sshd, PAM and\n"
		   "nsswitch.conf follow; originals are kept, and everything is put back if sshd would not take it. cluster-login leave undoes all.\n",
	COMMAND_OPTIONS(options),
	.most = 1,
};
