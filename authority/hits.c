/* SPDX-License-Identifier: Apache-2.0 */
#include "hits.h"

#include <string.h>

#include "cluster/num.h"

static bool is_id(const struct cluster_id *id, const char *text)
{
	struct cluster_id other;

	return id_parse(text, &other) == CLUSTER_OK && id_equal(id, &other);
}

bool hits_spares(const char *list, const struct cluster_id *person)
{
	char id[ID_TEXT + 1];

	id_text(person, id);
	return strstr(list, id) != NULL;
}

static bool hits_cert(const struct revoke_entry *e, const struct sshcert_facts *c)
{
	uint64_t serial;

	if (!c->ca[0])
		return false;
	if (e->kind == REVOKE_CERT_SERIAL)
		return c->serial != 0 && num_u64(e->value, 0, UINT64_MAX, &serial) == CLUSTER_OK && serial == c->serial;
	return strcmp(e->value, e->kind == REVOKE_CERT_ID ? c->key_id : e->kind == REVOKE_CERT_KEY ? c->key : c->ca) == 0;
}

static bool of_machine(const struct report_session *s)
{
	return s->kind == SESSION_HOP && s->hops == 0;
}

/* A hop goes with what stands behind it, and by its own jti. */
static bool hits_credential(const struct report_session *s, const char *value)
{
	struct cluster_id own = session_hop_jti(&s->cert);

	return is_id(&s->jti, value) || (s->kind == SESSION_HOP && is_id(&own, value));
}

/* A node or a session on the way before the last hop; no id is of both. */
static bool came_through(const struct report_session *s, const char *value)
{
	for (size_t i = 0; i + 1 < s->hops && i < HOP_WAY_MAX; i++)
		if (is_id(&s->way[i].node, value) || is_id(&s->way[i].session, value))
			return true;
	return false;
}

bool hits_session(const struct revoke_entry *e, const struct report_session *s, const struct cluster_id *node)
{
	if (e->before && s->iat >= e->before)
		return false;
	switch (e->kind) {
	case REVOKE_CREDENTIAL:
		return hits_credential(s, e->value);
	case REVOKE_DEVICE:
		return is_id(&s->device, e->value);
	case REVOKE_PERSON:
		return is_id(&s->person, e->value);
	case REVOKE_ACCOUNT:
		return strcmp(s->account, e->value) == 0;
	case REVOKE_NODE:
		return is_id(node, e->value) || (s->kind == SESSION_HOP && (is_id(&s->source, e->value) || came_through(s, e->value)));
	case REVOKE_ROLE:
		return strcmp(s->role, e->value) == 0;
	case REVOKE_ISSUER:
		return !of_machine(s) && strcmp(s->issuer, e->value) == 0;
	case REVOKE_CERT_SERIAL:
	case REVOKE_CERT_ID:
	case REVOKE_CERT_KEY:
	case REVOKE_CERT_CA:
		return hits_cert(e, &s->cert);
	case REVOKE_BEFORE:
		return true;
	case REVOKE_LOCKDOWN:
		return !of_machine(s) && !hits_spares(e->value, &s->person);
	case REVOKE_SESSION:
		return is_id(&s->id, e->value) || (s->kind == SESSION_HOP && (is_id(&s->parent, e->value) || came_through(s, e->value)));
	}
	return false;
}
