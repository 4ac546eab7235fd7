/* SPDX-License-Identifier: Apache-2.0 */
#include "serve.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <event2/event.h>

#include "change.h"
#include "cluster/log.h"
#include "cluster/refusals.h"
#include "cluster/secret.h"
#include "keys.h"
#include "listen.h"
#include "poll.h"
#include "refused.h"
#include "replay.h"
#include "routes.h"
#include "tally.h"
#include "tls.h"
#include "user.h"

#define REPLAY_MAX (1u << 20)
#define EVENTS 5
#define STORE_SECONDS 1
#define POLICY_MAX 80
#define EXPIRY_WARNING (30 * 86400)
#define WARNING_INTERVAL 86400

struct server {
	struct authority a;
	struct listen *listen;
	int64_t warned; /* when of keys that expire */
	struct tls *tls;
	struct event *event[EVENTS];
};

/* ---- what happens by itself ---- */

/* Signs a new head; with `directory`, also the index with the policy of the configuration. */
static enum cluster_err sign_again(struct authority *a, bool directory, struct diag *d)
{
	char policy[POLICY_MAX];
	struct change ch = { 0 };
	enum cluster_err e;

	snprintf(policy, sizeof policy, "%llu %llu %llu", (unsigned long long)a->conf.max_stale, (unsigned long long)a->conf.skew, (unsigned long long)a->conf.sudo_fresh);
	if ((e = change_begin(&ch, a, authority_now(), d)) != CLUSTER_OK)
		goto out;
	ch.stage.directory = directory;
	if (directory && (e = store_put(ch.store, STORE_META, "policy", policy, strlen(policy))) != CLUSTER_OK) {
		change_store_error(&ch, e, d);
		goto out;
	}
	if ((e = publish_sweep(ch.store, ch.stage.next, ch.now)) != CLUSTER_OK) {
		change_store_error(&ch, e, d);
		goto out;
	}
	e = change_commit(&ch, NULL, NULL, d);
out:
	change_done(&ch);
	return e;
}

/* The signed index carries max_stale and the like: is it what the configuration says? */
static bool policy_changed(struct authority *a)
{
	char policy[POLICY_MAX], *stored = NULL;
	bool changed = true;
	size_t n = 0;

	snprintf(policy, sizeof policy, "%llu %llu %llu", (unsigned long long)a->conf.max_stale, (unsigned long long)a->conf.skew, (unsigned long long)a->conf.sudo_fresh);
	if (store_get(a->store, STORE_META, "policy", &stored, &n) == CLUSTER_OK)
		changed = strcmp(stored, policy) != 0;
	free(stored);
	return changed;
}

/* Once a day. */
static void warn_of_expiry(struct server *s, int64_t now)
{
	const struct authority *a = &s->a;

	if (now - s->warned < WARNING_INTERVAL)
		return;
	s->warned = now;
	for (size_t i = 0; i < a->keyset.ring.n; i++) {
		const struct keyring_key *k = &a->keyset.ring.key[i];

		if (k->exp - now < EXPIRY_WARNING)
			log_line(LOG_LEVEL_WARNING, "the %s key %s %s: see cluster-authorityd keyset --rotate", keyring_role_name(k->role), k->kid, k->exp <= now ? "has expired" : "expires within 30 days");
	}
	if (a->root.exp - now < EXPIRY_WARNING)
		log_line(LOG_LEVEL_WARNING, "the root %s: see cluster-authorityd root, the keyset cannot be changed after that", a->root.exp <= now ? "has expired" : "expires within 30 days");
}

static void on_head(evutil_socket_t fd, short what, void *ctx)
{
	struct server *s = ctx;
	struct diag d = { 0 };

	(void)fd;
	(void)what;
	if (sign_again(&s->a, false, &d) != CLUSTER_OK)
		log_line(LOG_LEVEL_ERROR, "no new head: %s", d.text);
	routes_tally(&s->a, false);
	warn_of_expiry(s, authority_now());
}

static void reload(struct server *s)
{
	struct diag d = { 0 };

	if (authority_reload(&s->a, &d) != CLUSTER_OK) {
		log_line(LOG_LEVEL_ERROR, "what another process wrote cannot be taken over: %s", d.text);
		return;
	}
	log_line(LOG_LEVEL_NOTICE, "keyset %lld, head %lld read again", (long long)s->a.keyset.version, (long long)s->a.published->head_version);
}

static void on_store(evutil_socket_t fd, short what, void *ctx)
{
	struct server *s = ctx;

	(void)fd;
	(void)what;
	if (authority_behind(&s->a))
		reload(s);
}

static void on_hup(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	reload(ctx);
}

static void on_stop(evutil_socket_t fd, short what, void *ctx)
{
	struct server *s = ctx;

	(void)what;
	log_line(LOG_LEVEL_NOTICE, "stopping: signal %d", (int)fd);
	event_base_loopexit(s->a.base, NULL);
}

static enum cluster_err events(struct server *s, struct diag *d)
{
	const struct timeval head = { .tv_sec = (time_t)s->a.conf.head_interval }, store = { .tv_sec = STORE_SECONDS };

	s->event[0] = event_new(s->a.base, -1, EV_PERSIST, on_head, s);
	s->event[1] = event_new(s->a.base, -1, EV_PERSIST, on_store, s);
	s->event[2] = evsignal_new(s->a.base, SIGHUP, on_hup, s);
	s->event[3] = evsignal_new(s->a.base, SIGTERM, on_stop, s);
	s->event[4] = evsignal_new(s->a.base, SIGINT, on_stop, s);
	for (size_t i = 0; i < EVENTS; i++) {
		if (!s->event[i] || event_add(s->event[i], i == 0 ? &head : i == 1 ? &store : NULL) != 0)
			return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	}
	return CLUSTER_OK;
}

/* ---- starting ---- */

static void raise_limits(void)
{
	struct rlimit files, none = { 0, 0 };

	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
		files.rlim_cur = files.rlim_max;
		(void)!setrlimit(RLIMIT_NOFILE, &files);
	}
	/* keys are in our memory */
	(void)!setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0);
}

static enum cluster_err doors(struct server *s, struct diag *d)
{
	const struct config *conf = &s->a.conf;
	enum cluster_err e;

	if ((e = listen_new(&s->a, &s->listen)) != CLUSTER_OK)
		return diag_set(d, e, "out of memory");
	for (size_t i = 0; i < conf->listen.n; i++) {
		if ((e = listen_tcp(s->listen, conf->listen.item[i], false, d)) != CLUSTER_OK)
			return e;
	}
	if (conf->plain[0] && (e = listen_tcp(s->listen, conf->plain, true, d)) != CLUSTER_OK)
		return e;
	return listen_unix(s->listen, conf->socket, d);
}

static enum cluster_err become(const struct config *conf, struct diag *d)
{
	struct user u;
	enum cluster_err e;

	if (conf->user[0])
		e = user_find(conf->user, &u, d);
	else
		e = user_of(conf->dir, &u, d);
	if (e != CLUSTER_OK || (geteuid() != 0 && !conf->user[0]))
		return e;
	return user_become(&u, d);
}

static enum cluster_err open_tls(struct server *s, struct diag *d)
{
	char path[AUTHORITY_PATH_MAX];
	uint8_t pin[CRYPTO_SHA256_SIZE];
	struct secret *key = NULL, *cert = NULL;
	enum cluster_err e;
	bool known = false;

	snprintf(path, sizeof path, "%s/keys/tls.key", s->a.conf.dir);
	if ((e = keys_read_file(path, &key, d)) != CLUSTER_OK)
		goto out;
	snprintf(path, sizeof path, "%s/keys/tls.crt", s->a.conf.dir);
	if ((e = keys_read_file(path, &cert, d)) != CLUSTER_OK || (e = tls_new(key, (const char *)cert->bytes, cert->n, &s->tls, pin, d)) != CLUSTER_OK)
		goto out;
	for (size_t i = 0; i < s->a.keyset.n_tls; i++)
		known = known || crypto_equal(pin, s->a.keyset.tls[i], sizeof pin);
	if (!known)
		e = diag_set(d, CLUSTER_ECONFIG, "%s: the keyset does not list this TLS key: nobody would trust it", path);
out:
	secret_free(cert);
	secret_free(key);
	return e;
}

static struct event_base *make_base(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	/* connections are registered for edges, which only epoll has */
	if (config && event_config_require_features(config, EV_FEATURE_ET) == 0 && event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK) == 0)
		base = event_base_new_with_config(config);
	if (config)
		event_config_free(config);
	return base;
}

static enum cluster_err start(struct server *s, struct diag *d)
{
	struct authority *a = &s->a;
	enum cluster_err e;
	int64_t bound;

	raise_limits();
	if (!(a->base = make_base()))
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	if ((e = doors(s, d)) != CLUSTER_OK)
		return e;
	bound = authority_now(); /* who served before us does so no more: what was signed since is new, also what waits at our doors while we read the store */
	if ((e = become(&a->conf, d)) != CLUSTER_OK)
		return e;
	prctl(PR_SET_DUMPABLE, 0); /* changing the user has set it again */
	if ((e = authority_open(a, d)) != CLUSTER_OK || (e = open_tls(s, d)) != CLUSTER_OK)
		return e;
	if ((e = replay_new(bound, REPLAY_MAX, &a->replay)) != CLUSTER_OK || (e = poll_new(a, &a->poll)) != CLUSTER_OK ||
	    (e = refusals_new(REFUSED_MAX, REFUSED_NODE_MAX, &a->refusals)) != CLUSTER_OK)
		return diag_set(d, e, "%s", err_name(e));
	if (!(a->tally = calloc(1, sizeof *a->tally)))
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	warn_of_expiry(s, authority_now());
	if ((e = sign_again(a, policy_changed(a), d)) != CLUSTER_OK || (e = events(s, d)) != CLUSTER_OK)
		return e;
	return listen_start(s->listen, s->tls, (size_t)a->conf.connections, d);
}

static void stop(struct server *s)
{
	poll_free(s->a.poll);
	s->a.poll = NULL;
	listen_free(s->listen);
	for (size_t i = 0; i < EVENTS; i++) {
		if (s->event[i])
			event_free(s->event[i]);
	}
	tls_free(s->tls);
	authority_close(&s->a);
	if (s->a.base)
		event_base_free(s->a.base);
	libevent_global_shutdown();
}

enum cluster_err serve_run(const struct config *conf, struct diag *d)
{
	struct server *s = calloc(1, sizeof *s);
	enum cluster_err e;

	if (!s)
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	s->a.conf = *conf;
	signal(SIGPIPE, SIG_IGN);
	if ((e = start(s, d)) == CLUSTER_OK) {
		log_line(LOG_LEVEL_NOTICE, "cluster %s: head %lld, %s, uid %u", s->a.root.name, (long long)s->a.published->head_version, s->a.url, (unsigned)geteuid());
		event_base_dispatch(s->a.base);
		routes_tally(&s->a, true);
		log_line(LOG_LEVEL_NOTICE, "stopped");
	}
	stop(s);
	free(s);
	return e;
}
