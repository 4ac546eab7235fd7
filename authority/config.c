/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>

#include "cluster/directory.h"
#include "cluster/document.h"
#include "cluster/name.h"
#include "cluster/num.h"

#define ROW(key, kind, low, high, grammar, text) \
	{ .section = "authority", .name = #key, .type = kind, .offset = offsetof(struct config, key), .min = low, .max = high, .item_ok = grammar, .help = text }

static bool user_ok(const char *s)
{
	return name_account_ok(s);
}

static const struct conf_key keys[] = {
	ROW(dir, CONF_PATH, 0, 0, NULL, "store and role keys"),
	ROW(listen, CONF_LIST, 0, 0, config_listen_ok, "addresses and ports for TLS"),
	ROW(plain, CONF_STRING, 0, 0, config_plain_ok, "loopback address and port without TLS, for a proxy that ends it"),
	ROW(url, CONF_STRING, 0, 0, config_url_ok, "how nodes and people reach it, if not as given to init"),
	ROW(socket, CONF_PATH, 0, 0, NULL, "the admin socket"),
	ROW(user, CONF_STRING, 0, 0, user_ok, "who to become after the ports are bound"),
	ROW(credential_life, CONF_SECONDS, 60, 43200, NULL, "life of a credential"),
	ROW(head_life, CONF_SECONDS, 60, DOCUMENT_HEAD_LIFE_MAX, NULL, "life of a signed head"),
	ROW(head_interval, CONF_SECONDS, 1, 3600, NULL, "how often the head is signed again"),
	ROW(max_stale, CONF_SECONDS, 30, 604800, NULL, "how old the newest head of a node may be at a login"),
	ROW(skew, CONF_SECONDS, 1, DIRECTORY_SKEW_MAX, NULL, "how far clocks may stand apart"),
	ROW(sudo_fresh, CONF_SECONDS, 0, 86400, NULL, "how fresh a login must be for sudo without a prompt"),
	ROW(uid_min, CONF_NUMBER, 65536, INT32_MAX, NULL, "first uid and gid that is given out"),
	ROW(uid_max, CONF_NUMBER, 65536, INT32_MAX, NULL, "last one"),
	ROW(connections, CONF_NUMBER, 16, 1000000, NULL, "most connections at a time"),
};
#define KEYS (sizeof keys / sizeof *keys)

void config_defaults(struct config *c)
{
	*c = (struct config){
		.dir = CONFIG_DIR,
		.socket = CONFIG_SOCKET,
		.listen = { .n = 1, .item = { CONFIG_LISTEN } },
		.credential_life = 3600,
		.head_life = 900,
		.head_interval = 60,
		.max_stale = 900,
		.skew = 30,
		.sudo_fresh = 900,
		.uid_min = 1880000000,
		.uid_max = 1999999999,
		.connections = 16384,
	};
}

bool config_listen_ok(const char *s)
{
	const char *colon = strrchr(s, ':');
	char host[INET6_ADDRSTRLEN + 2] = "";
	unsigned char address[16];
	uint32_t port;
	size_t n = colon ? (size_t)(colon - s) : 0;

	if (n == 0 || n >= sizeof host || num_u32(colon + 1, 0, 65535, &port) != CLUSTER_OK)
		return false;
	memcpy(host, s, n);
	if (host[0] == '[' && host[n - 1] == ']') {
		host[n - 1] = '\0';
		return inet_pton(AF_INET6, host + 1, address) == 1;
	}
	return inet_pton(AF_INET, host, address) == 1;
}

bool config_plain_ok(const char *s)
{
	return config_listen_ok(s) && (strncmp(s, "127.", 4) == 0 || strncmp(s, "[::1]:", 6) == 0);
}

void config_url_host(const char *url, char *dst, size_t size)
{
	const char *host = url + strlen("https://");
	size_t n = *host == '[' ? strcspn(++host, "]") : strcspn(host, ":");

	if (n >= size)
		n = size - 1;
	memcpy(dst, host, n);
	dst[n] = '\0';
}

bool config_url_ok(const char *s)
{
	char host[CONF_STRING_SIZE];
	unsigned char address[16];
	const char *rest;
	uint32_t port;
	bool v6;

	if (strncmp(s, "https://", 8) != 0)
		return false;
	config_url_host(s, host, sizeof host);
	v6 = s[8] == '[';
	rest = s + 8 + strlen(host) + (v6 ? 2 : 0);
	if (!*host || strlen(host) > 253 || (v6 && (rest[-1] != ']' || inet_pton(AF_INET6, host, address) != 1)))
		return false;
	if (!v6 && strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") != strlen(host))
		return false;
	return !*rest || (*rest == ':' && num_u32(rest + 1, 1, 65535, &port) == CLUSTER_OK);
}

enum cluster_err config_check(const struct config *c, struct diag *d)
{
	if (c->listen.n == 0)
		return diag_set(d, CLUSTER_ECONFIG, "listen names no address");
	if (2 * c->head_interval > c->head_life || 2 * c->head_interval > c->max_stale)
		return diag_set(d, CLUSTER_ECONFIG, "head_interval is more than half of head_life or of max_stale: nodes would refuse between two heads");
	if (c->uid_min > c->uid_max)
		return diag_set(d, CLUSTER_ECONFIG, "uid_min is above uid_max");
	if (c->url[0] && !config_url_ok(c->url))
		return diag_set(d, CLUSTER_ECONFIG, "url is not https://HOST or https://HOST:PORT");
	return CLUSTER_OK;
}

enum cluster_err config_load(const char *path, struct config *c, struct diag *d)
{
	enum cluster_err e = conf_load(path, geteuid(), keys, KEYS, c, d);

	if (e == CLUSTER_EUNTRUSTED && geteuid() != 0) {
		diag_clear(d);
		e = conf_load(path, 0, keys, KEYS, c, d); /* a daemon that is not root reads root's file */
	}
	return e == CLUSTER_OK ? config_check(c, d) : e;
}

void config_dump(const struct config *c, struct wr *w)
{
	conf_dump(keys, KEYS, c, w);
}
