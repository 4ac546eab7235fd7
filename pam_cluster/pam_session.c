/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cluster/agent_msg.h"
#include "cluster/file.h"
#include "cluster/secret.h"
#include "cluster/session.h"

#include "pam_call.h"

#define DATA_NAME "cluster_login_session"
#define PATH_ROOM 512
#define RECORDS_MAX 65536
#define ONETIME_SESSION 3600 /* what counts as the expiry of a session by one-time credential, where the grant has no ttl */

/* What a record of the directory is asked. True ends the search. */
typedef bool session_match(struct pam_call *c, const struct session *s, void *arg);

/* "<run>/<name>" */
static enum cluster_err run_path(const struct pam_call *c, const char *name, char dst[PATH_ROOM])
{
	return file_join(dst, PATH_ROOM, pam_conf_run(&c->conf), name);
}

static void tell_agent(const struct pam_call *c, enum agent_msg_type type, const struct cluster_id *id)
{
	const struct agent_msg_request m = { .type = type, .session = *id };
	char path[PATH_ROOM];

	/* best effort: an agent that is down reads the records when it starts */
	if (run_path(c, "agent.sock", path) == CLUSTER_OK && agent_msg_call(path, &m, 0, NULL) != CLUSTER_OK)
		return;
}

/* Copies what a record may hold: printable ASCII without spaces. */
static void plain_copy(char *dst, size_t size, const char *src)
{
	size_t n = 0;

	for (; src[n] && n + 1 < size; n++)
		dst[n] = src[n] > ' ' && src[n] <= '~' ? src[n] : '?';
	dst[n] = '\0';
}

/* What was shown: a credential, by itself or in a certificate. */
static void fill_credential(const struct pam_call *c, struct session *s)
{
	const struct credential *cred = &c->credential;

	s->kind = c->certified ? SESSION_CERTIFICATE : c->onetime ? SESSION_ONETIME : SESSION_CREDENTIAL;
	s->person = cred->person;
	s->device = cred->device;
	s->jti = cred->jti;
	s->iat = cred->iat;
	s->auth_time = cred->auth_time;
	s->narrowed = cred->n_acc > 0;
	s->narrowed_nodes = cred->n_nod > 0 || cred->n_src > 0; /* where from counts as where to: a hop comes from elsewhere */
	s->exp = policy_session_end(cred, &c->answer.grant);
	if (c->onetime) { /* its own life is that of a prompt, and it is for one account on one node */
		s->exp = s->opened + (c->answer.grant.ttl ? (int64_t)c->answer.grant.ttl : ONETIME_SESSION);
		s->narrowed_nodes = true;
	}
	plain_copy(s->issuer, sizeof s->issuer, cred->issuer);
}

/* A hop: what stands behind it, or where nobody does, the hop itself. */
static void fill_hop(const struct pam_call *c, struct session *s)
{
	const struct hop *h = &c->hop;

	s->kind = SESSION_HOP;
	s->person = h->person;
	s->device = h->device;
	s->parent = h->session;
	s->source = h->source;
	s->hops = (uint8_t)h->count;
	s->jti = h->machine ? h->jti : h->parent;
	s->iat = s->auth_time = h->machine ? h->iat : h->auth_time;
	s->exp = policy_session_end_of_hop(h, &c->answer.grant);
	memcpy(s->way, h->way, sizeof s->way);
	plain_copy(s->issuer, sizeof s->issuer, h->machine ? h->signer : h->parent_issuer);
}

static enum cluster_err fill(const struct pam_call *c, struct session *s)
{
	enum cluster_err e;
	pid_t pid = getpid();

	memset(s, 0, sizeof *s);
	if ((e = crypto_random(s->id.b, sizeof s->id.b)) != CLUSTER_OK || (e = session_process(pid, &s->start, &s->audit)) != CLUSTER_OK)
		return e;
	s->audit = session_own_audit(pid); /* one that others have too tells nothing */
	s->pid = (uint32_t)pid;
	s->boot_id = c->view.now.boot_id;
	s->opened = c->view.now.wall;
	s->on_revoke = c->answer.grant.on_revoke;
	s->end_at_expiry = c->answer.grant.end_at_expiry;
	if (c->hopped)
		fill_hop(c, s);
	else
		fill_credential(c, s);
	if (c->certified)
		s->cert = c->cert;
	plain_copy(s->account, sizeof s->account, c->facts.user);
	plain_copy(s->service, sizeof s->service, c->facts.service);
	plain_copy(s->tty, sizeof s->tty, c->facts.tty);
	plain_copy(s->rhost, sizeof s->rhost, c->facts.rhost);
	plain_copy(s->role, sizeof s->role, c->answer.grant_role);
	return CLUSTER_OK;
}

static enum cluster_err store(struct pam_call *c, const char *dir, const struct session *s)
{
	enum cluster_err e = session_store(dir, s, &c->detail);

	if (e != CLUSTER_ESYSTEM || c->detail.sys_errno != ENOENT)
		return e;
	/* nobody has made the directories since boot */
	if ((e = file_mkdir(pam_conf_run(&c->conf), 0755, &c->detail)) != CLUSTER_OK || (e = file_mkdir(dir, 0700, &c->detail)) != CLUSTER_OK)
		return e;
	return session_store(dir, s, &c->detail);
}

static void free_id(pam_handle_t *pamh, void *data, int status)
{
	(void)pamh;
	(void)status;
	free(data);
}

static bool remember(struct pam_call *c, const struct cluster_id *id)
{
	struct cluster_id *kept = malloc(sizeof *kept);

	if (!kept)
		return false;
	*kept = *id;
	if (pam_set_data(c->pamh, DATA_NAME, kept, free_id) == PAM_SUCCESS)
		return true;
	free(kept);
	return false;
}

/* The record first, then the decision once more: a revocation in between is seen either by the agent, in the record, or here. */
static enum reason enter(struct pam_call *c)
{
	char dir[PATH_ROOM];
	struct session s;
	struct diag d;
	enum reason r;

	if (run_path(c, "sessions", dir) != CLUSTER_OK || fill(c, &s) != CLUSTER_OK || store(c, dir, &s) != CLUSTER_OK)
		return REASON_SESSION_RECORD;
	pam_call_refresh(c);
	r = pam_call_decide(c);
	if (r == REASON_OK && !remember(c, &s.id))
		r = REASON_SYSTEM;
	if (r != REASON_OK) {
		if (session_remove(dir, &s.id, &d) != CLUSTER_OK)
			c->detail = d;
		return r;
	}
	tell_agent(c, AGENT_MSG_SESSION_OPENED, &s.id);
	return REASON_OK;
}

/* A static key, another CA's certificate: told, and let be, where an administrator is still migrating. */
static bool excusable(const struct pam_call *c, enum reason r)
{
	return (r == REASON_NO_HANDOVER || r == REASON_CERTIFICATE_CA) && c->conf.diag.code == CLUSTER_OK && c->conf.node->static_keys == NODE_CONF_STATIC_KEYS_REPORT;
}

enum reason pam_session_open(struct pam_call *c)
{
	const char *handover = pam_getenv(c->pamh, PAM_CALL_HANDOVER);
	char text[PAM_CALL_HANDOVER_MAX + 2] = "";
	enum reason r;

	/* whatever follows, the user's environment does not get it */
	if (handover) {
		strncpy(text, handover, sizeof text - 1);
		pam_putenv(c->pamh, PAM_CALL_HANDOVER);
	}
	if (c->facts.class != POLICY_LOGIN) {
		r = REASON_OK; /* account has decided; who is behind it is the caller's session's business */
	} else {
		r = handover ? pam_judge_handover(c, text) : pam_judge_certificate(c);
		if (r == REASON_OK && c->onetime)
			r = pam_onetime_confirm(c);
		if (r == REASON_OK && geteuid() == 0) {
			r = enter(c);
		} else if (!handover && excusable(c, r)) {
			c->excused = r;
			r = REASON_OK;
		}
	}
	secret_wipe(text);
	return r;
}

/* Reads every record until one matches. REASON_SESSION_RECORD: one of them could not be read, so nobody knows. */
static enum reason search(struct pam_call *c, session_match *match, void *arg)
{
	enum reason r = REASON_OK;
	struct dirent *entry;
	char path[PATH_ROOM];
	unsigned int n = 0;
	DIR *dir;

	if (run_path(c, "sessions", path) != CLUSTER_OK)
		return REASON_SESSION_RECORD;
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? REASON_OK : REASON_SESSION_RECORD;
	while (r == REASON_OK && (errno = 0, entry = readdir(dir))) {
		struct cluster_id id;
		struct session s;
		enum cluster_err e;

		if (id_parse(entry->d_name, &id) != CLUSTER_OK)
			continue;
		e = ++n > RECORDS_MAX ? CLUSTER_ELIMIT : session_load(path, entry->d_name, (uid_t)c->conf.args.owner, &s, &c->detail);
		if (e == CLUSTER_ENOTFOUND)
			continue;
		if (e != CLUSTER_OK)
			r = REASON_SESSION_RECORD;
		else if (match(c, &s, arg))
			break;
	}
	if (r == REASON_OK && !entry && errno != 0)
		r = REASON_SESSION_RECORD;
	closedir(dir);
	return r;
}

/* Of which session this process is, and what is to be said of it. */
struct caller {
	struct session_caller process;
	enum reason reason;
};

static bool caller_must_end(struct pam_call *c, const struct session *s, void *arg)
{
	const struct policy_session session = policy_session_of(s);
	struct caller *caller = arg;

	if (!id_equal(&s->boot_id, &c->view.now.boot_id) || !session_caller_in(&caller->process, s))
		return false;
	caller->reason = policy_session_check(&c->view.trust, &session, &c->answer);
	c->detail = c->answer.detail;
	return caller->reason != REASON_OK;
}

/* The first record of the caller's that this boot made. */
struct found {
	const struct session_caller *caller;
	struct session *session;
	bool found;
};

static bool caller_came_from(struct pam_call *c, const struct session *s, void *arg)
{
	struct found *f = arg;

	if (s->closed || !id_equal(&s->boot_id, &c->view.now.boot_id) || !session_caller_in(f->caller, s))
		return false;
	*f->session = *s;
	f->found = true;
	return true;
}

enum reason pam_session_caller(struct pam_call *c)
{
	struct caller caller = { .reason = REASON_OK };
	enum reason r;

	if (session_caller_read(getpid(), &caller.process) != CLUSTER_OK)
		return REASON_SYSTEM;
	r = search(c, caller_must_end, &caller);
	return r == REASON_OK ? caller.reason : r;
}

enum reason pam_session_of_caller(struct pam_call *c, struct session *ret, bool *ret_found)
{
	struct session_caller caller;
	struct found f = { .caller = &caller, .session = ret };
	enum reason r;

	if (session_caller_read(getpid(), &caller) != CLUSTER_OK)
		return REASON_SYSTEM;
	r = search(c, caller_came_from, &f);
	*ret_found = f.found;
	return r;
}

struct ours {
	uint64_t start;
	struct moment now;
	bool found;
	struct cluster_id id;
};

static bool is_ours(struct pam_call *c, const struct session *s, void *arg)
{
	struct ours *ours = arg;

	(void)c;
	if (!id_equal(&s->boot_id, &ours->now.boot_id) || s->pid != (uint32_t)getpid() || s->start != ours->start)
		return false;
	ours->found = true;
	ours->id = s->id;
	return true;
}

static bool find_ours(struct pam_call *c, struct cluster_id *ret)
{
	const void *data = NULL;
	struct ours ours = { .found = false };
	uint32_t audit;

	if (pam_get_data(c->pamh, DATA_NAME, &data) == PAM_SUCCESS && data) {
		memcpy(ret, data, sizeof *ret);
		return true;
	}
	if (moment_now(&ours.now) != CLUSTER_OK || session_process(getpid(), &ours.start, &audit) != CLUSTER_OK || search(c, is_ours, &ours) != REASON_OK || !ours.found)
		return false;
	*ret = ours.id;
	return true;
}

/* Processes are left: the record stays, so that a revocation still finds them. The agent removes it when they have gone. */
static enum cluster_err mark_closed(struct pam_call *c, const char *dir, struct session *s)
{
	struct moment now;

	s->closed = moment_now(&now) == CLUSTER_OK && now.wall > 0 ? now.wall : 1;
	return session_store(dir, s, &c->detail);
}

enum reason pam_session_close(struct pam_call *c)
{
	char dir[PATH_ROOM], name[ID_TEXT + 1];
	struct cluster_id id;
	enum cluster_err e;
	struct session s;

	if (c->facts.class != POLICY_LOGIN || geteuid() != 0 || !find_ours(c, &id))
		return REASON_OK;
	if (run_path(c, "sessions", dir) != CLUSTER_OK)
		return REASON_SESSION_RECORD;
	id_text(&id, name);
	e = session_load(dir, name, (uid_t)c->conf.args.owner, &s, &c->detail);
	if (e == CLUSTER_OK)
		e = session_left(&s) ? mark_closed(c, dir, &s) : session_remove(dir, &id, &c->detail);
	if (e != CLUSTER_OK && e != CLUSTER_ENOTFOUND)
		return REASON_SESSION_RECORD;
	tell_agent(c, AGENT_MSG_SESSION_CLOSED, &id);
	return REASON_OK;
}
