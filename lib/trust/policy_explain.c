/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "policy_check.h"

struct steps {
	struct policy_step *step;
	size_t n;
	enum reason first;
};

static void add(struct steps *s, const char *check, enum reason r)
{
	if (s->n < POLICY_STEPS_MAX)
		s->step[s->n++] = (struct policy_step){ .check = check, .reason = r };
	if (s->first == REASON_OK)
		s->first = r;
}

static void explain_person(const struct trust *t, const struct trust_person *person, int64_t now, struct steps *s)
{
	bool device = false;

	add(s, "person known", person ? REASON_OK : REASON_PERSON_UNKNOWN);
	if (!person)
		return;
	add(s, "person enabled", person->disabled ? REASON_PERSON_DISABLED : REASON_OK);
	for (size_t i = 0; i < person->n_devices; i++)
		device = device || policy_check_revoked(t, REVOKE_DEVICE, person->devices + i * TRUST_DEVICE_SIZE, ID_SIZE, now, REASON_REVOKED_DEVICE, NULL) == REASON_OK;
	add(s, "device enrolled", device ? REASON_OK : person->n_devices ? REASON_REVOKED_DEVICE : REASON_DEVICE_UNKNOWN);
	add(s, "person not revoked", policy_check_revoked(t, REVOKE_PERSON, person->id.b, ID_SIZE, now, REASON_REVOKED_PERSON, NULL));
}

static void explain_account(const struct trust *t, const struct policy_request *q, const struct trust_person *person, struct steps *s)
{
	struct trust_account account;
	struct policy_answer answer;
	int64_t now = q->now->wall;
	enum reason r;

	add(s, "account not revoked", policy_check_revoked(t, REVOKE_ACCOUNT, q->account, strlen(q->account), now, REASON_REVOKED_ACCOUNT, NULL));
	add(s, "node not revoked", policy_check_revoked(t, REVOKE_NODE, t->self.node.b, ID_SIZE, now, REASON_REVOKED_NODE, NULL));
	add(s, "not everything revoked", policy_check_before(t, now, NULL));
	r = policy_check_account(t, q->account, &account, NULL);
	add(s, "account known", r);
	if (!person)
		return;
	memset(&answer, 0, sizeof answer);
	add(s, "grant", policy_check_grant(t, person, &(struct policy_wanted){ q->account, now, now, q->use, 0 }, &answer));
	if (r == REASON_OK)
		add(s, "account's owner", policy_check_owner(&account, &person->id, NULL));
}

enum reason policy_explain(const struct trust *t, const struct policy_request *q, const struct trust_person *person, struct policy_step ret[POLICY_STEPS_MAX], size_t *ret_n)
{
	struct steps s = { .step = ret, .first = REASON_OK };

	if (name_account_ok(q->account)) {
		add(&s, "account name", REASON_OK);
		add(&s, "snapshot fresh", policy_fresh(t, q->now, q->max_stale, NULL));
		add(&s, "no lockdown", policy_check_lockdown(t, person ? &person->id : NULL, NULL));
		explain_person(t, person, q->now->wall, &s);
		explain_account(t, q, person, &s);
	} else {
		add(&s, "account name", REASON_NAME);
	}
	*ret_n = s.n;
	return s.first;
}
