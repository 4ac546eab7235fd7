/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cluster/api.h"
#include "cluster/endpoint.h"
#include "cluster/json.h"
#include "cluster/request.h"
#include "cmd.h"
#include "device_key.h"
#include "out.h"
#include "profile.h"

#define ENROLL_PATH "/v1/enroll"
#define ROOM 32768 /* a device's files when it is new: 12 KiB at most */
#define TIMEOUT_MS 15000

struct words {
	const char *pin, *code, *label, *relay, *ssh_agent;
	bool force;
};

static const struct command_option options[] = {
	{ "pin", 0, COMMAND_TEXT, offsetof(struct words, pin), 0, 0, "PIN", "sha256:... of the cluster's first root" },
	{ "code", 0, COMMAND_SECRET, offsetof(struct words, code), 0, 0, "CODE", "the invitation; valid once and for ten minutes; - reads it from standard input" },
	{ "label", 0, COMMAND_TEXT, offsetof(struct words, label), 0, 0, "TEXT", "what this device is called (the host name)" },
	{ "ssh-agent", 0, COMMAND_TEXT, offsetof(struct words, ssh_agent), 0, 0, "KEY", "the device's key is this one of the ssh-agent: SHA256:..., a .pub file, or its comment" },
	{ "relay", 0, COMMAND_TEXT, offsetof(struct words, relay), 0, 0, "HOST:PORT", "reach the authority through this node's relay, from now on" },
	{ "force", 0, COMMAND_FLAG, offsetof(struct words, force), 0, 0, NULL, "replace the cluster that is set up here" },
};

/* What setup learns and makes before it writes anything. */
struct setup {
	struct profile p;
	struct document_root root;
	struct document_keyset keyset;
	char *root_text, *keyset_text;
	struct crypto_key *device;
	struct device_key *agent; /* instead */
};

/* A new key, or the one that the person means; before anything is sent. */
static enum cluster_err make_key(struct setup *s, const struct words *w, struct diag *d)
{
	enum cluster_err e;

	if (w->ssh_agent != NULL) {
		if ((e = device_key_find(w->ssh_agent, &s->agent, d)) != CLUSTER_OK)
			return e;
		e = device_key_name(s->agent, s->p.device_key, sizeof s->p.device_key);
	} else {
		e = crypto_key_new(CRYPTO_ED25519, &s->device);
	}
	return e == CLUSTER_OK ? e : diag_set(d, e, "cannot make the device's key: %s", err_name(e));
}

static enum cluster_err sign_by_agent(struct setup *s, struct request_enroll *q, struct json **ret, struct diag *d)
{
	enum cluster_err e;
	char *text = NULL;
	size_t n = 0;

	if ((e = sshkey_line_build(device_key_public(s->agent), q->sshkey, sizeof q->sshkey)) != CLUSTER_OK || (e = request_enroll_text(q, time(NULL), &text, &n)) != CLUSTER_OK)
		diag_set(d, e, "cannot write the request: %s", err_name(e));
	else
		e = device_key_request(s->agent, text, n, ret, d);
	free(text);
	return e;
}

static enum cluster_err sign_by_file(struct setup *s, struct request_enroll *q, struct json **ret, struct diag *d)
{
	char *request = NULL;
	enum cluster_err e;

	if ((e = crypto_key_pub(s->device, &q->key)) != CLUSTER_OK || (e = request_enroll_build(q, time(NULL), s->device, &request)) != CLUSTER_OK)
		diag_set(d, e, "cannot sign the request: %s", err_name(e));
	else if ((*ret = json_make("{s:s}", "request", request)) == NULL)
		e = diag_set(d, CLUSTER_ENOMEM, "out of memory");
	free(request);
	return e;
}

static enum cluster_err make_request(struct setup *s, const struct words *w, struct json **ret, struct diag *d)
{
	struct request_enroll q = { .c = { .htm = "POST", .htu = ENROLL_PATH }, .cluster = s->root.cluster };
	char host[64] = "";
	enum cluster_err e;

	if (w->label == NULL && gethostname(host, sizeof host - 1) != 0)
		host[0] = '\0';
	if (strlen(w->code) >= sizeof q.code || (w->label != NULL && strlen(w->label) >= sizeof q.label))
		return diag_set(d, CLUSTER_ECONFIG, "code or label is longer than %zu characters", sizeof q.code - 1);
	(void)snprintf(q.code, sizeof q.code, "%s", w->code);
	(void)snprintf(q.label, sizeof q.label, "%s", w->label != NULL ? w->label : host[0] != '\0' ? host : "device");
	e = s->agent != NULL ? sign_by_agent(s, &q, ret, d) : sign_by_file(s, &q, ret, d);
	explicit_bzero(q.code, sizeof q.code);
	return e;
}

/* The code goes out here, over a connection that the keyset vouches for. */
static enum cluster_err enroll(struct setup *s, const struct words *w, struct diag *d)
{
	const struct api_where where = profile_where(&s->p);
	struct json *body = NULL, *answer = NULL;
	const char *device, *person, *name;
	struct http *http = NULL;
	enum cluster_err e;

	if ((e = make_request(s, w, &body, d)) != CLUSTER_OK || (e = api_open(&where, &s->keyset, &http, d)) != CLUSTER_OK)
		goto out;
	if ((e = api_json(http, ENROLL_PATH, NULL, body, TIMEOUT_MS, &answer, d)) != CLUSTER_OK)
		goto out;
	device = json_member_text(answer, "device");
	person = json_member_text(answer, "person");
	name = json_member_text(answer, "name");
	if (device == NULL || id_parse(device, &s->p.device) != CLUSTER_OK || person == NULL || id_parse(person, &s->p.person) != CLUSTER_OK || !name_person_ok(name)) {
		e = diag_set(d, CLUSTER_EFORMAT, "the authority's answer names no device and person");
		goto out;
	}
	(void)snprintf(s->p.name, sizeof s->p.name, "%s", name);
out:
	json_free(answer);
	json_free(body);
	http_free(http);
	return e;
}

/* A code is good once: a disk that is full, or a directory that cannot be written, has to show before it is sent, and with --force before anything is replaced. */
static enum cluster_err room(const struct setup *s, struct diag *d)
{
	enum cluster_err e;
	char *text;

	if ((e = profile_make_dir(s->p.dir, d)) != CLUSTER_OK)
		return e;
	if ((text = calloc(1, ROOM)) == NULL)
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	if ((e = profile_write(&s->p, PROFILE_TRIAL, text, ROOM, d)) == CLUSTER_OK)
		e = profile_remove(&s->p, PROFILE_TRIAL, d);
	free(text);
	return e;
}

/* profile.conf comes last: without it nothing is set up. */
static enum cluster_err store(const struct setup *s, struct diag *d)
{
	enum cluster_err e;

	if ((e = profile_make_dir(s->p.dir, d)) != CLUSTER_OK || (e = profile_remove(&s->p, PROFILE_CONF, d)) != CLUSTER_OK)
		return e;
	if ((e = profile_remove(&s->p, PROFILE_HEAD, d)) != CLUSTER_OK || (e = profile_remove(&s->p, PROFILE_CREDENTIAL, d)) != CLUSTER_OK ||
	    (e = profile_remove(&s->p, PROFILE_CREDENTIAL_KEY, d)) != CLUSTER_OK || (e = profile_remove(&s->p, PROFILE_ACCOUNTS, d)) != CLUSTER_OK)
		return e;
	e = s->device != NULL ? profile_key_write(&s->p, PROFILE_DEVICE_KEY, s->device, d) : profile_remove(&s->p, PROFILE_DEVICE_KEY, d);
	if (e != CLUSTER_OK ||
	    (e = profile_write(&s->p, PROFILE_ROOT, s->root_text, strlen(s->root_text), d)) != CLUSTER_OK ||
	    (e = profile_write(&s->p, PROFILE_KEYSET, s->keyset_text, strlen(s->keyset_text), d)) != CLUSTER_OK)
		return e;
	return profile_store(&s->p, d);
}

static enum cluster_err setup(struct setup *s, const char *url, const struct words *w, struct diag *d)
{
	struct api_where where;
	struct profile old;
	enum cluster_err e;

	if ((e = profile_dir(s->p.dir, d)) != CLUSTER_OK)
		return e;
	if (!w->force && profile_load(&old, NULL) == CLUSTER_OK)
		return diag_set(d, CLUSTER_EDENIED, "%s is set up for %s already; --force replaces it", s->p.dir, old.name);
	if (w->label != NULL && !request_label_ok(w->label))
		return diag_set(d, CLUSTER_ECONFIG, "--label has 1 to 63 characters");
	if (document_pin_parse(w->pin, s->p.pin) != CLUSTER_OK)
		return diag_set(d, CLUSTER_ECONFIG, "--pin is sha256: and 43 characters of base64url");
	if (strlen(url) >= sizeof s->p.url)
		return diag_set(d, CLUSTER_ECONFIG, "the authority's address is too long");
	(void)snprintf(s->p.url, sizeof s->p.url, "%s", url);
	if (w->relay != NULL && !endpoint_ok(w->relay))
		return diag_set(d, CLUSTER_ECONFIG, "--relay is written host:port");
	(void)snprintf(s->p.relay, sizeof s->p.relay, "%s", w->relay != NULL ? w->relay : "");
	where = profile_where(&s->p);
	if ((e = make_key(s, w, d)) != CLUSTER_OK)
		return e;
	if ((e = room(s, d)) != CLUSTER_OK)
		return e;
	if ((e = api_bootstrap(&where, s->p.pin, &s->root, &s->keyset, &s->root_text, &s->keyset_text, d)) != CLUSTER_OK)
		return e;
	s->p.cluster = s->root.cluster;
	if ((e = enroll(s, w, d)) != CLUSTER_OK)
		return e;
	return store(s, d);
}

static const char *next_of(const struct diag *d)
{
	bool wrong = d->code == CLUSTER_ESIGNATURE || (d->code == CLUSTER_EDENIED && strstr(d->text, "--force") == NULL) || strncmp(d->text, "--pin", 5) == 0;

	return !wrong ? NULL : "the command exactly as an administrator's \"cluster-login user invite\" printed it, once and in time; if its code is spent, another one";
}

static int run(const struct command *self, int argc, char **argv)
{
	struct command_operands rest;
	struct setup *s = NULL;
	struct words w = { 0 };
	struct diag d;
	bool no_key = strcmp(argv[argc - 1], "--ssh-agent") == 0;
	int status;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO) {
		if (no_key)
			device_key_list();
		return status;
	}
	if (w.pin == NULL || w.code == NULL)
		return command_usage_error(argv[0], "--pin and --code are needed; an administrator's \"cluster-login user invite\" prints the whole command");
	diag_clear(&d);
	if ((s = calloc(1, sizeof *s)) == NULL)
		return out_failed(&(struct diag){ .code = CLUSTER_ENOMEM }, NULL);
	if (setup(s, rest.v[0], &w, &d) != CLUSTER_OK) {
		status = out_failed(&d, next_of(&d));
		if (w.ssh_agent != NULL && d.code == CLUSTER_ENOTFOUND && s->agent == NULL)
			device_key_list();
	} else {
		out_note("This device is enrolled for %s in the cluster %s.", s->p.name, s->root.name);
		out_note("Next: cluster-login get");
		status = EXIT_DONE;
	}
	crypto_key_free(s->device);
	device_key_free(s->agent);
	free(s->root_text);
	free(s->keyset_text);
	free(s);
	return status;
}

const struct command cmd_setup = {
	.run = run,
	.usage = "URL --pin PIN --code CODE",
	.example = "  cluster-login setup https://authority.example:7443 --pin sha256:kPqX... --code 7f3k-92qx-11bc\n"
		   "\nMakes a device key in ~/.config/cluster-login (or $CLUSTER_LOGIN_HOME) and enrols it. The pin proves the cluster before the code is sent.\n"
		   "With --ssh-agent no key is made: an Ed25519, ECDSA or security key, or RSA of 3072 bits or more, that your ssh-agent holds is enrolled.\n",
	COMMAND_OPTIONS(options),
	.least = 1,
	.most = 1,
};
