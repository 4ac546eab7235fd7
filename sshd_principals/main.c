/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cluster/agent_msg.h"
#include "cluster/file.h"
#include "cluster/log.h"
#include "cluster/num.h"
#include "cluster/refusal.h"

#include "principals.h"

#define PROGRAM "cluster-login-principals"
#define VERSION "1.0"
#define EXIT_NO 1
#define EXIT_USAGE 64
#define EXIT_IO 74

static const char usage[] =
    "usage: cluster-login-principals [--config FILE] [--passwd FILE] [--owner UID] [--stderr] USER TYPE CERTIFICATE\n"
    "       cluster-login-principals --version | --help\n"
    "\n"
    "sshd's AuthorizedPrincipalsCommand, called with %u %t %k: prints the one principal by which the certificate may open the account on this\n"
    "node, or nothing. Proves nothing, changes nothing.\n"
    "\n"
    "  --config FILE   configuration (" NODE_CONF_PATH ")\n"
    "  --passwd FILE   the file of local accounts (/etc/passwd)\n"
    "  --owner UID     whom configuration and snapshots must belong to (0)\n"
    "  --stderr        log to standard error instead of syslog\n"
    "  --version       print the version\n"
    "  --help          print this\n";

enum { OPT_CONFIG = 1, OPT_PASSWD, OPT_OWNER, OPT_STDERR, OPT_VERSION, OPT_HELP };

struct options {
	const char *config, *passwd;
	uint32_t owner;
	int mode; /* 0: decide */
	bool to_stderr;
};

static const struct option long_options[] = {
	{ "config", required_argument, NULL, OPT_CONFIG }, { "passwd", required_argument, NULL, OPT_PASSWD }, { "owner", required_argument, NULL, OPT_OWNER },
	{ "stderr", no_argument, NULL, OPT_STDERR }, { "version", no_argument, NULL, OPT_VERSION }, { "help", no_argument, NULL, OPT_HELP }, { NULL, 0, NULL, 0 },
};

static bool read_options(int argc, char **argv, struct options *o)
{
	int c;

	while ((c = getopt_long(argc, argv, "+", long_options, NULL)) != -1) {
		switch (c) {
		case OPT_CONFIG:
			o->config = optarg;
			break;
		case OPT_PASSWD:
			o->passwd = optarg;
			break;
		case OPT_OWNER:
			if (num_u32(optarg, 0, INT_MAX, &o->owner) != CLUSTER_OK)
				return false;
			break;
		case OPT_STDERR:
			o->to_stderr = true;
			break;
		case OPT_VERSION:
		case OPT_HELP:
			o->mode = c;
			break;
		default:
			return false;
		}
	}
	return o->mode != 0 || argc - optind == 3;
}

static int print(const char *text)
{
	return file_write_all(STDOUT_FILENO, text, strlen(text)) == CLUSTER_OK ? 0 : EXIT_IO;
}

/* One word of foreign text: nothing in it can end the word. */
static const char *word(const char *src, char dst[SSHCERT_KEY_ID_MAX + 1])
{
	size_t n = 0;

	for (; src[n] && n < SSHCERT_KEY_ID_MAX; n++)
		dst[n] = src[n] > ' ' && src[n] <= '~' && src[n] != '"' && src[n] != '=' ? src[n] : '_';
	dst[n] = '\0';
	return n ? dst : "-";
}

struct refusal_facts {
	const char *id, *account, *shown, *detail;
	enum reason reason;
};

/* So that `explain` finds it by the id in the log. Best effort: the line says the same. Person and jti stay out, since nothing is proved here. */
static void tell(const char *run, const struct refusal_facts *f)
{
	struct agent_msg_request m = { .type = AGENT_MSG_REFUSED };
	struct refusal *x = &m.refusal;
	int64_t now = (int64_t)time(NULL);
	char path[PATH_MAX];

	x->time = now < 0 ? 0 : now > MOMENT_MAX ? MOMENT_MAX : now;
	refusal_copy(x->id, sizeof x->id, f->id);
	refusal_copy(x->stage, sizeof x->stage, "principals");
	refusal_copy(x->reason, sizeof x->reason, reason_word(f->reason));
	refusal_copy(x->account, sizeof x->account, f->account);
	refusal_copy(x->service, sizeof x->service, "sshd");
	refusal_copy(x->facts, sizeof x->facts, f->shown[0] ? f->shown + 1 : "");
	refusal_copy(x->detail, sizeof x->detail, f->detail);
	if (file_join(path, sizeof path, run, "agent.sock") != CLUSTER_OK || !refusal_ok(x) || agent_msg_call(path, &m, 0, NULL) != CLUSTER_OK)
		return;
}

/* `run` NULL: where the agent is is not known. */
static int refuse(const char *account, const struct principals_answer *a, enum reason r, const char *run)
{
	const struct sshcert_facts *f = &a->certificate.facts;
	char name[SSHCERT_KEY_ID_MAX + 1], key_id[SSHCERT_KEY_ID_MAX + 1], facts[300] = "", via[NAME_NODE_MAX + 6] = "";
	char id[REFUSAL_ID_NEW + 1], shown[sizeof facts + sizeof via];

	if (a->certificate.has_facts)
		(void)snprintf(facts, sizeof facts, " serial=%" PRIu64 " key_id=%s ca=%s", f->serial, word(f->key_id, key_id), f->ca);
	if (a->certificate.is_hop)
		(void)snprintf(via, sizeof via, " via=%s", a->certificate.source);
	refusal_id_new(id);
	log_line(LOG_LEVEL_NOTICE, "event=principals result=refused reason=%s account=%s%s%s id=%s detail=\"%s\"", reason_word(r), word(account, name), via, facts, id,
	    a->detail.text[0] ? a->detail.text : reason_text(r));
	if (run) {
		(void)snprintf(shown, sizeof shown, "%s%s", via, facts);
		tell(run, &(struct refusal_facts){ .id = id, .reason = r, .account = account, .shown = shown, .detail = a->detail.text });
	}
	return EXIT_NO;
}

static int decide(const struct options *o, char **argv)
{
	static struct principals_answer answer;
	static struct node_conf conf;
	const struct principals_query q = { .account = argv[0], .type = argv[1], .certificate = argv[2], .passwd = o->passwd, .conf = &conf, .owner = o->owner };
	enum reason r = REASON_CONFIG;
	const char *run = NULL;
	size_t n;

	if (node_conf_load(o->config, o->owner, &conf, &answer.detail) == CLUSTER_OK) {
		r = principals_decide(&q, &answer);
		run = conf.run;
	}
	if (r != REASON_OK)
		return refuse(q.account, &answer, r, run);
	n = strlen(answer.principal);
	answer.principal[n] = '\n'; /* in the place of its NUL: one write, all or nothing */
	return file_write_all(STDOUT_FILENO, answer.principal, n + 1) == CLUSTER_OK ? 0 : EXIT_IO;
}

int main(int argc, char **argv)
{
	struct options o = { .config = NODE_CONF_PATH, .passwd = "/etc/passwd" };

	if (clearenv() != 0)
		return EXIT_NO;
	if (!read_options(argc, argv, &o)) {
		fputs("try: " PROGRAM " --help\n", stderr);
		return EXIT_USAGE;
	}
	if (o.mode == OPT_HELP)
		return print(usage);
	if (o.mode == OPT_VERSION)
		return print(PROGRAM " " VERSION "\n");
	log_open(PROGRAM, o.to_stderr, LOG_LEVEL_NOTICE);
	return decide(&o, argv + optind);
}
