/* SPDX-License-Identifier: Apache-2.0 */
#include "sim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "cluster/json.h"
#include "cluster/jws.h"
#include "cluster/request.h"

#define EVENTS 512
#define OPENING 64             /* connections that are being made at a time, while nothing is measured but how fast that goes */
#define BACKOFF_FIRST_MS 500   /* agent/fetch.c */
#define BACKOFF_MAX_MS 15000   /* retry_max, include/cluster/node_conf.h */
#define CONNECT_TIMEOUT_MS 5000 /* lib/net/http.c */
#define ANSWER_TIMEOUT_MS 15000
#define ADMIN UINT32_MAX

struct agent {
	struct sim_peer peer;
	int64_t after;      /* what it has applied */
	bool asked, fresh;
	char *next;         /* the poll that it will send when it has applied the next version, signed beforehand: real agents sign on machines of their own */
	size_t next_n;
	double served;      /* 0: not yet */
	double due, began;  /* storm: when it tries again; when it began to connect or to ask */
	unsigned failures;
};

struct sim {
	struct sim_world *w;
	SSL_CTX *ctx;
	int port, ep;
	struct agent *agent;
	size_t n;
	int64_t version;
	char *body; /* the last answer whose head was read, and its version */
	size_t body_n;
	int64_t body_version;
	uint32_t *queue; /* who polls again */
	size_t q_head, q_n;
};

/* ---- what an agent says and understands ---- */

static char *poll_text(struct sim *s, size_t i, int64_t after, int wait, size_t *ret_n)
{
	struct request_node r = { .c = { .htm = "GET" }, .cluster = s->w->cluster, .node = s->w->node[i].id, .applied = after };
	char *token = NULL, *text = NULL;
	int n;

	snprintf(r.c.htu, sizeof r.c.htu, "/v1/head?after=%lld&wait=%d", (long long)after, wait);
	if (request_node_build(&r, time(NULL), s->w->node[i].key, &token) != CLUSTER_OK)
		sim_die("a poll cannot be signed");
	n = asprintf(&text, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: cluster-agentd\r\nAccept: */*\r\nAuthorization: Cluster-Node %s\r\n\r\n", r.c.htu, token);
	if (n < 0)
		sim_die("out of memory");
	free(token);
	*ret_n = (size_t)n;
	return text;
}

static bool ask(struct sim *s, size_t i, int wait)
{
	struct agent *a = &s->agent[i];
	size_t n;
	char *text = poll_text(s, i, a->after, wait, &n);
	bool sent = sim_peer_send(&a->peer, text, n);

	free(text);
	a->asked = sent;
	return sent;
}

/* The version of the head in an answer. All get the same bytes: they are read once. */
static int64_t version_of(struct sim *s, const struct sim_answer *a)
{
	struct json *j = NULL, *head = NULL;
	const char *text;
	struct jws jws;

	if (a->status != 200)
		return -1;
	if (s->body && s->body_n == a->n && memcmp(s->body, a->body, a->n) == 0)
		return s->body_version;
	if (json_parse(a->body, a->n, 1 << 20, &j, NULL) != CLUSTER_OK || !(text = json_member_text(j, "head")) || jws_parse(text, strlen(text), JWS_HEAD, &jws, NULL) != CLUSTER_OK)
		sim_die("not an answer: %.*s", (int)(a->n < 200 ? a->n : 200), a->body);
	if (json_parse((const char *)jws.payload, jws.payload_n, 65536, &head, NULL) != CLUSTER_OK)
		sim_die("not a head");
	s->body_version = json_member_int(head, "version", -1);
	free(s->body);
	if (!(s->body = malloc(a->n)))
		sim_die("out of memory");
	memcpy(s->body, a->body, a->n);
	s->body_n = a->n;
	json_free(head);
	json_free(j);
	jws_done(&jws);
	return s->body_version;
}

/* ---- connecting ---- */

static bool open_agent(struct sim *s, size_t i)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.u32 = (uint32_t)i };

	if (!sim_peer_open(&s->agent[i].peer, s->ctx, s->port, i))
		return false;
	if (epoll_ctl(s->ep, EPOLL_CTL_ADD, s->agent[i].peer.fd, &ev) != 0)
		sim_die("epoll_ctl: %s", strerror(errno));
	return true;
}

/* All of them, a bounded number at a time, each until its first answer. */
static void connect_all(struct sim *s)
{
	struct epoll_event ev[EVENTS];
	size_t opened = 0, done = 0;
	struct sim_answer answer;

	while (done < s->n) {
		int got;

		while (opened < s->n && opened - done < OPENING) {
			if (!open_agent(s, opened++))
				sim_die("connect: refused");
		}
		got = epoll_wait(s->ep, ev, EVENTS, 10000);
		if (got <= 0)
			sim_die("%zu of %zu are connected, and no more", done, s->n);
		for (int k = 0; k < got; k++) {
			size_t i = ev[k].data.u32;
			struct agent *a = &s->agent[i];
			bool was = a->peer.state == SIM_READY;

			if (!sim_peer_step(&a->peer))
				sim_die("agent %zu: the connection failed", i);
			if (a->peer.state == SIM_READY && !was && s->ctx && !sim_peer_pinned(&a->peer, &s->w->keyset))
				sim_die("a server with another key");
			if (a->peer.state == SIM_READY && !was && !ask(s, i, 0))
				sim_die("agent %zu: could not ask", i);
			if (a->asked && !a->fresh && sim_peer_read(&a->peer, &answer) == 1) {
				if ((a->after = version_of(s, &answer)) < 0)
					sim_die("agent %zu: %d", i, answer.status);
				a->fresh = true;
				done++;
			}
		}
	}
	s->version = s->agent[0].after;
}

/* Everybody has proved this version, so everybody's poll is held. */
static void settle(struct sim *s)
{
	char body[100], *answer;

	snprintf(body, sizeof body, "{\"version\":%lld,\"timeout_ms\":60000}", (long long)s->version);
	answer = sim_admin(s->w, "wait", body);
	if (!answer || !strstr(answer, "\"done\":true"))
		sim_die("not all nodes have proved version %lld", (long long)s->version);
	free(answer);
}

/* ---- a round ---- */

static void presign(struct sim *s)
{
	for (size_t i = 0; i < s->n; i++) {
		struct agent *a = &s->agent[i];

		free(a->next);
		a->next = poll_text(s, i, s->version + 1, 60, &a->next_n);
		a->served = 0;
	}
}

static void on_served(struct sim *s, size_t i)
{
	struct agent *a = &s->agent[i];
	struct sim_answer answer;
	int got = sim_peer_read(&a->peer, &answer);

	if (got == 0)
		return;
	if (got < 0 || version_of(s, &answer) != s->version + 1)
		sim_die("agent %zu: closed, or a wrong answer", i);
	a->served = sim_ms();
	a->after = s->version + 1;
	s->queue[(s->q_head + s->q_n++) % s->n] = (uint32_t)i;
}

static void poll_again(struct sim *s)
{
	for (int k = 0; k < 8 && s->q_n; k++) {
		struct agent *a = &s->agent[s->queue[s->q_head]];

		s->q_head = (s->q_head + 1) % s->n;
		s->q_n--;
		if (!sim_peer_send(&a->peer, a->next, a->next_n))
			sim_die("a poll could not be sent");
	}
}

/* Times from the acknowledgement on; *ret_sent, *ret_proved: of the sending and of all proofs, counted from it as well. */
static void one_round(struct sim *s, unsigned number, double *ms, double *ret_sent, double *ret_proved)
{
	struct sim_peer admin = { .fd = sim_admin_open(s->w), .state = SIM_READY };
	struct epoll_event ev[EVENTS], one = { .events = EPOLLIN, .data.u32 = ADMIN };
	struct sim_answer answer;
	double sent, acknowledged = 0;
	size_t served = 0;
	char body[100];

	settle(s);
	presign(s);
	settle(s);
	if (epoll_ctl(s->ep, EPOLL_CTL_ADD, admin.fd, &one) != 0)
		sim_die("epoll_ctl: %s", strerror(errno));
	snprintf(body, sizeof body, "{\"kind\":\"account\",\"value\":\"bench-%u\",\"reason\":\"measured\"}", number);
	sent = sim_ms();
	sim_admin_send(admin.fd, "revoke/add", body);
	while (served < s->n || acknowledged == 0 || s->q_n) {
		int got = epoll_wait(s->ep, ev, EVENTS, s->q_n ? 0 : 30000);

		if (got == 0 && !s->q_n)
			sim_die("round %u: %zu of %zu were served", number, served, s->n);
		if (got == 0)
			poll_again(s);
		for (int k = 0; k < got; k++) {
			if (ev[k].data.u32 != ADMIN) {
				struct agent *a = &s->agent[ev[k].data.u32];

				if (!(ev[k].events & EPOLLIN) || a->served != 0)
					continue;
				on_served(s, ev[k].data.u32);
				served += a->served != 0;
			} else if (sim_peer_read(&admin, &answer) == 1) {
				acknowledged = sim_ms();
				if (answer.status != 200)
					sim_die("revoke/add: %d %.*s", answer.status, (int)answer.n, answer.body);
				epoll_ctl(s->ep, EPOLL_CTL_DEL, admin.fd, NULL);
			}
		}
	}
	s->version++;
	sim_peer_close(&admin);
	settle(s);
	*ret_proved = sim_ms() - acknowledged;
	*ret_sent = acknowledged - sent;
	for (size_t i = 0; i < s->n; i++)
		ms[i] = s->agent[i].served > acknowledged ? s->agent[i].served - acknowledged : 0;
}

void sim_samples(double *all, size_t n, size_t rounds, struct sim_result *ret)
{
	double last[SIM_ROUNDS];

	for (size_t r = 0; r < rounds; r++) {
		last[r] = 0;
		for (size_t i = 0; i < n; i++)
			last[r] = all[r * n + i] > last[r] ? all[r * n + i] : last[r];
	}
	ret->nodes = n;
	ret->last = sim_median(last, rounds);
	ret->p50 = sim_quantile(all, n * rounds, 0.5);
	ret->p99 = sim_quantile(all, n * rounds, 0.99);
	ret->max = sim_quantile(all, n * rounds, 1);
}

static void sim_open(struct sim *s, struct sim_world *w, bool tls)
{
	*s = (struct sim){ .w = w, .n = w->n, .ctx = tls ? sim_client_context() : NULL, .port = tls ? w->port : w->plain, .ep = epoll_create1(EPOLL_CLOEXEC) };
	if (!(s->agent = calloc(s->n, sizeof *s->agent)) || !(s->queue = calloc(s->n, sizeof *s->queue)) || s->ep < 0)
		sim_die("out of memory");
}

static void sim_close(struct sim *s)
{
	for (size_t i = 0; i < s->n; i++) {
		sim_peer_close(&s->agent[i].peer);
		free(s->agent[i].next);
	}
	SSL_CTX_free(s->ctx);
	close(s->ep);
	free(s->body);
	free(s->queue);
	free(s->agent);
}

/* The first long poll of each; its answers come with the rounds. */
static void poll_all(struct sim *s)
{
	for (size_t i = 0; i < s->n; i++) {
		s->agent[i].after = s->version;
		if (!ask(s, i, 60))
			sim_die("agent %zu: could not ask", i);
	}
}

void sim_agents_run(struct sim_world *w, bool tls, struct sim_result *ret)
{
	double *ms = calloc(w->n * SIM_ROUNDS, sizeof *ms), sent[SIM_ROUNDS], proved[SIM_ROUNDS], before = sim_world_rss_mb(w), cpu = sim_world_cpu_s(w), start = sim_ms(), took;
	static unsigned number;
	struct sim s;

	if (!ms)
		sim_die("out of memory");
	sim_open(&s, w, tls);
	connect_all(&s);
	took = sim_ms() - start;
	ret->handshakes = (double)w->n / took * 1e3;
	ret->handshake_cpu_us = (sim_world_cpu_s(w) - cpu) * 1e6 / (double)w->n;
	poll_all(&s);
	settle(&s);
	ret->rss = sim_world_rss_mb(w);
	ret->per_node_kb = (ret->rss - before) * 1024 / (double)w->n;
	cpu = sim_world_cpu_s(w);
	for (size_t r = 0; r < SIM_ROUNDS; r++)
		one_round(&s, number++, ms + r * w->n, &sent[r], &proved[r]);
	ret->cpu_ms = (sim_world_cpu_s(w) - cpu) * 1e3 / SIM_ROUNDS;
	if (sim_world_rss_mb(w) > ret->rss)
		ret->rss = sim_world_rss_mb(w);
	ret->tls = tls;
	ret->sent_last = sim_median(sent, SIM_ROUNDS);
	ret->proved = sim_median(proved, SIM_ROUNDS);
	sim_samples(ms, w->n, SIM_ROUNDS, ret);
	sim_close(&s);
	free(ms);
}

/* ---- everybody at once ---- */

static size_t trace[4];

/* As agent/fetch.c: exponential, with full jitter. */
static void fail(struct sim *s, size_t i, double now)
{
	struct agent *a = &s->agent[i];
	unsigned shift = a->failures > 12 ? 12 : a->failures;
	double most = (double)((uint64_t)BACKOFF_FIRST_MS << shift);
	uint32_t random = 0;

	sim_peer_close(&a->peer);
	if (crypto_random(&random, sizeof random) != CLUSTER_OK)
		sim_die("random");
	if (most > BACKOFF_MAX_MS)
		most = BACKOFF_MAX_MS;
	a->due = now + most * (double)random / UINT32_MAX;
	a->failures++;
	a->asked = false;
}

static void tick(struct sim *s, double now, size_t *tries)
{
	for (size_t i = 0; i < s->n; i++) {
		struct agent *a = &s->agent[i];

		if (a->fresh)
			continue;
		if (a->peer.state == SIM_DOWN && now >= a->due) {
			++*tries;
			a->began = now;
			if (!open_agent(s, i)) {
				trace[0]++;
				fail(s, i, now);
			}
		} else if (a->peer.state != SIM_DOWN && now - a->began > (a->peer.state == SIM_READY ? ANSWER_TIMEOUT_MS : CONNECT_TIMEOUT_MS)) {
			trace[1]++;
			fail(s, i, now);
		}
	}
}

/* Once it is fresh it waits for the next head, like any other. */
static void step(struct sim *s, size_t i, double now, size_t *fresh)
{
	struct agent *a = &s->agent[i];
	struct sim_answer answer;
	int got;

	if (a->peer.state == SIM_DOWN)
		return;
	if (a->peer.state != SIM_READY) {
		if (!sim_peer_step(&a->peer)) {
			trace[2]++;
			fail(s, i, now);
			return;
		}
		if (a->peer.state != SIM_READY)
			return;
		a->began = now;
		if (!sim_peer_pinned(&a->peer, &s->w->keyset) || !ask(s, i, 0))
			fail(s, i, now);
	}
	if ((got = sim_peer_read(&a->peer, &answer)) == 0)
		return;
	if (got < 0 || answer.status != 200) {
		*fresh -= a->fresh;
		trace[got < 0 ? 2 : 3]++;
		a->fresh = false;
		fail(s, i, now);
		return;
	}
	if (a->fresh)
		return;
	a->after = version_of(s, &answer);
	a->fresh = true;
	++*fresh;
	if (!ask(s, i, 60))
		sim_die("could not ask");
}

void sim_agents_storm(struct sim_world *w, struct sim_storm *ret)
{
	struct epoll_event ev[EVENTS];
	struct sim_asker *asker = NULL;
	double start, last = 0;
	size_t fresh = 0;
	struct sim s;

	sim_open(&s, w, true);
	connect_all(&s);
	poll_all(&s);
	settle(&s);
	start = sim_ms();
	sim_world_stop(w);
	for (size_t i = 0; i < s.n; i++) {
		s.agent[i].fresh = false;
		fail(&s, i, start);
	}
	sim_world_start(w);
	ret->down = sim_ms() - start;
	asker = sim_asker_start(w);
	while (fresh < s.n) {
		double now = sim_ms();
		int got;

		if (now - last >= 10) {
			tick(&s, now, &ret->tries);
			last = now;
		}
		if (now - start > 120000)
			sim_die("after two minutes %zu of %zu are fresh", fresh, s.n);
		got = epoll_wait(s.ep, ev, EVENTS, 10);
		for (int k = 0; k < got; k++)
			step(&s, ev[k].data.u32, sim_ms(), &fresh);
	}
	if (getenv("FANOUT_TRACE"))
		fprintf(stderr, "client CPU %.1f s, failures: connect %zu, timeout %zu, closed %zu, 503 %zu\n", (double)clock() / CLOCKS_PER_SEC, trace[0], trace[1], trace[2], trace[3]);
	ret->nodes = s.n;
	ret->fresh = sim_ms() - start;
	ret->cpu_s = sim_world_cpu_s(w);
	sim_asker_stop(asker, &ret->asked, &ret->failed, &ret->asked_max_ms);
	sim_close(&s);
}
