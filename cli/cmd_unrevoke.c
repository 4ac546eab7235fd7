/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "admin.h"
#include "cluster/json.h"
#include "cluster/num.h"
#include "cmd.h"
#include "out.h"
#include "revoking.h"

struct words {
	struct admin_words admin;
};

static const struct command_option options[] = { ADMIN_OPTIONS(struct words) };

/* The body of revoke/remove; NULL after an error was said and *ret_status set. */
static struct json *read_operands(const char *name, const struct command_operands *rest, int *ret_status)
{
	enum revoke_kind kind = REVOKE_PERSON;
	const char *value = "";
	char room[REVOKING_VALUE];
	bool alone;
	struct diag d;
	uint64_t seq;

	diag_clear(&d);
	*ret_status = EXIT_BUG;
	if (rest->n == 1 && num_u64(rest->v[0], 1, INT64_MAX, &seq) == CLUSTER_OK)
		return json_make("{s:I}", "seq", (long long)seq);
	if (revoking_kind(rest->v[0], &kind) != CLUSTER_OK) {
		*ret_status = command_usage_error(name, "\"%s\": a number of cluster-login revoke --list, or what and which", rest->v[0]);
		return NULL;
	}
	alone = kind == REVOKE_LOCKDOWN || kind == REVOKE_BEFORE;
	if ((rest->n == 1) != alone) {
		*ret_status = command_usage_error(name, alone ? "%s needs no more words" : "%s: which?", rest->v[0]);
		return NULL;
	}
	if (!alone && revoking_value(kind, rest->v[1], room, &value, &d) != CLUSTER_OK) {
		*ret_status = out_failed(&d, NULL);
		return NULL;
	}
	return json_make("{s:s, s:s}", "kind", revoke_kind_name(kind), "value", value);
}

static int run(const struct command *self, int argc, char **argv)
{
	struct words w = { .admin = { .json = false } };
	struct command_operands rest;
	struct json *body, *answer;
	int status;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	if ((body = read_operands(argv[0], &rest, &status)) == NULL)
		return status;
	if ((answer = admin_once(&w.admin, "revoke/remove", body, &status)) == NULL)
		return status;
	if (w.admin.json)
		return out_json(answer);
	out_note("%zu taken back, from head %lld on. Sessions that were ended stay ended.", json_count(json_member(answer, "removed")), (long long)json_member_int(answer, "version", 0));
	if (json_member_text(answer, "note") != NULL)
		out_note("But %s.", json_member_text(answer, "note"));
	json_free(answer);
	return EXIT_DONE;
}

const struct command cmd_unrevoke = {
	.run = run,
	.usage = "NUMBER | WHAT WHICH",
	.example = "  cluster-login revoke --list\n  cluster-login unrevoke 17\n  cluster-login unrevoke person alice\n  cluster-login unrevoke lockdown\n"
		   "\nBy what and which, all revocations of it go. Sessions that were ended stay ended; a credential that has expired, a device or a person that was\n"
		   "removed does not come back by this.\n",
	COMMAND_OPTIONS(options),
	.least = 1,
	.most = 2,
};
