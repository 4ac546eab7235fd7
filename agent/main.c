/* SPDX-License-Identifier: Apache-2.0 */
#include "agent.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cluster/local.h"
#include "cluster/log.h"
#include "cluster/wr.h"

#include "private_key.h"

#define PROGRAM "cluster-agentd"
#define EXIT_USAGE 64
#define EXIT_IO 74
#define EXIT_CONFIG 78

static const char usage[] =
    "usage: cluster-agentd [--config FILE] [--foreground] [--once]\n"
    "       cluster-agentd --check | --dump | --version | --help\n"
    "\n"
    "Fetches what this node believes from the cluster's authority, verifies it from the pin, puts it in place for pam_cluster and\n"
    "libnss_cluster, and ends the sessions of people who are revoked. The node has to be joined first: cluster-login join.\n"
    "\n"
    "  --config FILE   configuration (" NODE_CONF_PATH ")\n"
    "  --foreground    log to standard error instead of syslog\n"
    "  --once          fetch, verify, put in place, exit: 0 when this node has the newest set, 69 when no authority could be reached\n"
    "  --check         judge the configuration and the marker of enrolment, exit 0 or 78\n"
    "  --dump          print the effective configuration\n"
    "  --version       print the version\n"
    "  --help          print this\n";

enum { OPT_CONFIG = 1, OPT_FOREGROUND, OPT_ONCE, OPT_CHECK, OPT_DUMP, OPT_VERSION, OPT_HELP };

struct options {
	const char *config;
	int mode; /* 0: run */
	bool foreground, once;
};

static const struct option long_options[] = {
	{ "config", required_argument, NULL, OPT_CONFIG }, { "foreground", no_argument, NULL, OPT_FOREGROUND }, { "once", no_argument, NULL, OPT_ONCE },
	{ "check", no_argument, NULL, OPT_CHECK }, { "dump", no_argument, NULL, OPT_DUMP }, { "version", no_argument, NULL, OPT_VERSION },
	{ "help", no_argument, NULL, OPT_HELP }, { NULL, 0, NULL, 0 },
};

static bool read_options(int argc, char **argv, struct options *o)
{
	int c;

	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (c) {
		case OPT_CONFIG:
			o->config = optarg;
			break;
		case OPT_FOREGROUND:
			o->foreground = true;
			break;
		case OPT_ONCE:
			o->once = true;
			break;
		case OPT_CHECK:
		case OPT_DUMP:
		case OPT_VERSION:
		case OPT_HELP:
			o->mode = c;
			break;
		default:
			return false;
		}
	}
	if (optind < argc)
		fprintf(stderr, PROGRAM ": \"%s\" is not an option\n", argv[optind]);
	return optind == argc;
}

static int print(const char *text)
{
	return fputs(text, stdout) == EOF || fflush(stdout) != 0 ? EXIT_IO : 0;
}

static int dump(const struct node_conf *c)
{
	int status = 70;
	struct wr w;

	wr_grow(&w, CONF_FILE_MAX);
	conf_dump(node_conf_keys, node_conf_n_keys, c, &w);
	wr_terminate(&w);
	if (wr_end(&w) == CLUSTER_OK)
		status = print((const char *)w.p);
	wr_done(&w);
	return status;
}

/* A user of the machine itself, whatever NSS says, and nobody's but that program's. */
static uid_t gate_of(const struct agent *a)
{
	uid_t uid;

	return local_find(a->conf.passwd, NODE_CONF_PRINCIPALS_USER, &uid) == LOCAL_YES && uid != 0 && !(a->user.drop && uid == a->user.uid) ? uid : a->owner;
}

/* The marker, the authority, the users of the helpers and of sshd's command. */
static enum cluster_err read_agent(struct agent *a, struct diag *d)
{
	enum cluster_err e;

	e = enrolled_read(a->conf.state, a->owner, &a->enrolled, d);
	if (e == CLUSTER_ENOTFOUND)
		return diag_set(d, CLUSTER_ECONFIG, "this node has not joined a cluster (there is no %s/%s): run cluster-login join", a->conf.state, ENROLLED_FILE);
	if (e != CLUSTER_OK)
		return e;
	a->authority = a->conf.authority.n > 0 ? a->conf.authority : a->enrolled.authority;
	a->relay = a->conf.relay.n > 0 ? a->conf.relay : a->enrolled.relay;
	if (a->conf.id_min > a->conf.id_max)
		return diag_set(d, CLUSTER_ECONFIG, "id_min is larger than id_max");
	if (a->owner == 0 && (e = sandbox_user_find(a->conf.user, &a->user, d)) != CLUSTER_OK)
		return e;
	a->gate = gate_of(a);
	return CLUSTER_OK;
}

static int check(const struct agent *a)
{
	char cluster[ID_TEXT + 1], line[400];
	struct crypto_key *key = NULL;
	struct diag d;

	diag_clear(&d);
	if (a->conf.hop && (crypto_start() != CLUSTER_OK || private_key_load(a, PRIVATE_KEY_HOP, &key, &d) != CLUSTER_OK)) {
		log_line(LOG_LEVEL_ERROR, "this node cannot vouch for hops (hop = yes): %s", d.text);
		return EXIT_CONFIG;
	}
	crypto_key_free(key);
	id_text(&a->enrolled.cluster, cluster);
	snprintf(line, sizeof line, "configuration and enrolment hold: node %s of cluster %s, authority %s%s%s\n", a->enrolled.name, cluster, a->authority.item[0],
	    a->authority.n > 1 ? " and others" : "", a->conf.hop ? "; sessions here may go on to other nodes" : "");
	return print(line);
}

/* Many sessions with many processes may end at a time, each held by a descriptor. */
static void raise_limits(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur < r.rlim_max) {
		r.rlim_cur = r.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &r) != 0)
			log_line(LOG_LEVEL_DEBUG, "setrlimit: %s", strerror(errno));
	}
}

int main(int argc, char **argv)
{
	struct options o = { .config = NODE_CONF_PATH };
	static struct agent a;
	struct diag d;

	if (!read_options(argc, argv, &o)) {
		fputs("try: cluster-agentd --help\n", stderr);
		return EXIT_USAGE;
	}
	if (o.mode == OPT_HELP)
		return print(usage);
	if (o.mode == OPT_VERSION)
		return print(PROGRAM " " AGENT_VERSION "\n");
	diag_clear(&d);
	a.owner = geteuid();
	a.once = o.once;
	if (node_conf_load(o.config, a.owner, &a.conf, &d) != CLUSTER_OK) {
		fprintf(stderr, PROGRAM ": %s\n", d.text);
		return EXIT_CONFIG;
	}
	if (o.mode == OPT_DUMP)
		return dump(&a.conf);
	log_open(PROGRAM, o.foreground || o.once || o.mode != 0, (enum log_level)(a.conf.log_level + LOG_LEVEL_ERROR));
	if (read_agent(&a, &d) != CLUSTER_OK) {
		log_line(LOG_LEVEL_ERROR, "%s", d.text);
		return EXIT_CONFIG;
	}
	if (o.mode == OPT_CHECK)
		return check(&a);
	umask(022);
	if (chdir("/") != 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR || signal(SIGHUP, SIG_IGN) == SIG_ERR) {
		log_line(LOG_LEVEL_ERROR, "cannot start: %s", strerror(errno));
		return 70;
	}
	raise_limits();
	return supervise(&a);
}
