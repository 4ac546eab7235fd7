/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/enrolled.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>

#include "cluster/b64.h"
#include "cluster/file.h"
#include "cluster/node_conf.h"
#include "cluster/secret.h"
#include "cluster/wr.h"

#define PIN_PREFIX "sha256:"

/* The file's values as text. */
struct fields {
	char pin[CONF_STRING_SIZE], cluster[CONF_STRING_SIZE], node[CONF_STRING_SIZE], name[CONF_STRING_SIZE];
	struct conf_list authority, relay;
};

bool enrolled_url_ok(const char *url)
{
	static const char scheme[] = "https://", allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]";
	const char *host;

	if (!url || strncmp(url, scheme, sizeof scheme - 1) != 0)
		return false;
	host = url + sizeof scheme - 1;
	return *host != '\0' && *host != ':' && *host != '-' && strspn(host, allowed) == strlen(host) && strlen(url) < 64;
}

static const struct conf_key keys[] = {
	{ .section = "enrolled", .name = "pin", .type = CONF_STRING, .offset = offsetof(struct fields, pin), .help = "pin of the cluster's first root" },
	{ .section = "enrolled", .name = "cluster", .type = CONF_STRING, .offset = offsetof(struct fields, cluster), .help = "cluster id" },
	{ .section = "enrolled", .name = "node", .type = CONF_STRING, .offset = offsetof(struct fields, node), .help = "node id" },
	{ .section = "enrolled", .name = "name", .type = CONF_STRING, .offset = offsetof(struct fields, name), .item_ok = name_node_ok, .help = "node name" },
	{ .section = "enrolled", .name = "authority", .type = CONF_LIST, .offset = offsetof(struct fields, authority), .item_ok = enrolled_url_ok, .help = "authority URLs" },
	{ .section = "enrolled", .name = "relay", .type = CONF_LIST, .offset = offsetof(struct fields, relay), .item_ok = node_conf_way_ok, .help = "ways to the authority" },
};
#define N_KEYS (sizeof keys / sizeof keys[0])

static enum cluster_err parse_pin(const char *text, uint8_t ret[32])
{
	size_t prefix = strlen(PIN_PREFIX);

	if (strlen(text) != ENROLLED_PIN_TEXT || strncmp(text, PIN_PREFIX, prefix) != 0)
		return CLUSTER_EFORMAT;
	return b64_decode_exact(text + prefix, ENROLLED_PIN_TEXT - prefix, ret, 32);
}

enum cluster_err enrolled_parse(const char *text, size_t n, const char *file, struct enrolled *ret, struct diag *d)
{
	struct fields f = { .pin = "" };
	struct enrolled out;
	enum cluster_err e;

	memset(&out, 0, sizeof out);
	if ((e = conf_parse(text, n, file, keys, N_KEYS, &f, d)) != CLUSTER_OK)
		return e;
	if (parse_pin(f.pin, out.pin) != CLUSTER_OK)
		return diag_set(d, CLUSTER_ECONFIG, "%s: pin is not \"sha256:\" and 43 characters of base64url", file);
	if (id_parse(f.cluster, &out.cluster) != CLUSTER_OK || id_parse(f.node, &out.node) != CLUSTER_OK)
		return diag_set(d, CLUSTER_ECONFIG, "%s: cluster and node have to be ids of 22 characters", file);
	if (f.relay.n > NODE_CONF_RELAYS_MAX)
		return diag_set(d, CLUSTER_ECONFIG, "%s: more than %d ways to the authority", file, NODE_CONF_RELAYS_MAX);
	if (f.name[0] == '\0' || f.authority.n == 0)
		return diag_set(d, CLUSTER_ECONFIG, "%s: name or authority is missing", file);
	memcpy(out.pin_text, f.pin, ENROLLED_PIN_TEXT);
	memcpy(out.name, f.name, strlen(f.name));
	out.authority = f.authority;
	out.relay = f.relay;
	*ret = out;
	return CLUSTER_OK;
}

enum cluster_err enrolled_read(const char *state_dir, uid_t owner, struct enrolled *ret, struct diag *d)
{
	const struct file_rules rules = { .owner = owner, .forbid = 022, .max_size = CONF_FILE_MAX };
	struct secret *text = NULL;
	char path[PATH_MAX];
	enum cluster_err e;

	if ((e = file_join(path, sizeof path, state_dir, ENROLLED_FILE)) != CLUSTER_OK)
		return diag_set(d, e, "%s: the path is too long", state_dir);
	if ((e = file_read(path, &rules, &text, d)) != CLUSTER_OK)
		return e;
	e = enrolled_parse((const char *)text->bytes, text->n, path, ret, d);
	secret_free(text);
	return e;
}

enum cluster_err enrolled_store(const char *state_dir, const struct enrolled *en, struct diag *d)
{
	char path[PATH_MAX], cluster[ID_TEXT + 1], node[ID_TEXT + 1];
	struct enrolled again;
	enum cluster_err e;
	struct wr w;
	size_t i;

	wr_grow(&w, CONF_FILE_MAX);
	id_text(&en->cluster, cluster);
	id_text(&en->node, node);
	wr_printf(&w, "# This node has joined a cluster. Written by cluster-login join; cluster-login leave removes it.\n[enrolled]\n");
	wr_printf(&w, "pin = %s\ncluster = %s\nnode = %s\nname = %s\nauthority =", en->pin_text, cluster, node, en->name);
	for (i = 0; i < en->authority.n; i++)
		wr_printf(&w, " %s", en->authority.item[i]);
	if (en->relay.n > 0)
		wr_text(&w, "\nrelay =");
	for (i = 0; i < en->relay.n; i++)
		wr_printf(&w, " %s", en->relay.item[i]);
	wr_text(&w, "\n");
	if ((e = wr_end(&w)) != CLUSTER_OK || (e = file_join(path, sizeof path, state_dir, ENROLLED_FILE)) != CLUSTER_OK) {
		diag_set(d, e, "%s/%s: %s", state_dir, ENROLLED_FILE, err_name(e));
		goto out;
	}
	if ((e = enrolled_parse((const char *)w.p, w.n, path, &again, d)) != CLUSTER_OK) /* never write what nobody could read */
		goto out;
	e = file_replace(path, w.p, w.n, 0644, d);
out:
	wr_done(&w);
	return e;
}
