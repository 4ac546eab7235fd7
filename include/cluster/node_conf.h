/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLUSTER_NODE_CONF_H
#define CLUSTER_NODE_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "cluster/attr.h"
#include "cluster/conf.h"
#include "cluster/diag.h"
#include "cluster/err.h"

/* node.conf: one file and one key table for PAM, agent and command line. Sections [node] (what PAM decides by), [agent] and [relay]. */

#define NODE_CONF_PRINCIPALS_USER "cluster-principals" /* whom sshd runs cluster-login-principals as */
#define NODE_CONF_PATH "/etc/cluster-login/node.conf"
#define NODE_CONF_STATE "/var/lib/cluster-login" /* `state` where nothing is said */
#define NODE_CONF_RELAYS_MAX 4      /* of [agent] relay */
#define NODE_CONF_DIRECT "direct"   /* among them: the authority itself */

enum node_conf_foreign { NODE_CONF_FOREIGN_REFUSE = 0, NODE_CONF_FOREIGN_IGNORE = 1 };
enum node_conf_static_keys { NODE_CONF_STATIC_KEYS_REFUSE = 0, NODE_CONF_STATIC_KEYS_REPORT = 1 };

struct node_conf {
	/* [node] */
	struct conf_list adopt;          /* local accounts that are decided as cluster accounts */
	int foreign;                     /* enum node_conf_foreign */
	uint64_t max_stale;              /* seconds; 0: the directory's. Can only tighten. */
	struct conf_list service_max_stale; /* "service:time", tightening further for one PAM service */
	int static_keys;                 /* enum node_conf_static_keys */
	struct conf_list login_services; /* wins over the two below; what is listed nowhere is a login service too */
	struct conf_list job_services;
	struct conf_list sudo_services;
	uint64_t id_min, id_max;         /* uids and gids that the directory may give on this node */

	/* [agent] */
	struct conf_list authority;      /* URLs, https, in order of preference */
	struct conf_list relay;          /* how the authority is reached, in order of preference: "host:port" of a relay, or "direct"; empty: directly */
	char state[CONF_STRING_SIZE];
	char run[CONF_STRING_SIZE];
	char user[CONF_STRING_SIZE];     /* whom the unprivileged processes run as */
	uint64_t poll_wait;              /* seconds of one long poll */
	uint64_t kill_grace_ms;          /* between SIGHUP or SIGTERM and SIGKILL of a session that must end */
	uint64_t expiry_notice;          /* seconds before its end that a session hears of it, if it ends with its credential */
	uint64_t retry_max;              /* seconds, the longest pause between two tries */
	bool hop;                        /* the agent vouches for sessions here that go on to other nodes */
	char passwd[CONF_STRING_SIZE];   /* the local account files that the directory must not collide with */
	char group[CONF_STRING_SIZE];
	int log_level;                   /* index: error warning notice info debug; add LOG_LEVEL_ERROR for enum log_level */

	/* [relay] */
	struct conf_list relay_listen;   /* "address:port"; empty: this node is no relay */
	uint64_t relay_connections;      /* at a time, of all */
	uint64_t relay_per_address;      /* and of one remote address */
};

extern const struct conf_key node_conf_keys[];
extern const size_t node_conf_n_keys;

/* The defaults. */
void node_conf_init(struct node_conf *c);
/* Defaults, then conf_load; errors are conf_load's. On failure *ret holds the defaults. */
enum cluster_err node_conf_load(const char *path, uid_t owner, struct node_conf *ret, struct diag *d) CLUSTER_MUST_USE;
/* NODE_CONF_DIRECT or an endpoint. */
bool node_conf_way_ok(const char *s);
/* The node's own limit of the head's age for a login by this PAM service: the strictest that it sets; 0: the directory's. `service` NULL: of all services. */
int64_t node_conf_max_stale(const struct node_conf *c, const char *service);
/* Is `word` in the list? */
bool node_conf_listed(const struct conf_list *list, const char *word);

#endif
