/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUTHORITY_CONFIG_H
#define AUTHORITY_CONFIG_H

#include "cluster/attr.h"
#include "cluster/conf.h"
#include "cluster/diag.h"
#include "cluster/err.h"

#ifndef CLUSTER_SYSCONFDIR
#define CLUSTER_SYSCONFDIR "/etc/cluster-login"
#endif
#define CONFIG_FILE CLUSTER_SYSCONFDIR "/authority.conf"
#define CONFIG_DIR "/var/lib/cluster-authority"
#define CONFIG_SOCKET "/run/cluster-login/authority.sock"
#define CONFIG_LISTEN "0.0.0.0:7443"

/* authority.conf, section [authority]. Times in seconds. */
struct config {
	char dir[CONF_STRING_SIZE];
	char url[CONF_STRING_SIZE]; /* empty: the one given to init */
	char socket[CONF_STRING_SIZE];
	char user[CONF_STRING_SIZE]; /* empty: stay who we are */
	struct conf_list listen;
	char plain[CONF_STRING_SIZE]; /* loopback only, without TLS; empty: none */
	uint64_t credential_life, head_life, head_interval;
	uint64_t max_stale, skew, sudo_fresh;
	uint64_t uid_min, uid_max;
	uint64_t connections;
};

void config_defaults(struct config *c);
/* Reads `path` and its drop-ins over the defaults, then judges the values together. */
enum cluster_err config_load(const char *path, struct config *c, struct diag *d) CLUSTER_MUST_USE;
/* What must hold between values, also after the command line has changed some. */
enum cluster_err config_check(const struct config *c, struct diag *d) CLUSTER_MUST_USE;
struct wr;
void config_dump(const struct config *c, struct wr *w);

/* "ADDR:PORT", "[ADDR]:PORT"; "https://HOST" with an optional port. */
bool config_listen_ok(const char *s);
/* As listen, on 127.0.0.0/8 or [::1] only. */
bool config_plain_ok(const char *s);
bool config_url_ok(const char *s);
/* The host of such a url into `dst` (without brackets). */
void config_url_host(const char *url, char *dst, size_t size);

#endif
