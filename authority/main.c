/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cluster/crypto.h"
#include "cluster/document.h"
#include "cluster/log.h"
#include "cluster/wr.h"
#include "config.h"
#include "init.h"
#include "root_renew.h"
#include "rotate.h"
#include "serve.h"
#include "version.h"

enum { EXIT_USAGE = 64, EXIT_DATA = 65, EXIT_BUG = 70, EXIT_IO = 74, EXIT_LATER = 75, EXIT_REFUSED = 77, EXIT_CONFIG = 78 };

/* What the options say; NULL where they say nothing. */
struct options {
	const char *config, *dir, *name, *url, *root_key, *new_root_key, *rotate, *remove, *socket, *user;
	struct conf_list listen;
	bool check, dump;
};

static const char usage[] =
	"cluster-authorityd: issues credentials, revokes them, publishes the signed directory of a cluster\n"
	"\n"
	"  cluster-authorityd init --name NAME --url https://HOST:7443\n"
	"        makes keys and an empty store, and prints the cluster's pin\n"
	"  cluster-authorityd serve\n"
	"        serves nodes and people over TLS, administrators on the admin socket\n"
	"  cluster-authorityd keyset [--root-key FILE --rotate ROLE | --remove KID]\n"
	"        lists the keys of the daemon; makes a new one, or takes one out\n"
	"  cluster-authorityd root [--root-key FILE [--new-root-key FILE]]\n"
	"        says until when the root holds; signs the next one, for 13 months, with the same key or a new one in its place\n"
	"  cluster-authorityd --check | --dump\n"
	"        judges the configuration; prints the values in effect\n"
	"\n"
	"  --config FILE      (" CONFIG_FILE ")\n"
	"  --dir DIR          store and keys (" CONFIG_DIR ")\n"
	"  --listen ADDR:PORT where TLS is served (" CONFIG_LISTEN "); may be given again\n"
	"  --socket PATH      the admin socket (" CONFIG_SOCKET ")\n"
	"  --user USER        who serves; without it, the owner of DIR\n"
	"  --root-key FILE    init: where the root key goes (DIR/root.key); keyset, root: where it is\n"
	"  --foreground       accepted; the daemon never leaves the foreground and logs to stderr\n"
	"  --version, --help\n"
	"\n"
	"First steps, on the machine that shall be the authority:\n"
	"  cluster-authorityd init --name demo --url https://authority:7443\n"
	"  systemctl start cluster-authorityd\n"
	"  cluster-login user add alice; cluster-login user invite alice\n"
	"  cluster-login node token --role master\n";

static int exit_of(enum cluster_err e)
{
	switch (e) {
	case CLUSTER_OK:
		return 0;
	case CLUSTER_ETRUNC:
	case CLUSTER_EFORMAT:
	case CLUSTER_EVERSION:
	case CLUSTER_ENOTFOUND:
	case CLUSTER_ELIMIT:
		return EXIT_DATA;
	case CLUSTER_EDENIED:
	case CLUSTER_EREVOKED:
	case CLUSTER_ESIGNATURE:
	case CLUSTER_EEXPIRED:
	case CLUSTER_EEARLY:
	case CLUSTER_EUNTRUSTED:
		return EXIT_REFUSED;
	case CLUSTER_EUNAVAIL:
		return EXIT_LATER;
	case CLUSTER_ECONFIG:
		return EXIT_CONFIG;
	case CLUSTER_ESYSTEM:
		return EXIT_IO;
	case CLUSTER_ENOMEM:
	case CLUSTER_ECRYPTO:
		return EXIT_BUG;
	}
	return EXIT_BUG;
}

static int fail(enum cluster_err e, const struct diag *d)
{
	fprintf(stderr, "cluster-authorityd: %s\n", d->text[0] ? d->text : err_name(e));
	return exit_of(e);
}

static int misuse(const char *what)
{
	fprintf(stderr, "cluster-authorityd: %s\nTry 'cluster-authorityd --help'.\n", what);
	return EXIT_USAGE;
}

/* -1: go on; else the exit status. */
static int options_read(int argc, char **argv, struct options *o)
{
	enum { OPT_CONFIG = 256, OPT_DIR, OPT_NAME, OPT_URL, OPT_ROOT_KEY, OPT_NEW_ROOT_KEY, OPT_ROTATE, OPT_REMOVE, OPT_SOCKET, OPT_USER, OPT_LISTEN, OPT_CHECK, OPT_DUMP, OPT_FOREGROUND, OPT_VERSION };
	static const struct option table[] = {
		{ "config", required_argument, NULL, OPT_CONFIG }, { "dir", required_argument, NULL, OPT_DIR }, { "name", required_argument, NULL, OPT_NAME },
		{ "url", required_argument, NULL, OPT_URL }, { "root-key", required_argument, NULL, OPT_ROOT_KEY }, { "rotate", required_argument, NULL, OPT_ROTATE },
		{ "new-root-key", required_argument, NULL, OPT_NEW_ROOT_KEY },
		{ "remove", required_argument, NULL, OPT_REMOVE }, { "socket", required_argument, NULL, OPT_SOCKET }, { "user", required_argument, NULL, OPT_USER },
		{ "listen", required_argument, NULL, OPT_LISTEN }, { "check", no_argument, NULL, OPT_CHECK }, { "dump", no_argument, NULL, OPT_DUMP },
		{ "foreground", no_argument, NULL, OPT_FOREGROUND }, { "version", no_argument, NULL, OPT_VERSION }, { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 },
	};
	const char **const texts[] = { &o->config, &o->dir, &o->name, &o->url, &o->root_key, &o->new_root_key, &o->rotate, &o->remove, &o->socket, &o->user };
	int c;

	while ((c = getopt_long(argc, argv, "h", table, NULL)) != -1) {
		if (c >= OPT_CONFIG && c <= OPT_USER) {
			*texts[c - OPT_CONFIG] = optarg;
		} else if (c == OPT_LISTEN) {
			if (o->listen.n == CONF_LIST_MAX || !config_listen_ok(optarg) || strlen(optarg) >= sizeof o->listen.item[0])
				return misuse("--listen takes ADDR:PORT, with a numeric address");
			memcpy(o->listen.item[o->listen.n++], optarg, strlen(optarg) + 1);
		} else if (c == OPT_CHECK || c == OPT_DUMP) {
			*(c == OPT_CHECK ? &o->check : &o->dump) = true;
		} else if (c == OPT_VERSION) {
			printf("cluster-authorityd %s\n", VERSION_TEXT);
			return 0;
		} else if (c == 'h') {
			fputs(usage, stdout);
			return 0;
		} else if (c != OPT_FOREGROUND) {
			return misuse("unknown option, or one without its value");
		}
	}
	return optind < argc ? misuse("too many words") : -1;
}

static enum cluster_err set_text(char *dst, const char *value, const char *what, struct diag *d)
{
	if (value && strlen(value) >= CONF_STRING_SIZE)
		return diag_set(d, CLUSTER_ECONFIG, "%s is too long", what);
	if (value)
		memcpy(dst, value, strlen(value) + 1);
	return CLUSTER_OK;
}

/* The configuration file, then the command line over it. */
static enum cluster_err config_of(const struct options *o, struct config *conf, struct diag *d)
{
	const char *path = o->config ? o->config : CONFIG_FILE;
	struct stat st;
	enum cluster_err e;

	config_defaults(conf);
	if (o->config && stat(path, &st) != 0)
		return diag_errno(d, "%s", path); /* one that was named must be there */
	if ((e = config_load(path, conf, d)) != CLUSTER_OK || (e = set_text(conf->dir, o->dir, "--dir", d)) != CLUSTER_OK ||
	    (e = set_text(conf->socket, o->socket, "--socket", d)) != CLUSTER_OK || (e = set_text(conf->user, o->user, "--user", d)) != CLUSTER_OK)
		return e;
	if (o->listen.n)
		conf->listen = o->listen;
	return config_check(conf, d);
}

static int dump(const struct config *conf)
{
	struct wr w;
	int status = EXIT_BUG;

	wr_grow(&w, 65536);
	config_dump(conf, &w);
	if (wr_end(&w) == CLUSTER_OK && fwrite(w.p, 1, w.n, stdout) == w.n && fflush(stdout) == 0)
		status = 0;
	wr_done(&w);
	return status;
}

static int run_serve(const struct options *o)
{
	struct diag d = { 0 };
	struct config conf;
	enum cluster_err e;

	if (o->name || o->url || o->root_key || o->new_root_key || o->rotate || o->remove)
		return misuse("--name, --url, --root-key, --new-root-key, --rotate and --remove do not belong to serve");
	if ((e = config_of(o, &conf, &d)) != CLUSTER_OK)
		return fail(e, &d);
	if (o->dump)
		return dump(&conf);
	if (o->check) {
		fputs("cluster-authorityd: the configuration is good\n", stderr);
		return 0;
	}
	log_open("cluster-authorityd", 1, LOG_LEVEL_INFO);
	return (e = serve_run(&conf, &d)) == CLUSTER_OK ? 0 : fail(e, &d);
}

static int run_init(const struct options *o)
{
	struct init in = { .name = o->name, .url = o->url, .root_key = o->root_key, .user = o->user };
	char id[ID_TEXT + 1], pin[DOCUMENT_PIN_TEXT + 1];
	struct init_made made;
	struct diag d = { 0 };
	struct config conf;
	enum cluster_err e;

	if (!o->name || !o->url)
		return misuse("init needs --name and --url");
	if (!config_url_ok(o->url) || strlen(o->url) >= CONF_STRING_SIZE)
		return misuse("--url takes https://HOST or https://HOST:PORT");
	if ((e = config_of(o, &conf, &d)) != CLUSTER_OK)
		return fail(e, &d);
	in.conf = &conf;
	if ((e = init_run(&in, &made, &d)) != CLUSTER_OK)
		return fail(e, &d);
	id_text(&made.cluster, id);
	document_pin_text(made.pin, pin);
	printf("cluster %s\npin %s\n", id, pin);
	fprintf(stderr,
	    "Cluster \"%s\" is made in %s.\n"
	    "The root key is %s: take it off this machine and keep it safe.\n"
	    "It is needed only to change the daemon's keys. Nodes and people trust this cluster by the pin above.\n",
	    o->name, conf.dir, made.root_key);
	return fflush(stdout) == 0 ? 0 : EXIT_IO;
}

static int run_keyset(const struct options *o)
{
	struct rotate r = { .root_key = o->root_key, .role = o->rotate, .remove = o->remove };
	struct diag d = { 0 };
	struct config conf;
	enum cluster_err e;
	int64_t version = 0;

	if (o->rotate && o->remove)
		return misuse("either --rotate or --remove: an old key goes when the new one is everywhere");
	if ((o->rotate || o->remove) && !o->root_key)
		return misuse("a change of the keyset needs --root-key FILE");
	if ((e = config_of(o, &conf, &d)) != CLUSTER_OK)
		return fail(e, &d);
	r.conf = &conf;
	if (!o->rotate && !o->remove)
		return (e = rotate_list(&conf, &d)) == CLUSTER_OK ? 0 : fail(e, &d);
	if ((e = rotate_run(&r, &version, &d)) != CLUSTER_OK)
		return fail(e, &d);
	printf("keyset %lld\n", (long long)version);
	return fflush(stdout) == 0 ? 0 : EXIT_IO;
}

static int run_root(const struct options *o)
{
	struct root_renew r = { .root_key = o->root_key, .new_key = o->new_root_key };
	struct diag d = { 0 };
	struct config conf;
	int64_t version = 0;
	enum cluster_err e;

	if (o->new_root_key && !o->root_key)
		return misuse("a new root key is signed by the old one: --root-key FILE");
	if ((e = config_of(o, &conf, &d)) != CLUSTER_OK)
		return fail(e, &d);
	r.conf = &conf;
	if (!o->root_key)
		return (e = root_list(&conf, &d)) == CLUSTER_OK ? 0 : fail(e, &d);
	if ((e = root_renew_run(&r, &version, &d)) != CLUSTER_OK)
		return fail(e, &d);
	printf("root %lld\n", (long long)version);
	if (o->new_root_key)
		fprintf(stderr, "The root key is %s: take it off this machine and keep it safe. The old one is of no use any more.\n", o->new_root_key);
	return fflush(stdout) == 0 ? 0 : EXIT_IO;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(const struct options *o);
	} commands[] = { { "init", run_init }, { "serve", run_serve }, { "keyset", run_keyset }, { "root", run_root } };
	struct options o = { .config = NULL };
	int (*run)(const struct options *) = NULL;
	int status;

	umask(077);
	if (crypto_start() != CLUSTER_OK) {
		fputs("cluster-authorityd: libcrypto cannot be used\n", stderr);
		return EXIT_BUG;
	}
	for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof *commands; i++) {
		if (strcmp(argv[1], commands[i].name) == 0)
			run = commands[i].run;
	}
	if (!run && argc > 1 && argv[1][0] != '-')
		return misuse("there is no such command: init, serve, keyset or root");
	if ((status = options_read(argc - (run != NULL), argv + (run != NULL), &o)) >= 0)
		return status;
	if (!run && !o.check && !o.dump)
		return misuse("what? init, serve, keyset or root");
	return run ? run(&o) : run_serve(&o);
}
