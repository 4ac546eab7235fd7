/* SPDX-License-Identifier: Apache-2.0 */
#include "agent.h"

#include <string.h>
#include <sys/resource.h>

#include <event2/event.h>

#include "cluster/log.h"

#include "ipc.h"
#include "relay.h"

#define CONNECT_MS 2500
#define IDLE_MS 180000 /* a long poll is silent for 60 s */
#define SWEEP_MS 10000
#define LISTEN_SECONDS 5
#define TELL_SECONDS 5
#define OTHER_FDS 64

/* The process that relays: no key, no file but what names the authority, no say; a filter leaves it network and nothing else. */
struct relaying {
	const struct agent *agent;
	int root;
	struct event_base *base;
	struct relay *relay;
	struct relay_conf conf;
	struct endpoint target[CONF_LIST_MAX];
	struct event *on_root, *listen, *tell;
	size_t n_listening; /* the first so many of relay_listen */
	struct relay_counts told;
	int exit_status;
};

static void say(void *arg, int level, const char *line)
{
	const struct relaying *p = arg;

	ipc_log(p->root, level, "%s", line);
}

/* Root says nothing to this process: what is to be read there is the end. */
static void root_ready(evutil_socket_t fd, short what, void *arg)
{
	struct relaying *p = arg;
	int fds[IPC_FDS_MAX];
	struct ipc m;
	size_t n;

	(void)what;
	p->exit_status = ipc_receive(fd, &m, fds, &n) == CLUSTER_EUNAVAIL ? 0 : 70;
	event_base_loopbreak(p->base);
}

/* An address that is not there yet, or whose port is taken, is tried again. */
static void listen_due(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval again = { .tv_sec = LISTEN_SECONDS };
	struct relaying *p = arg;
	struct endpoint where;
	enum cluster_err e;
	uint16_t port;
	struct diag d;

	(void)fd;
	(void)what;
	diag_clear(&d);
	while (p->n_listening < p->agent->conf.relay_listen.n) {
		const char *text = p->agent->conf.relay_listen.item[p->n_listening];

		e = endpoint_parse(text, &where);
		if (e == CLUSTER_OK)
			e = relay_listen(p->relay, &where, &port, &d);
		if (e != CLUSTER_OK) {
			ipc_log(p->root, LOG_LEVEL_ERROR, "%s", d.text);
			(void)event_add(p->listen, &again);
			return;
		}
		ipc_log(p->root, LOG_LEVEL_NOTICE, "relay: listening on %s", text);
		p->n_listening++;
	}
}

static void tell_due(evutil_socket_t fd, short what, void *arg)
{
	struct relaying *p = arg;
	struct relay_counts c = relay_counts(p->relay);
	struct ipc m;

	(void)fd;
	(void)what;
	if (memcmp(&c, &p->told, sizeof c) == 0)
		return;
	ipc_init(&m, IPC_RELAY);
	m.relay.now = c.now;
	m.relay.accepted = c.accepted;
	m.relay.refused = c.refused;
	m.relay.failed = c.failed;
	if (ipc_send(p->root, &m, NULL, 0, 0) == CLUSTER_OK)
		p->told = c;
}

/* As many connections as there are descriptors for. */
static size_t most(const struct relaying *p)
{
	uint64_t want = p->agent->conf.relay_connections, can;
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur <= OTHER_FDS + 2)
		return 1;
	can = (r.rlim_cur - OTHER_FDS) / 2;
	if (want > can)
		ipc_log(p->root, LOG_LEVEL_WARNING, "relay: max_connections is %llu, and descriptors suffice for %llu (LimitNOFILE)", (unsigned long long)want, (unsigned long long)can);
	return (size_t)(want < can ? want : can);
}

static enum cluster_err prepare(struct relaying *p, struct diag *d)
{
	const struct agent *a = p->agent;
	enum cluster_err e;
	size_t i;

	for (i = 0; i < a->authority.n; i++) {
		if ((e = endpoint_of_url(a->authority.item[i], &p->target[i])) != CLUSTER_OK)
			return diag_set(d, e, "relay: \"%s\" is no address", a->authority.item[i]);
	}
	p->conf = (struct relay_conf){ .target = p->target, .n_targets = a->authority.n, .most = most(p), .most_of_address = (size_t)a->conf.relay_per_address,
		.connect_ms = CONNECT_MS, .idle_ms = IDLE_MS, .sweep_ms = SWEEP_MS, .log = say, .log_arg = p };
	return CLUSTER_OK;
}

static enum cluster_err start(struct relaying *p, struct diag *d)
{
	const struct timeval every = { .tv_sec = TELL_SECONDS };
	const int keep[] = { p->root };
	enum cluster_err e;

	if ((e = sandbox_descriptors(keep, 1, d)) != CLUSTER_OK || (e = sandbox_enter("agentd-relay", &p->agent->user, p->agent->parent, d)) != CLUSTER_OK ||
	    (e = prepare(p, d)) != CLUSTER_OK)
		return e;
	p->base = event_base_new();
	if (!p->base)
		return diag_set(d, CLUSTER_ENOMEM, "libevent does not start");
	if ((e = sandbox_filter_network(d)) != CLUSTER_OK || (e = relay_new(p->base, &p->conf, &p->relay, d)) != CLUSTER_OK)
		return e;
	p->on_root = event_new(p->base, p->root, EV_READ | EV_PERSIST, root_ready, p);
	p->listen = event_new(p->base, -1, 0, listen_due, p);
	p->tell = event_new(p->base, -1, EV_PERSIST, tell_due, p);
	if (!p->on_root || !p->listen || !p->tell || event_add(p->on_root, NULL) != 0 || event_add(p->tell, &every) != 0)
		return diag_set(d, CLUSTER_ENOMEM, "libevent does not start");
	listen_due(-1, 0, p);
	return CLUSTER_OK;
}

int relay_process(const struct agent *a, int root)
{
	static struct relaying p;
	struct diag d;

	diag_clear(&d);
	p = (struct relaying){ .agent = a, .root = root, .exit_status = 70 };
	if (start(&p, &d) != CLUSTER_OK)
		ipc_log(root, LOG_LEVEL_ERROR, "%s", d.text);
	else if (event_base_dispatch(p.base) < 0)
		ipc_log(root, LOG_LEVEL_ERROR, "the relay process: its loop failed");
	relay_free(p.relay);
	if (p.on_root)
		event_free(p.on_root);
	if (p.listen)
		event_free(p.listen);
	if (p.tell)
		event_free(p.tell);
	if (p.base)
		event_base_free(p.base);
	return p.exit_status;
}
