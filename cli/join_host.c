/* SPDX-License-Identifier: Apache-2.0 */
#include "join_host.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <glob.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cluster/file.h"
#include "cluster/secret.h"
#include "cluster/sshsig.h"
#include "out.h"
#include "program.h"

#define HOST_KEYS "/etc/ssh/ssh_host_*_key.pub"
#define SSH_KEYGEN "/usr/bin/ssh-keygen"
#define NAMESPACE "cluster-login-join"
#define ADDRESSES_MAX (sizeof((struct request_join *)0)->addresses / sizeof((struct request_join *)0)->addresses[0])

enum cluster_err join_host_name(char ret[NAME_NODE_MAX + 1], struct diag *d)
{
	char name[256] = "";
	size_t i;

	if (gethostname(name, sizeof name - 1) != 0)
		return diag_errno(d, "gethostname");
	name[strcspn(name, ".")] = '\0';
	for (i = 0; name[i] != '\0'; i++)
		name[i] = (char)tolower((unsigned char)name[i]);
	if (!name_node_ok(name))
		return diag_set(d, CLUSTER_ECONFIG, "the host name \"%.100s\" cannot be the name of a node: use --name", name);
	memcpy(ret, name, strlen(name) + 1);
	return CLUSTER_OK;
}

/* One more address, once, in the form that inet_ntop gives it. */
static enum cluster_err add_address(struct request_join *r, int family, const void *bytes, struct diag *d)
{
	char text[INET6_ADDRSTRLEN];
	size_t i;

	if (inet_ntop(family, bytes, text, sizeof text) == NULL)
		return diag_errno(d, "inet_ntop");
	for (i = 0; i < r->n_addresses; i++) {
		if (strcmp(r->addresses[i], text) == 0)
			return CLUSTER_OK;
	}
	if (r->n_addresses == ADDRESSES_MAX)
		return diag_set(d, CLUSTER_ECONFIG, "this machine has more than %zu addresses: say which with --address", ADDRESSES_MAX);
	memcpy(r->addresses[r->n_addresses++], text, sizeof r->addresses[0]);
	return CLUSTER_OK;
}

static enum cluster_err given_addresses(const struct command_list *given, struct request_join *r, struct diag *d)
{
	struct in6_addr bytes;
	enum cluster_err e;
	size_t i;

	for (i = 0; i < given->n; i++) {
		int family = strchr(given->item[i], ':') != NULL ? AF_INET6 : AF_INET;

		if (inet_pton(family, given->item[i], &bytes) != 1)
			return diag_set(d, CLUSTER_ECONFIG, "--address %s: not an IP address", given->item[i]);
		if ((e = add_address(r, family, &bytes, d)) != CLUSTER_OK)
			return e;
	}
	return CLUSTER_OK;
}

/* The bytes of an address that another machine can use, or NULL. */
static const void *reachable(const struct ifaddrs *i)
{
	const struct sockaddr_in *v4;
	const struct sockaddr_in6 *v6;

	if (i->ifa_addr == NULL || (i->ifa_flags & IFF_UP) == 0 || (i->ifa_flags & IFF_LOOPBACK) != 0)
		return NULL;
	if (i->ifa_addr->sa_family == AF_INET) {
		v4 = (const struct sockaddr_in *)(const void *)i->ifa_addr;
		return (ntohl(v4->sin_addr.s_addr) >> 16) == 0xa9fe ? NULL : &v4->sin_addr;
	}
	if (i->ifa_addr->sa_family == AF_INET6) {
		v6 = (const struct sockaddr_in6 *)(const void *)i->ifa_addr;
		return IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr) || IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) ? NULL : &v6->sin6_addr;
	}
	return NULL;
}

enum cluster_err join_host_addresses(const struct command_list *given, struct request_join *r, struct diag *d)
{
	struct ifaddrs *all = NULL, *i;
	enum cluster_err e = CLUSTER_OK;
	const void *bytes;

	if (given->n > 0)
		return given_addresses(given, r, d);
	if (getifaddrs(&all) != 0)
		return diag_errno(d, "getifaddrs");
	for (i = all; i != NULL && e == CLUSTER_OK; i = i->ifa_next) {
		if ((bytes = reachable(i)) != NULL)
			e = add_address(r, i->ifa_addr->sa_family, bytes, d);
	}
	freeifaddrs(all);
	if (e == CLUSTER_OK && r->n_addresses == 0)
		e = diag_set(d, CLUSTER_ECONFIG, "this machine has no address that others can reach: use --address");
	return e;
}

/* One public key file: "type base64" without its comment. */
static enum cluster_err add_key(const char *path, struct join_host *h, struct request_join *r, struct diag *d)
{
	const struct file_rules rules = { .owner = geteuid(), .forbid = 022, .max_size = SSHSIG_LINE_MAX };
	uint8_t blob[SSHSIG_BLOB_MAX];
	struct secret *text = NULL;
	size_t n = strlen(path), length;
	enum cluster_err e;
	char *line;

	if (n < 5 || strcmp(path + n - 4, ".pub") != 0 || n - 4 >= sizeof h->key_path[0])
		return diag_set(d, CLUSTER_ECONFIG, "%s: a host key is given by its public file, whose name ends in .pub", path);
	if ((e = file_read(path, &rules, &text, d)) != CLUSTER_OK)
		goto out;
	line = (char *)text->bytes;
	line[strcspn(line, "\r\n")] = '\0';
	if ((e = sshsig_key_parse(line, blob, &length, d)) != CLUSTER_OK) {
		diag_prefix(d, "%s", path);
		goto out;
	}
	length = strcspn(line, " ");
	length += line[length] == ' ' ? 1 + strcspn(line + length + 1, " ") : 0;
	if ((r->hostkeys[r->n_hostkeys] = strndup(line, length)) == NULL) {
		e = diag_set(d, CLUSTER_ENOMEM, "out of memory");
		goto out;
	}
	r->n_hostkeys++;
	memcpy(h->key_path[h->n_keys], path, n - 4);
	h->key_path[h->n_keys++][n - 4] = '\0';
out:
	secret_free(text);
	return e;
}

static enum cluster_err installed_keys(struct join_host *h, struct request_join *r, struct diag *d)
{
	enum cluster_err e = CLUSTER_OK;
	glob_t found = { 0 };
	size_t i;

	if (glob(HOST_KEYS, 0, NULL, &found) != 0)
		found.gl_pathc = 0;
	for (i = 0; i < found.gl_pathc && h->n_keys < JOIN_HOST_KEYS_MAX && e == CLUSTER_OK; i++) {
		if ((e = add_key(found.gl_pathv[i], h, r, d)) == CLUSTER_EDENIED) {
			out_note("%s is passed over: %s", found.gl_pathv[i], d->text);
			e = CLUSTER_OK;
		}
	}
	globfree(&found);
	return e;
}

enum cluster_err join_host_keys(const struct command_list *given, struct join_host *h, struct request_join *r, struct diag *d)
{
	enum cluster_err e = CLUSTER_OK;
	size_t i;

	if (given->n > JOIN_HOST_KEYS_MAX)
		return diag_set(d, CLUSTER_ECONFIG, "at most %d host keys", JOIN_HOST_KEYS_MAX);
	for (i = 0; i < given->n && e == CLUSTER_OK; i++)
		e = add_key(given->item[i], h, r, d);
	if (given->n == 0)
		e = installed_keys(h, r, d);
	if (e == CLUSTER_OK && r->n_hostkeys == 0)
		e = diag_set(d, CLUSTER_ECONFIG, "no usable ssh host key in /etc/ssh: ssh-keygen -A makes some, --hostkey names others");
	return e;
}

enum cluster_err join_host_sign(const struct join_host *h, size_t i, const char *text, char **ret, struct diag *d)
{
	const char *const argv[] = { SSH_KEYGEN, "-q", "-Y", "sign", "-n", NAMESPACE, "-f", h->key_path[i], NULL };
	struct program_result r = { .out = NULL };
	enum cluster_err e;

	if ((e = program_run(argv, text, strlen(text), &r, d)) != CLUSTER_OK)
		goto out;
	if (r.status != 0) {
		e = diag_set(d, CLUSTER_ECONFIG, "ssh-keygen cannot sign with %s: %s", h->key_path[i], (const char *)r.out->bytes);
		goto out;
	}
	if ((*ret = strdup((const char *)r.out->bytes)) == NULL)
		e = diag_set(d, CLUSTER_ENOMEM, "out of memory");
out:
	secret_free(r.out);
	return e;
}
