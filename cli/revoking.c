/* SPDX-License-Identifier: Apache-2.0 */
#include "revoking.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cluster/json.h"
#include "cluster/sshcert.h"
#include "cluster/sshsig.h"
#include "cluster/wr.h"
#include "cmd.h"
#include "out.h"
#include "table.h"

#define WAIT_CALL_MAX 60 /* seconds that the authority waits in one call */
#define WORD_MAX 32

/* ---- words ---- */

enum cluster_err revoking_kind(const char *word, enum revoke_kind *ret)
{
	char kind[WORD_MAX + 1] = "";
	size_t i;

	for (i = 0; i < WORD_MAX && word[i] != '\0'; i++)
		kind[i] = word[i] == '-' ? '_' : word[i];
	return revoke_kind_parse(kind, ret);
}

static bool of_certificate(enum revoke_kind kind)
{
	return kind == REVOKE_CERT_SERIAL || kind == REVOKE_CERT_ID || kind == REVOKE_CERT_KEY || kind == REVOKE_CERT_CA;
}

/* The first line of a small file. */
static enum cluster_err read_line(const char *path, char *dst, size_t size, struct diag *d)
{
	FILE *f = fopen(path, "re");
	enum cluster_err e = CLUSTER_OK;

	if (f == NULL)
		return diag_errno(d, "%s", path);
	if (fgets(dst, (int)size, f) == NULL)
		e = diag_set(d, CLUSTER_EFORMAT, "%s is empty", path);
	(void)fclose(f);
	dst[strcspn(dst, "\r\n")] = '\0';
	return e;
}

static enum cluster_err of_cert(enum revoke_kind kind, const char *line, char dst[REVOKING_VALUE], struct diag *d)
{
	uint8_t *room = malloc(SSHCERT_BLOB_MAX);
	struct sshcert_facts facts;
	struct sshcert cert;
	enum cluster_err e;

	if (room == NULL)
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	if ((e = sshcert_parse_text(line, strlen(line), room, &cert, d)) != CLUSTER_OK)
		goto out;
	if ((e = sshcert_facts(&cert, &facts)) != CLUSTER_OK)
		diag_set(d, e, "the certificate's key id is none of ours");
	else if (kind == REVOKE_CERT_SERIAL)
		(void)snprintf(dst, REVOKING_VALUE, "%" PRIu64, facts.serial);
	else
		(void)snprintf(dst, REVOKING_VALUE, "%s", kind == REVOKE_CERT_ID ? facts.key_id : kind == REVOKE_CERT_KEY ? facts.key : facts.ca);
out:
	free(room);
	return e;
}

static enum cluster_err of_key(const char *line, char dst[REVOKING_VALUE], struct diag *d)
{
	uint8_t blob[SSHSIG_BLOB_MAX];
	char fingerprint[SSHCERT_FINGERPRINT + 1];
	enum cluster_err e;
	size_t n;

	if ((e = sshsig_key_parse(line, blob, &n, d)) != CLUSTER_OK)
		return e;
	if ((e = sshsig_fingerprint(blob, n, fingerprint)) != CLUSTER_OK)
		return diag_set(d, e, "no fingerprint: %s", err_name(e));
	(void)snprintf(dst, REVOKING_VALUE, "%s", fingerprint);
	return CLUSTER_OK;
}

enum cluster_err revoking_value(enum revoke_kind kind, const char *word, char dst[REVOKING_VALUE], const char **ret, struct diag *d)
{
	char line[SSHCERT_TEXT_MAX + 1];
	enum cluster_err e;

	if (!of_certificate(kind) || (kind != REVOKE_CERT_ID && revoke_value_check(kind, word, NULL) == CLUSTER_OK) || access(word, F_OK) != 0) {
		*ret = word;
		return CLUSTER_OK;
	}
	if ((e = read_line(word, line, sizeof line, d)) != CLUSTER_OK)
		return e;
	if (strstr(line, "-cert-v01@openssh.com ") != NULL)
		e = of_cert(kind, line, dst, d);
	else if (kind == REVOKE_CERT_KEY || kind == REVOKE_CERT_CA)
		e = of_key(line, dst, d);
	else
		e = diag_set(d, CLUSTER_EFORMAT, "it is not a certificate");
	if (e != CLUSTER_OK) {
		(void)diag_prefix(d, "%s", word);
		return e;
	}
	*ret = dst;
	return CLUSTER_OK;
}

enum cluster_err revoking_except(struct admin *a, const struct command_list *list, char dst[REVOKE_LOCKDOWN_MAX + 1], struct diag *d)
{
	struct json *answer = NULL;
	const struct json *people;
	enum cluster_err e;
	struct wr w;
	size_t i, k;

	dst[0] = '\0';
	if (list->n == 0)
		return CLUSTER_OK;
	if ((e = admin_call(a, "person/list", json_map(), &answer, d)) != CLUSTER_OK)
		return e;
	people = json_member(answer, "people");
	wr_init(&w, dst, REVOKE_LOCKDOWN_MAX);
	for (i = 0; i < list->n && e == CLUSTER_OK; i++) {
		for (k = 0; k < json_count(people); k++) {
			const struct json *p = json_at(people, k);

			if (strcmp(admin_text(p, "name"), list->item[i]) == 0 || strcmp(admin_text(p, "id"), list->item[i]) == 0)
				break;
		}
		if (k == json_count(people))
			e = diag_set(d, CLUSTER_ENOTFOUND, "there is no person \"%s\"", list->item[i]);
		else
			wr_printf(&w, "%s%s", i > 0 ? " " : "", admin_text(json_at(people, k), "id"));
	}
	if (e == CLUSTER_OK && (e = wr_end(&w)) != CLUSTER_OK)
		diag_set(d, e, "--except: too many people");
	dst[w.n] = '\0';
	json_free(answer);
	return e;
}

struct json *revoking_body(const struct revoking *r)
{
	return admin_with_number(json_make("{s:s, s:s, s:s*}", "kind", revoke_kind_name(r->kind), "value", r->value, "reason", r->reason), "before", (uint64_t)r->before);
}

/* ---- waiting ---- */

/* Is there nobody left to wait for: has every node proved it, or is it out of reach? */
static bool settled(const struct json *answer)
{
	const struct json *nodes = json_member(answer, "nodes");
	size_t i;

	for (i = 0; i < json_count(nodes); i++) {
		const struct json *n = json_at(nodes, i);

		if (!json_member_bool(n, "ok", false) && json_member_bool(n, "reachable", true))
			return false;
	}
	return true;
}

/* The caller frees *ret. */
static enum cluster_err wait_for(struct admin *a, int64_t version, uint64_t seconds, struct json **ret, struct diag *d)
{
	int64_t end = (int64_t)time(NULL) + (int64_t)seconds, left = (int64_t)seconds;
	struct json *answer = NULL;
	enum cluster_err e;

	do {
		long long ms = (left > WAIT_CALL_MAX ? WAIT_CALL_MAX : left) * 1000;

		json_free(answer);
		answer = NULL;
		if ((e = admin_call_wait(a, "wait", json_make("{s:I, s:I}", "version", (long long)version, "timeout_ms", ms), (int)ms + 10000, &answer, d)) != CLUSTER_OK)
			return e;
		left = end - time(NULL);
	} while (!settled(answer) && left > 0);
	*ret = answer;
	return CLUSTER_OK;
}

static void print_node(struct table *t, const struct json *n)
{
	bool ok = json_member_bool(n, "ok", false), reachable = json_member_bool(n, "reachable", true);
	long long ms = json_member_int(n, "ms", -1);

	table_cell(t, "%s", admin_text(n, "name"));
	table_cell(t, "%s", ok ? "yes" : reachable ? "no" : "silent");
	table_cell(t, "%lld", (long long)json_member_int(n, "applied", 0));
	if (ok && ms >= 0)
		table_cell(t, "%lld", ms);
	else
		table_cell(t, "%s", "-");
	if (ok)
		table_cell(t, "%lld", (long long)json_member_int(n, "ended", 0));
	else
		table_cell(t, "%s", "-");
	table_cell(t, "%s%s", ok || reachable ? "" : "since ", admin_time(json_member_int(n, "seen", 0)));
}

/* What the nodes said, and whether all of them have proved it. */
static int print_wait(const struct json *waited, long long seq)
{
	static const char *const columns[] = { "NODE", "PROVED", ">VERSION", ">MS", ">SESSIONS ENDED", "LAST SEEN", NULL };
	const struct json *nodes = json_member(waited, "nodes");
	struct table *t = table_new(columns);
	size_t i, missing = 0;
	int status;

	for (i = 0; i < json_count(nodes); i++) {
		print_node(t, json_at(nodes, i));
		missing += !json_member_bool(json_at(nodes, i), "ok", false);
	}
	if ((status = table_end(t)) != EXIT_DONE)
		return status;
	if (missing == 0) {
		out_note("Revoked: number %lld. All %zu nodes have proved head %lld.", seq, json_count(nodes), (long long)json_member_int(waited, "version", 0));
		return EXIT_DONE;
	}
	out_error("%zu of %zu nodes have not proved it; a node that does not hear of it lets nobody in once its head is older than max_stale", missing, json_count(nodes));
	out_try("cluster-login node list");
	return EXIT_NO;
}

static int report(const struct json *answer, struct json *waited, bool json)
{
	long long seq = json_member_int(answer, "seq", 0), version = json_member_int(answer, "version", 0);
	bool already = json_member_bool(answer, "already", false);
	int status;

	if (json) {
		status = out_json(json_make("{s:b, s:I, s:I, s:O*}", "already", already, "seq", seq, "version", version, "wait", waited));
		return status == EXIT_DONE && waited != NULL && !json_member_bool(waited, "done", false) ? EXIT_NO : status;
	}
	if (already)
		out_note("That was revoked already.");
	if (waited != NULL)
		return print_wait(waited, seq);
	out_note("Revoked: number %lld, in force from head %lld on. To know that every node has it: --wait", seq, version);
	return EXIT_DONE;
}

int revoking_run(struct admin *a, const struct revoking *r, const struct revoking_how *how)
{
	struct json *answer = NULL, *waited = NULL;
	enum cluster_err e;
	struct diag d;
	int status;

	diag_clear(&d);
	if ((e = admin_call(a, "revoke/add", revoking_body(r), &answer, &d)) != CLUSTER_OK)
		goto out;
	if (how->wait && (e = wait_for(a, json_member_int(answer, "version", 0), how->seconds, &waited, &d)) != CLUSTER_OK)
		out_note("The revocation is made (number %lld); only waiting for the nodes failed.", (long long)json_member_int(answer, "seq", 0));
out:
	status = e == CLUSTER_OK ? report(answer, waited, how->json) : out_failed(&d, NULL);
	json_free(waited);
	json_free(answer);
	return status;
}

/* ---- sessions ---- */

/* A hop behind which nobody stands. */
static bool of_machine(const struct json *session)
{
	const struct json *hop = json_member(session, "hop");

	return hop != NULL && json_member_int(hop, "n", 0) == 0;
}

int revoking_sessions(const struct json *list)
{
	static const char *const columns[] = { "PERSON", "ACCOUNT", "NODE", "BY", "TTY", "FROM", "OPENED", "CREDENTIAL UNTIL", "SESSION", NULL };
	struct table *t = table_new(columns);
	size_t i;

	for (i = 0; i < json_count(list); i++) {
		const struct json *s = json_at(list, i);
		const char *name = admin_text(s, "person_name");

		table_cell(t, "%s", name[0] != '\0' ? name : of_machine(s) ? "-" : admin_text(s, "person"));
		table_cell(t, "%s", admin_text(s, "account"));
		table_cell(t, "%s", admin_text(s, "node"));
		table_cell(t, "%s%s%s", admin_text(s, "kind"), json_member(s, "via") != NULL ? " via " : "", json_member(s, "via") != NULL ? admin_text(s, "via") : "");
		table_cell(t, "%s", json_member_bool(s, "closed", false) ? "logged out" : admin_text(s, "tty"));
		table_cell(t, "%s", admin_text(s, "rhost"));
		table_cell(t, "%s", admin_time(json_member_int(s, "opened", 0)));
		table_cell(t, "%s%s", admin_time(json_member_int(s, "exp", 0)), json_member_bool(s, "end_at_expiry", false) ? ", then ends" : "");
		table_cell(t, "%s", admin_text(s, "id"));
	}
	return table_end(t);
}
