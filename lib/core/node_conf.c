/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/node_conf.h"

#include <string.h>

#include "cluster/endpoint.h"
#include "cluster/log.h"
#include "cluster/name.h"
#include "cluster/num.h"

#define MAX_STALE_MAX 86400

static const char *const foreign_words[] = { "refuse", "ignore", NULL };
static const char *const static_keys_words[] = { "refuse", "report", NULL };
static const char *const log_level_words[] = { "error", "warning", "notice", "info", "debug", NULL };

static bool url_ok(const char *s)
{
	static const char scheme[] = "https://";

	return strncmp(s, scheme, sizeof scheme - 1) == 0 && s[sizeof scheme - 1] != '\0';
}

bool node_conf_way_ok(const char *s)
{
	return strcmp(s, NODE_CONF_DIRECT) == 0 || endpoint_ok(s);
}

/* "service:time": the service before the last colon. False also for a name that is no service's. */
static bool service_time(const char *s, char service[64], uint64_t *ret)
{
	const char *colon = strrchr(s, ':');

	if (!colon || colon == s || colon - s >= 64)
		return false;
	memcpy(service, s, (size_t)(colon - s));
	service[colon - s] = '\0';
	return name_service_ok(service) && num_seconds(colon + 1, 1, MAX_STALE_MAX, ret) == CLUSTER_OK;
}

static bool service_time_ok(const char *s)
{
	char service[64];
	uint64_t seconds;

	return service_time(s, service, &seconds);
}

#define FIELD(f) offsetof(struct node_conf, f)

const struct conf_key node_conf_keys[] = {
	{ .section = "node", .name = "adopt", .type = CONF_LIST, .offset = FIELD(adopt), .item_ok = name_account_ok,
	    .help = "local accounts (uid >= 1000) that only a cluster credential opens" },
	{ .section = "node", .name = "foreign", .type = CONF_CHOICE, .offset = FIELD(foreign), .choices = foreign_words,
	    .help = "accounts that only another name service knows: refuse them, or ignore them and let its own module decide" },
	{ .section = "node", .name = "max_stale", .type = CONF_SECONDS, .offset = FIELD(max_stale), .min = 0, .max = MAX_STALE_MAX,
	    .help = "age of the head above which people are refused, if stricter than the directory's" },
	{ .section = "node", .name = "service_max_stale", .type = CONF_LIST, .offset = FIELD(service_max_stale), .item_ok = service_time_ok,
	    .help = "the same for one PAM service each, written service:time; the strictest limit holds" },
	{ .section = "node", .name = "static_keys", .type = CONF_CHOICE, .offset = FIELD(static_keys), .choices = static_keys_words,
	    .help = "a login to a cluster account without a credential (authorized_keys): refuse it, or only report it while migrating" },
	{ .section = "node", .name = "login_services", .type = CONF_LIST, .offset = FIELD(login_services), .item_ok = name_service_ok,
	    .help = "PAM services that are logins whatever the next two lists say; every service not listed at all is one" },
	{ .section = "node", .name = "job_services", .type = CONF_LIST, .offset = FIELD(job_services), .item_ok = name_service_ok,
	    .help = "PAM services that start jobs: the state of the account is checked, freshness is not" },
	{ .section = "node", .name = "sudo_services", .type = CONF_LIST, .offset = FIELD(sudo_services), .item_ok = name_service_ok,
	    .help = "PAM services that raise rights within a session" },
	{ .section = "node", .name = "id_min", .type = CONF_NUMBER, .offset = FIELD(id_min), .min = 1000, .max = 2147483647,
	    .help = "smallest uid and gid that an entry of the directory may have on this node" },
	{ .section = "node", .name = "id_max", .type = CONF_NUMBER, .offset = FIELD(id_max), .min = 1000, .max = 2147483647,
	    .help = "largest uid and gid that an entry of the directory may have on this node" },
	{ .section = "agent", .name = "authority", .type = CONF_LIST, .offset = FIELD(authority), .item_ok = url_ok,
	    .help = "URLs of the authority, https, in order of preference" },
	{ .section = "agent", .name = "relay", .type = CONF_LIST, .offset = FIELD(relay), .item_ok = node_conf_way_ok,
	    .help = "how the authority is reached, in order of preference: host:port of a relay, or direct; at most 4" },
	{ .section = "agent", .name = "state", .type = CONF_PATH, .offset = FIELD(state), .help = "directory of snapshots and keys" },
	{ .section = "agent", .name = "run", .type = CONF_PATH, .offset = FIELD(run), .help = "directory of the socket and of session records" },
	{ .section = "agent", .name = "user", .type = CONF_STRING, .offset = FIELD(user), .item_ok = name_account_ok,
	    .help = "whom the unprivileged processes of the agent run as" },
	{ .section = "agent", .name = "poll_wait", .type = CONF_SECONDS, .offset = FIELD(poll_wait), .min = 1, .max = 60, .help = "length of one long poll" },
	{ .section = "agent", .name = "kill_grace_ms", .type = CONF_NUMBER, .offset = FIELD(kill_grace_ms), .min = 0, .max = 60000,
	    .help = "milliseconds that a revoked session has before it is killed" },
	{ .section = "agent", .name = "expiry_notice", .type = CONF_SECONDS, .offset = FIELD(expiry_notice), .min = 0, .max = 3600,
	    .help = "how long before its end a session hears of it, and a newer credential is looked for, where a grant ends sessions with their credential" },
	{ .section = "agent", .name = "retry_max", .type = CONF_SECONDS, .offset = FIELD(retry_max), .min = 1, .max = 3600,
	    .help = "longest pause between two tries to reach the authority" },
	{ .section = "agent", .name = "hop", .type = CONF_BOOL, .offset = FIELD(hop),
	    .help = "vouch for sessions here that go on to other nodes, where grants allow it" },
	{ .section = "agent", .name = "passwd", .type = CONF_PATH, .offset = FIELD(passwd), .help = "the local accounts, which no entry of the directory may have the name or uid of" },
	{ .section = "agent", .name = "group", .type = CONF_PATH, .offset = FIELD(group), .help = "the local groups, likewise" },
	{ .section = "agent", .name = "log_level", .type = CONF_CHOICE, .offset = FIELD(log_level), .choices = log_level_words, .help = "least important line that is logged" },
	{ .section = "relay", .name = "listen", .type = CONF_LIST, .offset = FIELD(relay_listen), .item_ok = endpoint_listen_ok,
	    .help = "address:port at which nodes without a way out reach the authority through this one; none: this node is no relay" },
	{ .section = "relay", .name = "max_connections", .type = CONF_NUMBER, .offset = FIELD(relay_connections), .min = 1, .max = 16384,
	    .help = "connections at a time" },
	{ .section = "relay", .name = "max_per_address", .type = CONF_NUMBER, .offset = FIELD(relay_per_address), .min = 1, .max = 16384,
	    .help = "connections at a time from one address" },
};
const size_t node_conf_n_keys = sizeof node_conf_keys / sizeof node_conf_keys[0];

/* A default: an array that is long enough, and a literal. */
#define SET(array, text) memcpy((array), (text), sizeof(text))

static void list_set(struct conf_list *list, const char *const *words)
{
	for (list->n = 0; words[list->n]; list->n++)
		memcpy(list->item[list->n], words[list->n], strlen(words[list->n]) + 1);
}

void node_conf_init(struct node_conf *c)
{
	static const char *const job[] = { "cron", "crond", "atd", "systemd-user", "runuser", "runuser-l", NULL };
	static const char *const sudo[] = { "sudo", "sudo-i", NULL };
	static const char *const strict[] = { "sudo:5m", "sudo-i:5m", NULL };

	memset(c, 0, sizeof *c);
	list_set(&c->job_services, job);
	list_set(&c->sudo_services, sudo);
	list_set(&c->service_max_stale, strict);
	c->id_min = 1000;
	c->id_max = 2147483647;
	SET(c->passwd, "/etc/passwd");
	SET(c->group, "/etc/group");
	SET(c->state, NODE_CONF_STATE);
	SET(c->run, "/run/cluster-login");
	SET(c->user, "cluster-agent");
	c->poll_wait = 30;
	c->kill_grace_ms = 200;
	c->expiry_notice = 300;
	c->hop = true;
	c->retry_max = 15; /* so that all nodes are back within 20 s of a long absence of the authority */
	c->log_level = LOG_LEVEL_INFO - LOG_LEVEL_ERROR;
	c->relay_connections = 1024;
	c->relay_per_address = 64;
}

enum cluster_err node_conf_load(const char *path, uid_t owner, struct node_conf *ret, struct diag *d)
{
	enum cluster_err e;

	node_conf_init(ret);
	e = conf_load(path, owner, node_conf_keys, node_conf_n_keys, ret, d);
	if (e == CLUSTER_OK && ret->relay.n > NODE_CONF_RELAYS_MAX)
		e = diag_set(d, CLUSTER_ECONFIG, "relay in [agent] names %zu ways to the authority: at most %d", ret->relay.n, NODE_CONF_RELAYS_MAX);
	if (e != CLUSTER_OK)
		node_conf_init(ret);
	return e;
}

int64_t node_conf_max_stale(const struct node_conf *c, const char *service)
{
	uint64_t least = c->max_stale, seconds;
	char name[64];

	for (size_t i = 0; service && i < c->service_max_stale.n; i++)
		if (service_time(c->service_max_stale.item[i], name, &seconds) && strcmp(name, service) == 0 && (least == 0 || seconds < least))
			least = seconds;
	return (int64_t)least;
}

bool node_conf_listed(const struct conf_list *list, const char *word)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->item[i], word) == 0)
			return true;
	return false;
}
