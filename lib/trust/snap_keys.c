/* SPDX-License-Identifier: Apache-2.0 */
#include "snap_keys.h"

#include <string.h>

#include "cluster/id.h"

/* n bytes from `at` on. */
static bool part(const struct rd *body, size_t at, size_t n, struct snap_text *ret)
{
	if (at > body->n || n > body->n - at || !n)
		return false;
	*ret = (struct snap_text){ .p = body->p + at, .n = n };
	return true;
}

/* As many bytes from `at` on as byte number `length` says. */
static bool counted(const struct rd *body, size_t length, size_t at, struct snap_text *ret)
{
	return length < body->n && part(body, at, body->p[length], ret);
}

/* str16 at the beginning. */
static bool leading(const struct rd *body, struct snap_text *ret)
{
	return body->n >= 2 && part(body, 2, snap_be16(body->p), ret);
}

static bool accounts_key(uint32_t type, const struct rd *body, struct snap_text *ret)
{
	switch ((enum snap_accounts_section)type) {
	case SNAP_A_BY_NAME:
		return counted(body, 8, SNAP_ACCOUNT_HEAD, ret);
	case SNAP_A_GROUP_BY_NAME:
		return counted(body, 12, SNAP_GROUP_HEAD, ret);
	case SNAP_A_BY_UID:
	case SNAP_A_GROUP_BY_GID:
		return part(body, 0, 4, ret);
	case SNAP_A_MEMBER_BY_NAME:
		return counted(body, 4, SNAP_MEMBER_HEAD, ret);
	case SNAP_A_HOST_BY_NAME:
		return counted(body, 8, SNAP_HOST_HEAD, ret);
	case SNAP_A_ADDRESS_BY_BYTES:
		return counted(body, 0, SNAP_ADDRESS_HEAD, ret);
	case SNAP_A_ACCOUNTS:
	case SNAP_A_GROUPS:
	case SNAP_A_MEMBER:
	case SNAP_A_HOSTS:
	case SNAP_A_ADDRESSES:
		break;
	}
	return false;
}

static bool trust_key(uint32_t type, const struct rd *body, struct snap_text *ret)
{
	switch ((enum snap_trust_section)type) {
	case SNAP_T_PERSON_BY_ID:
		return part(body, 0, ID_SIZE, ret);
	case SNAP_T_PERSON_BY_NAME:
		return counted(body, ID_SIZE + 1, ID_SIZE + 2, ret);
	case SNAP_T_GRANT_BY_KEY:
	case SNAP_T_REVOKED_BY_KEY:
	case SNAP_T_HOP_BY_KEY:
		return leading(body, ret);
	case SNAP_T_ACCOUNT_BY_NAME:
		return counted(body, 0, 1, ret);
	case SNAP_T_NODE_BY_ID:
		return part(body, 0, ID_SIZE, ret);
	case SNAP_T_NODE_BY_HOP_KEY:
		return counted(body, ID_SIZE + 1, ID_SIZE + 2, ret);
	case SNAP_T_HOSTKEY_BY_HASH:
		return part(body, 0, 32, ret);
	case SNAP_T_SELF:
	case SNAP_T_KEYS:
	case SNAP_T_PEOPLE:
	case SNAP_T_GRANTS:
	case SNAP_T_ACCOUNTS:
	case SNAP_T_REVOKED:
	case SNAP_T_GLOBAL:
	case SNAP_T_NODES:
	case SNAP_T_HOSTKEYS:
	case SNAP_T_HOPS:
		break;
	}
	return false;
}

bool snap_keys_index(enum snap_kind kind, uint32_t type, const struct rd *body, struct snap_text *ret)
{
	return kind == SNAP_ACCOUNTS ? accounts_key(type, body, ret) : trust_key(type, body, ret);
}

bool snap_keys_order(enum snap_kind kind, uint32_t records, const struct rd *body, struct snap_text *ret)
{
	/* the index by the key that orders stands right behind its records */
	return (kind != SNAP_ACCOUNTS || records != SNAP_A_ADDRESSES) && snap_keys_index(kind, records + 1, body, ret);
}

int snap_keys_compare(const struct snap_text *a, const struct snap_text *b)
{
	int c = memcmp(a->p, b->p, a->n < b->n ? a->n : b->n);

	return c ? c : (a->n > b->n) - (a->n < b->n);
}
