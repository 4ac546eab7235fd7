/* SPDX-License-Identifier: Apache-2.0 */
#include "ssh_files.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>

#include "cluster/sshkey.h"
#include "cluster/wr.h"
#include "name_bag.h"
#include "start.h"
#include "text_file.h"

#define SSH_FILES_MAX ((size_t)64 << 20)
#define PATTERNS 64 /* in one Host line */
#define LEADER "leader"
#define SSH_PORT 22

struct writer {
	const struct ssh_files *files;
	const struct trust *t;
	struct name_bag nodes, roles, instances; /* what nodes are called, what they are, what they call themselves by */
	bool leader, vouched; /* a node is; somebody may hop */
	size_t patterns;      /* in the Host line that is open */
	struct wr config, known;
};

_Static_assert(NAME_ROLE_MAX <= NAME_NODE_MAX, "a role's name fits where a node's does");

/* ---- what may be said ---- */

static bool role_told(const struct writer *w, const char *role)
{
	return name_host_ok(role) && strcmp(role, LEADER) != 0 && name_bag_count(&w->nodes, role) == 0;
}

static bool instance_told(const struct writer *w, const char *instance)
{
	return name_host_ok(instance) && strcmp(instance, LEADER) != 0 && name_bag_count(&w->nodes, instance) == 0 && name_bag_count(&w->roles, instance) == 0 &&
	    name_bag_count(&w->instances, instance) == 1;
}

static bool address_told(const char *text)
{
	uint8_t bytes[16];

	return inet_pton(AF_INET, text, bytes) == 1 ? snap_address_ok(bytes, 4) : inet_pton(AF_INET6, text, bytes) == 1 && snap_address_ok(bytes, 16);
}

/* The next address of a node that is told; false at the end. */
static bool next_address(struct rd *r, char text[46])
{
	while (rd_left(r) > 0 && rd_str8(r, text, 46) == CLUSTER_OK)
		if (address_told(text))
			return true;
	return false;
}

/* ---- ssh_config ---- */

/* What is said of all of our hosts, at the end of their Host lines. */
static void end_hosts(struct writer *w)
{
	if (w->patterns == 0)
		return;
	w->patterns = 0;
	wr_text(&w->config, "\n");
	if (w->vouched)
		wr_printf(&w->config, "    IdentityAgent \"%s/" HOP_SOCKET "\"\n    IdentitiesOnly no\n", w->files->run_dir);
	wr_printf(&w->config, "    ForwardAgent no\n    StrictHostKeyChecking yes\n    UserKnownHostsFile /dev/null\n    GlobalKnownHostsFile \"%s/" SSH_FILES_KNOWN_HOSTS "\"\n",
	    w->files->state_dir);
}

static void put_names(struct writer *w, const struct trust_node *n, void (*put)(struct writer *w, const char *name))
{
	struct rd addresses = n->addresses;
	char text[46];

	if (name_host_ok(n->name))
		put(w, n->name);
	if (instance_told(w, n->instance))
		put(w, n->instance);
	while (next_address(&addresses, text))
		put(w, text);
}

static void put_pattern(struct writer *w, const char *name)
{
	wr_printf(&w->config, "%s %s", w->patterns++ == 0 ? "Host" : "", name);
}

static void put_host(struct writer *w, const char *name)
{
	put_pattern(w, name);
	if (w->patterns == PATTERNS)
		end_hosts(w);
}

/* What is said of one node alone. */
static void put_own(struct writer *w, const struct trust_node *n)
{
	if (instance_told(w, n->instance) && name_host_ok(n->name))
		wr_printf(&w->config, "Host %s\n    HostName %s\n", n->instance, n->name);
	if (n->port == SSH_PORT)
		return;
	put_names(w, n, put_pattern);
	if (w->patterns > 0)
		wr_printf(&w->config, "\n    Port %u\n", n->port);
	w->patterns = 0;
}

/* ---- known_hosts ---- */

static void put_known(struct wr *w, size_t *n, const char *name, uint16_t port)
{
	const char *comma = (*n)++ ? "," : "";

	if (port == SSH_PORT)
		wr_printf(w, "%s%s", comma, name);
	else
		wr_printf(w, "%s[%s]:%u", comma, name, port);
}

/* One line for each key: whatever this node is called. */
static enum cluster_err put_key(struct writer *w, const struct trust_node *n, const uint8_t *blob, size_t size)
{
	struct rd addresses = n->addresses;
	char line[SSHKEY_LINE_MAX], text[46];
	struct sshkey key;
	enum cluster_err e;
	size_t names = 0;

	if ((e = sshkey_parse(blob, size, SSHKEY_HOST, &key, NULL)) != CLUSTER_OK || (e = sshkey_line_build(&key, line, sizeof line)) != CLUSTER_OK)
		return e == CLUSTER_ENOMEM ? e : CLUSTER_OK; /* of a type that no node joins with */
	if (name_host_ok(n->name))
		put_known(&w->known, &names, n->name, n->port);
	while (next_address(&addresses, text))
		put_known(&w->known, &names, text, n->port);
	for (size_t i = 0; i < n->n_roles; i++)
		if (role_told(w, n->roles[i]))
			put_known(&w->known, &names, n->roles[i], n->port);
	if (n->leader)
		put_known(&w->known, &names, LEADER, n->port);
	if (names > 0)
		wr_printf(&w->known, " %s\n", line);
	return CLUSTER_OK;
}

/* A node that is revoked keeps its names, so that nothing else is believed under them, and loses its keys: nobody is to log on there, nor to be told by it that it is its whole role. */
static enum cluster_err put_keys(struct writer *w, const struct trust_node *n)
{
	struct trust_revocation revoked;
	struct rd keys = n->hostkeys;
	const uint8_t *blob;
	enum cluster_err e;
	uint16_t size;

	if ((e = trust_revoked(w->t, REVOKE_NODE, n->id.b, ID_SIZE, w->files->now, &revoked)) != CLUSTER_ENOTFOUND)
		return e;
	e = CLUSTER_OK;
	for (size_t i = 0; i < n->n_hostkeys && e == CLUSTER_OK; i++)
		if ((e = rd_u16(&keys, &size)) == CLUSTER_OK && (e = rd_view(&keys, size, &blob)) == CLUSTER_OK)
			e = put_key(w, n, blob, size);
	return e;
}

/* ---- both ---- */

typedef enum cluster_err node_visit(struct writer *w, const struct trust_node *n);

static enum cluster_err each(struct writer *w, node_visit *visit)
{
	struct trust_node n;
	uint64_t cursor = 0;
	enum cluster_err e;

	while ((e = trust_node_each(w->t, &cursor, &n)) == CLUSTER_OK && (e = visit(w, &n)) == CLUSTER_OK)
		;
	return e == CLUSTER_ENOTFOUND ? CLUSTER_OK : e;
}

static enum cluster_err learn(struct writer *w, const struct trust_node *n)
{
	enum cluster_err e = name_bag_add(&w->nodes, n->name);

	for (size_t i = 0; i < n->n_roles && e == CLUSTER_OK; i++)
		e = name_bag_add(&w->roles, n->roles[i]);
	if (e == CLUSTER_OK && name_host_ok(n->instance)) /* nor is any other told; an instance id may be longer than a name */
		e = name_bag_add(&w->instances, n->instance);
	w->leader |= n->leader;
	return e;
}

static enum cluster_err write_own(struct writer *w, const struct trust_node *n)
{
	put_own(w, n);
	return put_keys(w, n);
}

static enum cluster_err write_hosts(struct writer *w, const struct trust_node *n)
{
	put_names(w, n, put_host);
	return CLUSTER_OK;
}

static enum cluster_err write_all(struct writer *w)
{
	enum cluster_err e;

	if ((e = trust_hop_anywhere(w->t)) != CLUSTER_OK && e != CLUSTER_ENOTFOUND)
		return e;
	w->vouched = e == CLUSTER_OK && w->files->run_dir;
	wr_text(&w->config, "# Written by cluster-agentd from the cluster's signed directory, and written again when it changes.\n");
	if ((e = each(w, learn)) != CLUSTER_OK)
		return e;
	name_bag_sort(&w->nodes);
	name_bag_sort(&w->roles);
	name_bag_sort(&w->instances);
	if ((e = each(w, write_own)) != CLUSTER_OK || (e = each(w, write_hosts)) != CLUSTER_OK)
		return e;
	for (const char *role = name_bag_after(&w->roles, ""); role; role = name_bag_after(&w->roles, role))
		if (role_told(w, role))
			put_host(w, role);
	if (w->leader)
		put_host(w, LEADER);
	end_hosts(w);
	return CLUSTER_OK;
}

/* ssh expands % and $ in paths, and has no way to say some others. */
static bool path_ok(const char *s)
{
	return s[0] == '/' && strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-") == strlen(s);
}

enum cluster_err ssh_files_put(const struct ssh_files *f, const struct trust *t, struct diag *d)
{
	const struct text_file config = { .state_dir = f->state_dir, .name = SSH_FILES_CONFIG, .owner = f->owner, .max = SSH_FILES_MAX };
	const struct text_file known = { .state_dir = f->state_dir, .name = SSH_FILES_KNOWN_HOSTS, .owner = f->owner, .max = SSH_FILES_MAX };
	struct writer w = { .files = f, .t = t };
	enum cluster_err e;

	wr_grow(&w.config, SSH_FILES_MAX);
	wr_grow(&w.known, SSH_FILES_MAX);
	if (!path_ok(f->state_dir) || (f->run_dir && !path_ok(f->run_dir)))
		e = diag_set(d, CLUSTER_ECONFIG, "ssh cannot be told of %s or %s: such characters mean something to it", f->state_dir, f->run_dir ? f->run_dir : "-");
	else if ((e = write_all(&w)) != CLUSTER_OK)
		diag_set(d, e, "%s/" SSH_FILES_CONFIG ": %s", f->state_dir, err_name(e));
	else if ((e = text_file_put(&known, &w.known, d)) == CLUSTER_OK) /* first: a name without its key cannot be reached, a key without its name does nothing */
		e = text_file_put(&config, &w.config, d);
	name_bag_done(&w.nodes);
	name_bag_done(&w.roles);
	name_bag_done(&w.instances);
	wr_done(&w.config);
	wr_done(&w.known);
	return e;
}
