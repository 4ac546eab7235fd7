/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/directory.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "directory_records.h"
#include "json_field.h"

#include "cluster/b64.h"
#include "cluster/rd.h"
#include "cluster/wr.h"

#define BLOB_MAX DIRECTORY_HOSTKEY_MAX
#define KEY_TYPE_MAX 63
#define KEY_TEXT_MAX 2732 /* base64 of BLOB_MAX bytes */
#define HOST_MAX 255
#define KEYS_MAX 64 /* of one call of directory_hostkey_hash */
#define DEFAULT_PORT 22
#define ADDRESS_SIZE 46

struct blob {
	size_t n;
	uint8_t bytes[BLOB_MAX];
};

/* Base64 with its own alphabet and padding, as ssh writes it; strict by way of the base64url decoder. */
static enum cluster_err decode(const char *text, struct blob *ret)
{
	char url[KEY_TEXT_MAX + 1];
	size_t n = strnlen(text, KEY_TEXT_MAX + 1);

	if (n == 0 || n > KEY_TEXT_MAX || n % 4 != 0)
		return CLUSTER_EFORMAT;
	for (size_t i = 0; i < n; i++) {
		if (text[i] == '-' || text[i] == '_')
			return CLUSTER_EFORMAT;
		url[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
	}
	for (int pad = 0; pad < 2 && url[n - 1] == '='; pad++)
		n--;
	return b64_decode(url, n, ret->bytes, sizeof ret->bytes, &ret->n) == CLUSTER_OK ? CLUSTER_OK : CLUSTER_EFORMAT;
}

/* "type base64" to the blob, whose first string must be that type. */
static enum cluster_err read_hostkey(const char *line, struct blob *ret)
{
	const char *space = line ? strchr(line, ' ') : NULL;
	size_t n = space ? (size_t)(space - line) : 0;
	const uint8_t *type = NULL;
	struct rd r;
	uint32_t type_n = 0;

	if (n == 0 || n > KEY_TYPE_MAX || strspn(line, "abcdefghijklmnopqrstuvwxyz0123456789-@.") != n || decode(space + 1, ret) != CLUSTER_OK)
		return CLUSTER_EFORMAT;
	rd_init(&r, ret->bytes, ret->n);
	if (rd_u32(&r, &type_n) != CLUSTER_OK || type_n != n || rd_view(&r, n, &type) != CLUSTER_OK || memcmp(type, line, n) != 0 || rd_left(&r) == 0)
		return CLUSTER_EFORMAT;
	return CLUSTER_OK;
}

static bool hostkey_ok(const char *line)
{
	struct blob b;

	return read_hostkey(line, &b) == CLUSTER_OK;
}

static int by_bytes(const void *a, const void *b)
{
	const struct blob *x = a, *y = b;
	int c = memcmp(x->bytes, y->bytes, x->n < y->n ? x->n : y->n);

	return c ? c : (x->n > y->n) - (x->n < y->n);
}

enum cluster_err directory_hostkey_blob(const char *line, uint8_t ret[DIRECTORY_HOSTKEY_MAX], size_t *ret_n)
{
	struct blob b;
	enum cluster_err e = read_hostkey(line, &b);

	if (e != CLUSTER_OK)
		return e;
	memcpy(ret, b.bytes, b.n);
	*ret_n = b.n;
	return CLUSTER_OK;
}

enum cluster_err directory_hostkey_hash(char *const *lines, size_t n, uint8_t ret[CRYPTO_SHA256_SIZE])
{
	struct blob *blobs = NULL;
	struct wr w;
	enum cluster_err e = CLUSTER_EFORMAT;

	wr_grow(&w, KEYS_MAX * (4 + BLOB_MAX));
	if (n == 0 || n > KEYS_MAX)
		goto out;
	if (!(blobs = calloc(n, sizeof *blobs))) {
		e = CLUSTER_ENOMEM;
		goto out;
	}
	for (size_t i = 0; i < n; i++)
		if ((e = read_hostkey(lines[i], &blobs[i])) != CLUSTER_OK)
			goto out;
	qsort(blobs, n, sizeof *blobs, by_bytes);
	for (size_t i = 0; i < n; i++) {
		wr_u32(&w, (uint32_t)blobs[i].n);
		wr_bytes(&w, blobs[i].bytes, blobs[i].n);
	}
	if ((e = wr_end(&w)) == CLUSTER_OK)
		e = crypto_sha256(w.p, w.n, ret);
out:
	wr_done(&w);
	free(blobs);
	return e;
}

/* An IPv4 or IPv6 address in its one canonical text form; neither unspecified nor an IPv4 one in IPv6's clothes. */
static bool address_ok(const char *s)
{
	static const struct in6_addr any6;
	struct in6_addr six;
	struct in_addr four;
	char text[ADDRESS_SIZE] = "";

	if (inet_pton(AF_INET, s, &four) == 1)
		return four.s_addr != 0 && inet_ntop(AF_INET, &four, text, sizeof text) && strcmp(s, text) == 0;
	if (inet_pton(AF_INET6, s, &six) != 1 || IN6_IS_ADDR_V4MAPPED(&six) || memcmp(&six, &any6, sizeof six) == 0)
		return false;
	return inet_ntop(AF_INET6, &six, text, sizeof text) && strcmp(s, text) == 0;
}

/* What may be written into an ssh_config or shown as a name: no option, no separator, no control byte. */
static bool word_ok(const char *s, size_t max)
{
	static const char word[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-";
	size_t n = strnlen(s, max + 1);

	return n > 0 && n <= max && strspn(s, word) == n && !strchr("._:-", s[0]);
}

static bool host_ok(const char *s)
{
	return word_ok(s, HOST_MAX);
}

static bool instance_ok(const char *s)
{
	return word_ok(s, DIRECTORY_INSTANCE_MAX);
}

static bool id_ok(const char *s)
{
	struct cluster_id id;

	return id_parse(s, &id) == CLUSTER_OK && !id_is_zero(&id);
}

/* Of addresses, host keys and roles. */
static enum cluster_err read_lists(const struct json *const lists[3], struct directory_arena *a, struct directory_node *ret, struct diag *d)
{
	void *rows = NULL;
	enum cluster_err e;

	if ((e = directory_rows_read(&(struct directory_list){ lists[2], name_role_ok, a }, sizeof *ret->roles, &rows, &ret->n_roles, d)) != CLUSTER_OK)
		return e;
	ret->roles = rows;
	rows = NULL;
	if ((e = directory_rows_read(&(struct directory_list){ lists[0], address_ok, a }, sizeof *ret->addresses, &rows, &ret->n_addresses, d)) != CLUSTER_OK)
		return e;
	ret->addresses = rows;
	if ((e = directory_strings_read(&(struct directory_list){ lists[1], hostkey_ok, a }, &ret->hostkeys, &ret->n_hostkeys, d)) != CLUSTER_OK)
		return e;
	return directory_hostkey_hash(ret->hostkeys, ret->n_hostkeys, ret->hostkey_hash);
}

enum cluster_err directory_node_read(const struct json *j, struct directory_arena *a, struct directory_node *ret, struct diag *d)
{
	const struct json *addresses = NULL, *hop = NULL, *hostkeys = NULL, *key = NULL, *roles = NULL;
	const char *instance = NULL, *jump = NULL;
	char id[ID_TEXT + 1];
	int64_t port = DEFAULT_PORT;
	const struct json_field fields[] = {
		FIELD_ARRAY("addresses", addresses, 0, DIRECTORY_ADDRESSES_MAX),
		FIELD_OBJECT("hop", hop),
		FIELD_ARRAY("hostkeys", hostkeys, 1, DIRECTORY_HOSTKEYS_MAX),
		FIELD_STRING("id", id, id_ok),
		{ .name = "instance", .kind = JSON_KIND_TEXT, .dst = &instance, .ok = instance_ok, .optional = true },
		{ .name = "jump", .kind = JSON_KIND_TEXT, .dst = &jump, .ok = host_ok, .optional = true },
		FIELD_OBJECT("key", key),
		FIELD_BOOL_OPTIONAL("leader", ret->leader),
		FIELD_STRING("name", ret->name, name_node_ok),
		{ .name = "port", .kind = JSON_KIND_INT, .dst = &port, .min = 1, .max = UINT16_MAX, .optional = true },
		FIELD_ARRAY("roles", roles, 0, DIRECTORY_ROLES_MAX),
	};
	enum cluster_err e;

	if ((e = json_read(j, fields, FIELD_COUNT(fields), d)) != CLUSTER_OK || (e = id_parse(id, &ret->id)) != CLUSTER_OK ||
	    (e = jwk_parse(key, JWK_BARE, &ret->key, d)) != CLUSTER_OK || (e = jwk_parse(hop, JWK_BARE, &ret->hop, d)) != CLUSTER_OK)
		return e;
	ret->port = (uint16_t)port;
	if ((jump && !(ret->jump = directory_arena_text(a, jump))) || (instance && !(ret->instance = directory_arena_text(a, instance))))
		return CLUSTER_ENOMEM;
	return read_lists((const struct json *const[]){ addresses, hostkeys, roles }, a, ret, d);
}

const struct directory_node *directory_node_by_id(const struct directory *dir, const struct cluster_id *id)
{
	for (size_t i = 0; i < dir->n_nodes; i++)
		if (id_equal(&dir->nodes[i].id, id))
			return &dir->nodes[i];
	return NULL;
}

static bool has_address(const struct directory_node *n, const char *address)
{
	for (size_t i = 0; i < n->n_addresses; i++)
		if (strcmp(n->addresses[i], address) == 0)
			return true;
	return false;
}

const struct directory_node *directory_node_by_host(const struct directory *dir, const char *host)
{
	for (size_t i = 0; i < dir->n_nodes; i++)
		if (strcmp(dir->nodes[i].name, host) == 0)
			return &dir->nodes[i];
	for (size_t i = 0; i < dir->n_nodes; i++)
		if (has_address(&dir->nodes[i], host))
			return &dir->nodes[i];
	return NULL;
}
