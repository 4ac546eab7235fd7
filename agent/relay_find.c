/* SPDX-License-Identifier: Apache-2.0 */
#include "relay_find.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <event2/dns.h>
#include <event2/event.h>
#include <event2/util.h>

#define USUAL_SECONDS 60
#define SOON_SECONDS 5

struct question {
	struct relay_find *find;
	struct evdns_getaddrinfo_request *request; /* under way */
	size_t target;
};

struct relay_find {
	struct event_base *base;
	struct evdns_base *dns;
	const struct endpoint *target;
	size_t n_targets, open; /* questions without an answer yet */
	struct question *question;
	struct relay_address known[RELAY_ADDRESSES_MAX], found[RELAY_ADDRESSES_MAX];
	size_t found_of[RELAY_ADDRESSES_MAX]; /* which target's */
	size_t n_known, n_found;
	struct event *due;
	bool soon;
};

static void plan(struct relay_find *f, int seconds)
{
	const struct timeval t = { .tv_sec = seconds };

	(void)event_add(f->due, &t);
}

/* Answers come in any order: the addresses are kept in the order of the targets. */
static void keep(struct relay_find *f, size_t target, const struct sockaddr *sa, size_t n)
{
	size_t at = f->n_found;

	if (f->n_found == RELAY_ADDRESSES_MAX || n > sizeof f->found[0].sa)
		return;
	for (; at > 0 && f->found_of[at - 1] > target; at--) {
		f->found[at] = f->found[at - 1];
		f->found_of[at] = f->found_of[at - 1];
	}
	memset(&f->found[at], 0, sizeof f->found[at]);
	memcpy(&f->found[at].sa, sa, n);
	f->found[at].n = (socklen_t)n;
	f->found_of[at] = target;
	f->n_found++;
}

/* All questions are answered. What was known stays when nothing was found. */
static void settle(struct relay_find *f)
{
	if (f->n_found > 0) {
		memcpy(f->known, f->found, sizeof f->known);
		f->n_known = f->n_found;
	}
	plan(f, f->n_found > 0 ? USUAL_SECONDS : SOON_SECONDS);
	f->soon = f->n_found == 0;
}

static void answered(int error, struct evutil_addrinfo *list, void *arg)
{
	struct question *q = arg;
	struct relay_find *f = q->find;
	struct evutil_addrinfo *a;

	q->request = NULL;
	if (error == EVUTIL_EAI_CANCEL)
		return;
	for (a = error == 0 ? list : NULL; a; a = a->ai_next)
		keep(f, q->target, a->ai_addr, a->ai_addrlen);
	if (error == 0)
		evutil_freeaddrinfo(list);
	if (--f->open == 0)
		settle(f);
}

static bool numeric(struct relay_find *f, size_t target)
{
	const struct endpoint *e = &f->target[target];
	struct sockaddr_storage sa;
	int n = sizeof sa;
	char text[ENDPOINT_TEXT + 16];

	memset(&sa, 0, sizeof sa);
	evutil_snprintf(text, sizeof text, strchr(e->host, ':') ? "[%s]:%u" : "%s:%u", e->host, (unsigned int)e->port);
	if (evutil_parse_sockaddr_port(text, (struct sockaddr *)&sa, &n) != 0)
		return false;
	keep(f, target, (const struct sockaddr *)&sa, (size_t)n);
	return true;
}

static void ask(struct relay_find *f, size_t target)
{
	/* not AI_ADDRCONFIG: it takes a machine without a default route for one without addresses */
	const struct evutil_addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_protocol = IPPROTO_TCP };
	char port[8];

	evutil_snprintf(port, sizeof port, "%u", (unsigned int)f->target[target].port);
	f->open++;
	f->question[target].request = evdns_getaddrinfo(f->dns, f->target[target].host, port, &hints, answered, &f->question[target]);
}

static void begin(evutil_socket_t fd, short what, void *arg)
{
	struct relay_find *f = arg;
	bool fresh = false;
	size_t i;

	(void)fd;
	(void)what;
	f->n_found = 0;
	f->open = 1; /* so that answers which come at once do not end it */
	if (f->dns)
		evdns_base_free(f->dns, 0);
	f->dns = NULL;
	for (i = 0; i < f->n_targets; i++) {
		if (numeric(f, i))
			continue;
		if (!f->dns && (f->dns = evdns_base_new(f->base, EVDNS_BASE_DISABLE_WHEN_INACTIVE)) == NULL)
			continue;
		if (!fresh) /* read anew each time, as it may have changed; also /etc/hosts, which does without any server */
			(void)evdns_base_resolv_conf_parse(f->dns, DNS_OPTIONS_ALL, "/etc/resolv.conf");
		fresh = true;
		ask(f, i);
	}
	if (--f->open == 0)
		settle(f);
}

enum cluster_err relay_find_new(struct event_base *base, const struct endpoint *targets, size_t n, struct relay_find **ret)
{
	struct relay_find *f = calloc(1, sizeof *f);
	size_t i;

	if (!f || !(f->question = calloc(n + 1, sizeof *f->question)) || !(f->due = event_new(base, -1, 0, begin, f))) {
		relay_find_free(f);
		return CLUSTER_ENOMEM;
	}
	f->base = base;
	f->target = targets;
	f->n_targets = n;
	for (i = 0; i < n; i++)
		f->question[i] = (struct question){ .find = f, .target = i };
	begin(-1, 0, f);
	*ret = f;
	return CLUSTER_OK;
}

void relay_find_free(struct relay_find *f)
{
	size_t i;

	if (!f)
		return;
	for (i = 0; f->question && i < f->n_targets; i++) {
		if (f->question[i].request)
			evdns_getaddrinfo_cancel(f->question[i].request);
	}
	if (f->dns)
		evdns_base_free(f->dns, 1);
	if (f->due)
		event_free(f->due);
	free(f->question);
	free(f);
}

size_t relay_find_known(const struct relay_find *f, const struct relay_address **ret)
{
	*ret = f->known;
	return f->n_known;
}

void relay_find_again(struct relay_find *f)
{
	if (f->soon || f->open > 0)
		return;
	f->soon = true;
	plan(f, SOON_SECONDS);
}
