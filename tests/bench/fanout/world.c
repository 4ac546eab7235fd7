/* SPDX-License-Identifier: Apache-2.0 */
#include "sim.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ftw.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "authority.h"
#include "change.h"
#include "cluster/api.h"
#include "cluster/http.h"
#include "cluster/json.h"
#include "cluster/request.h"

void sim_die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("fanout: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

double sim_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

void sim_pause(double ms)
{
	usleep((useconds_t)(ms * 1e3));
}

static int compare(const void *x, const void *y)
{
	double d = *(const double *)x - *(const double *)y;

	return (d > 0) - (d < 0);
}

double sim_quantile(double *v, size_t n, double q)
{
	size_t i = (size_t)(q * (double)n);

	qsort(v, n, sizeof *v, compare);
	return v[i < n ? i : n - 1];
}

double sim_median(double *v, size_t n)
{
	return sim_quantile(v, n, 0.5);
}

static int free_port(void)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t n = sizeof sa;

	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, n) != 0 || getsockname(fd, (struct sockaddr *)&sa, &n) != 0)
		sim_die("no port");
	close(fd);
	return ntohs(sa.sin_port);
}

static pid_t spawn(const struct sim_world *w, char *const argv[])
{
	char path[2 * SIM_PATH];
	pid_t pid;

	snprintf(path, sizeof path, "%s/cluster-authorityd", getenv("BUILD") ? getenv("BUILD") : "build/release");
	if ((pid = fork()) < 0)
		sim_die("fork: %s", strerror(errno));
	if (pid == 0) {
		char log[SIM_PATH + 8];

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		snprintf(log, sizeof log, "%s.log", w->dir);
		(void)!freopen(log, "a", stderr);
		(void)!freopen("/dev/null", "w", stdout);
		execv(path, argv);
		_exit(127);
	}
	return pid;
}

/* ---- the cluster ---- */

static char *host_key(const struct crypto_pub *pub)
{
	static const uint8_t prefix[] = "\0\0\0\013ssh-ed25519\0\0\0\040";
	uint8_t blob[sizeof prefix - 1 + 32];
	char text[100], *line = NULL;

	memcpy(blob, prefix, sizeof prefix - 1);
	memcpy(blob + sizeof prefix - 1, pub->bytes, 32);
	EVP_EncodeBlock((unsigned char *)text, blob, sizeof blob);
	if (asprintf(&line, "ssh-ed25519 %s", text) < 0)
		sim_die("out of memory");
	return line;
}

static void add_node(struct change *ch, struct sim_node *to, size_t i)
{
	char role[1][NAME_ROLE_MAX + 1] = { "core" }, address[1][46], id[ID_TEXT + 1], claim[60], *line;
	struct directory_node node = { .n_roles = 1, .roles = role, .n_addresses = 1, .addresses = address, .n_hostkeys = 1, .port = 22 };
	struct crypto_key *hop = NULL;

	if (crypto_key_new(CRYPTO_ED25519, &to->key) != CLUSTER_OK || crypto_key_new(CRYPTO_ED25519, &hop) != CLUSTER_OK || crypto_random(to->id.b, sizeof to->id.b) != CLUSTER_OK ||
	    crypto_key_pub(to->key, &node.key) != CLUSTER_OK || crypto_key_pub(hop, &node.hop) != CLUSTER_OK)
		sim_die("keys");
	node.id = to->id;
	snprintf(node.name, sizeof node.name, "core-%zu", i);
	snprintf(address[0], sizeof address[0], "127.%zu.%zu.%zu", 1 + ((i + 1) >> 16), (i + 1) >> 8 & 255, (i + 1) & 255); /* as sim_peer_open */
	snprintf(claim, sizeof claim, "address:%s", address[0]);
	line = host_key(&node.hop);
	node.hostkeys = &line;
	id_text(&node.id, id);
	if (store_add(ch->store, STORE_CLAIM, claim, id, strlen(id)) != CLUSTER_OK ||
	    store_add(ch->store, STORE_NODE_NAME, node.name, id, strlen(id)) != CLUSTER_OK || change_add(ch, DIRECTORY_NODES, id, directory_node_json(&node), NULL) != CLUSTER_OK)
		sim_die("a node cannot be added");
	free(line);
	crypto_key_free(hop);
}

/* Straight into the store, all in one change: joining one by one is not what is measured. */
static void populate(struct sim_world *w)
{
	struct authority *a = calloc(1, sizeof *a);
	struct change ch = { 0 };
	struct diag d = { 0 };

	if (!a || !(w->node = calloc(w->n, sizeof *w->node)))
		sim_die("out of memory");
	config_defaults(&a->conf);
	snprintf(a->conf.dir, sizeof a->conf.dir, "%s", w->dir);
	if (authority_open(a, &d) != CLUSTER_OK || change_begin(&ch, a, authority_now(), &d) != CLUSTER_OK)
		sim_die("%s", d.text);
	for (size_t i = 0; i < w->n; i++)
		add_node(&ch, &w->node[i], i);
	if (change_commit(&ch, NULL, NULL, &d) != CLUSTER_OK)
		sim_die("%s", d.text);
	change_done(&ch);
	w->cluster = a->cluster;
	w->keyset = a->keyset;
	authority_close(a);
	free(a);
}

void sim_world_make(struct sim_world *w, size_t n)
{
	char parent[] = "/tmp/fanout.XXXXXX";
	FILE *f;
	int status;
	pid_t pid;

	memset(w, 0, sizeof *w);
	w->n = n;
	w->port = free_port();
	w->plain = free_port();
	if (!mkdtemp(parent))
		sim_die("mkdtemp: %s", strerror(errno));
	snprintf(w->dir, sizeof w->dir, "%s/bench", parent);
	snprintf(w->socket, sizeof w->socket, "%s/sock", parent);
	snprintf(w->config, sizeof w->config, "%s/authority.conf", parent);
	if (!(f = fopen(w->config, "we")))
		sim_die("%s: %s", w->config, strerror(errno));
	/* no other head while it measures */
	fprintf(f, "[authority]\nhead_life = 15m\nhead_interval = 450s\nplain = 127.0.0.1:%d\n", w->plain);
	fclose(f);
	pid = spawn(w, (char *[]){ "cluster-authorityd", "init", "--dir", w->dir, "--name", "bench", "--url", "https://127.0.0.1:7443", "--user", "root", NULL });
	if (waitpid(pid, &status, 0) != pid || status != 0)
		sim_die("init failed: see %s.log", w->dir);
	populate(w);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

void sim_world_done(struct sim_world *w)
{
	sim_world_stop(w);
	*strrchr(w->dir, '/') = '\0';
	nftw(w->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	for (size_t i = 0; i < w->n; i++)
		crypto_key_free(w->node[i].key);
	crypto_key_free(w->device_key);
	free(w->node);
}

void sim_world_start(struct sim_world *w)
{
	char listen[40];
	int fd = -1;

	snprintf(listen, sizeof listen, "127.0.0.1:%d", w->port);
	w->pid = spawn(w, (char *[]){ "cluster-authorityd", "serve", "--config", w->config, "--dir", w->dir, "--listen", listen, "--socket", w->socket, NULL });
	for (int i = 0; i < 5000 && fd < 0; i++) {
		struct sockaddr_un sa = { .sun_family = AF_UNIX };

		sim_pause(1);
		memcpy(sa.sun_path, w->socket, strlen(w->socket) + 1);
		if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) >= 0 && connect(fd, (struct sockaddr *)&sa, sizeof sa) != 0) {
			close(fd);
			fd = -1;
		}
	}
	if (fd < 0)
		sim_die("the authority does not start: see %s.log", w->dir);
	close(fd);
}

void sim_world_stop(struct sim_world *w)
{
	if (w->pid > 0 && kill(w->pid, SIGTERM) == 0)
		waitpid(w->pid, NULL, 0);
	w->pid = 0;
}

double sim_world_rss_mb(const struct sim_world *w)
{
	char path[40], line[200];
	double kb = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/status", (int)w->pid);
	if (!(f = fopen(path, "re")))
		sim_die("%s", path);
	while (fgets(line, sizeof line, f)) {
		if (strncmp(line, "VmRSS:", 6) == 0)
			kb = atof(line + 6);
	}
	fclose(f);
	return kb / 1024;
}

double sim_world_cpu_s(const struct sim_world *w)
{
	char path[40], line[1000], *at;
	unsigned long user = 0, system = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)w->pid);
	if (!(f = fopen(path, "re")) || !fgets(line, sizeof line, f) || !(at = strrchr(line, ')')))
		sim_die("%s", path);
	fclose(f);
	for (int i = 0; i < 12 && at; i++)
		at = strchr(at + 1, ' ');
	if (!at || sscanf(at, "%lu %lu", &user, &system) != 2)
		sim_die("%s", path);
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

/* ---- administration ---- */

int sim_admin_open(const struct sim_world *w)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(sa.sun_path, w->socket, strlen(w->socket) + 1);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof sa) != 0)
		sim_die("%s: %s", w->socket, strerror(errno));
	return fd;
}

void sim_admin_send(int fd, const char *call, const char *body)
{
	char text[2000];
	int n = snprintf(text, sizeof text, "POST /v1/admin/%s HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n%s", call, strlen(body), body);

	if (send(fd, text, (size_t)n, MSG_NOSIGNAL) != n)
		sim_die("admin: %s", strerror(errno));
}

char *sim_admin(const struct sim_world *w, const char *call, const char *body)
{
	struct sim_peer p = { .fd = sim_admin_open(w), .state = SIM_READY };
	struct sim_answer a = { 0 };
	char *text = NULL;
	int got;

	sim_admin_send(p.fd, call, body);
	while ((got = sim_peer_read(&p, &a)) == 0)
		;
	if (got == 1 && a.status == 200)
		text = strndup(a.body, a.n);
	else
		fprintf(stderr, "fanout: %s: %d %.*s\n", call, a.status, (int)(a.n < 300 ? a.n : 300), a.body ? a.body : "");
	sim_peer_close(&p);
	return text;
}

static struct json *admin_json(const struct sim_world *w, const char *call, const char *body)
{
	char *text = sim_admin(w, call, body);
	struct json *j = NULL;

	if (!text || json_parse(text, strlen(text), 1 << 20, &j, NULL) != CLUSTER_OK)
		sim_die("%s failed", call);
	free(text);
	return j;
}

void sim_world_person(struct sim_world *w)
{
	struct request_enroll r = { .c = { .htm = "POST", .htu = "/v1/enroll" }, .cluster = w->cluster, .label = "bench" };
	char url[64], *request = NULL;
	const struct api_where where = { .url = url };
	struct json *j, *body, *answer = NULL;
	struct http *http = NULL;
	struct diag d = { 0 };

	snprintf(url, sizeof url, "https://127.0.0.1:%d", w->port);
	json_free(admin_json(w, "person/add", "{\"name\":\"alice\"}"));
	json_free(admin_json(w, "account/add", "{\"name\":\"emr-user\"}"));
	json_free(admin_json(w, "grant/add", "{\"person\":\"alice\",\"accounts\":[\"emr-user\"]}"));
	j = admin_json(w, "person/invite", "{\"person\":\"alice\"}");
	snprintf(r.code, sizeof r.code, "%s", json_member_text(j, "code"));
	json_free(j);
	if (crypto_key_new(CRYPTO_ED25519, &w->device_key) != CLUSTER_OK || crypto_key_pub(w->device_key, &r.key) != CLUSTER_OK ||
	    request_enroll_build(&r, authority_now(), w->device_key, &request) != CLUSTER_OK || !(body = json_make("{s:s}", "request", request)))
		sim_die("enrolment");
	if (api_open(&where, &w->keyset, &http, &d) != CLUSTER_OK || api_json(http, "/v1/enroll", NULL, body, 0, &answer, &d) != CLUSTER_OK ||
	    id_parse(json_member_text(answer, "device"), &w->device) != CLUSTER_OK)
		sim_die("enrolment: %s", d.text);
	http_free(http);
	json_free(answer);
	json_free(body);
	free(request);
}
