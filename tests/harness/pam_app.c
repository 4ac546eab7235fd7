/* SPDX-License-Identifier: Apache-2.0 */
#include "pam_app.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "pam_app_wrap.h"

#include "cluster/moment.h"
#include "cluster/sshcert.h"

static void die(const char *what)
{
	fprintf(stderr, "pam_app: %s\n", what);
	abort();
}

static void path_in(const char *base, const char *name, char dst[200])
{
	if (snprintf(dst, 200, "%s/%s", base, name) >= 200)
		die("path");
}

void app_init(struct app *a)
{
	const char *tmp = getenv("TMPDIR");
	struct moment now;

	memset(a, 0, sizeof *a);
	if (moment_now(&now) != CLUSTER_OK)
		die("clocks");
	world_init(&a->w, now.wall);
	a->w.fresh.boot_id = now.boot_id;
	a->w.fresh.boot_time = now.boot;
	a->cred = world_credential(&a->w, WORLD_ALICE);
	snprintf(a->base, sizeof a->base, "%s/pam-test-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(a->base) || chmod(a->base, 0755) != 0)
		die(a->base);
	path_in(a->base, "state", a->state);
	path_in(a->base, "run", a->run);
	path_in(a->base, "pam.d", a->confdir);
	path_in(a->base, "node.conf", a->conf);
	path_in(a->base, "passwd", a->passwd);
	if (mkdir(a->confdir, 0755) != 0)
		die(a->confdir);
	a->rhost = "192.0.2.7";
	a->tty = "ssh";
	a->connection = "192.0.2.7 50000 192.0.2.1 22";
	app_passwd(a, NULL);
	app_nss(a, "emr-user", WORLD_UID_EMR, 0);
	app_nss(a, "alice", WORLD_UID_ALICE, 0);
	app_nss(a, "lonely", WORLD_UID_LONELY, 0);
	app_audit(UINT32_MAX);
	wrap_app = a;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void app_done(struct app *a)
{
	wrap_app = NULL;
	nftw(a->base, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	world_done(&a->w);
}

void app_forget(struct app *a)
{
	a->prompts = a->errors = a->infos = a->verified = 0;
	a->prompt[0] = a->message[0] = a->log[0] = a->env[0] = '\0';
}

void app_store(struct app *a)
{
	world_store(&a->w, a->state);
}

void app_conf(struct app *a, const char *text)
{
	world_file(a->conf, text, strlen(text), 0644);
}

void app_passwd(struct app *a, const char *text)
{
	static const char usual[] = "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1::/:/usr/sbin/nologin\necs-user:x:1000:1000::/home/ecs-user:/bin/sh\n"
				    "rescue:x:1001:1001::/home/rescue:/bin/sh\n";

	if (!text)
		text = usual;
	world_file(a->passwd, text, strlen(text), 0644);
}

void app_nss(struct app *a, const char *name, uid_t uid, int err)
{
	if (a->n_nss == APP_NSS_ROOM)
		die("nss");
	snprintf(a->nss[a->n_nss].name, sizeof a->nss[0].name, "%s", name);
	a->nss[a->n_nss].uid = uid;
	a->nss[a->n_nss++].err = err;
}

static void write_service(struct app *a, const char *service)
{
	static const char *const types[] = { "auth", "account", "session", "password" };
	const char *build = getenv("BUILD");
	char path[300], text[8000];
	size_t n = 0;

	if (!build || build[0] != '/')
		die("BUILD is not set to the absolute build directory");
	for (size_t i = 0; i < 4; i++) {
		n += (size_t)snprintf(text + n, sizeof text - n, "%s [success=done ignore=ignore default=die] %s/pam_cluster.so config=%s state=%s run=%s passwd=%s owner=%u %s\n",
		    types[i], build, a->conf, a->state, a->run, a->passwd, (unsigned)geteuid(), a->args);
		n += (size_t)snprintf(text + n, sizeof text - n, "%s required %s/tests/pam/lib_marker.so\n", types[i], build);
	}
	snprintf(path, sizeof path, "%s/%s", a->confdir, service);
	world_file(path, text, n, 0644);
}

static void good_answer(struct app *a, const struct challenge *ch, char *dst)
{
	char *token = world_token(&a->w, &a->cred, a->signer);

	world_answer(&a->w, token, ch, a->prover, dst);
	free(token);
}

static char *make_reply(struct app *a, const char *prompt)
{
	char answer[CHALLENGE_ANSWER_MAX + 1] = "", view[2200];
	struct challenge_prompt_view v;
	const char *line;

	if (a->before_answer)
		a->before_answer(a);
	if (a->reply == APP_TEXT)
		return strdup(a->text);
	/* as the local ssh hands it to the helper; the name that stands there may be a junk one */
	snprintf(view, sizeof view, "(emr-user@master-1-1) %s", prompt);
	line = strstr(prompt, "\nCL1:");
	if (challenge_prompt_parse(view, strlen(view), &v) != CLUSTER_OK &&
	    (strncmp(prompt, "Step-up for ", 12) != 0 || !line || challenge_text_parse(line + 1, CHALLENGE_TEXT, &v.challenge) != CLUSTER_OK))
		die(prompt);
	if (a->reply == APP_CUSTOM)
		a->custom(a, &v.challenge, answer, sizeof answer);
	else
		good_answer(a, &v.challenge, answer);
	return strdup(answer);
}

static int converse_one(struct app *a, const struct pam_message *m, struct pam_response *r)
{
	switch (m->msg_style) {
	case PAM_PROMPT_ECHO_OFF:
	case PAM_PROMPT_ECHO_ON:
		a->prompts++;
		snprintf(a->prompt, sizeof a->prompt, "%s", m->msg);
		if (a->reply == APP_NO_CONV)
			return PAM_CONV_ERR;
		r->resp = make_reply(a, m->msg);
		wrap_reply = r->resp;
		wrap_reply_size = r->resp ? strlen(r->resp) : 0;
		a->verified = 0;
		return PAM_SUCCESS;
	case PAM_ERROR_MSG:
		a->errors++;
		break;
	default:
		a->infos++;
		break;
	}
	snprintf(a->message, sizeof a->message, "%s", m->msg);
	return PAM_SUCCESS;
}

static int converse(int n, const struct pam_message **m, struct pam_response **ret, void *data)
{
	struct pam_response *r;
	bool paused = wrap_pause(true); /* what the application does never fails */

	r = calloc((size_t)n, sizeof *r);
	for (int i = 0; i < n; i++) {
		int code = converse_one(data, m[i], &r[i]);

		if (code != PAM_SUCCESS) {
			free(r);
			wrap_pause(paused);
			return code;
		}
	}
	*ret = r;
	wrap_pause(paused);
	return PAM_SUCCESS;
}

static void put_authinfo(struct app *a, pam_handle_t *h)
{
	char *word = NULL;

	if (!a->authinfo)
		return;
	if (asprintf(&word, "SSH_AUTH_INFO_0=%s", a->authinfo) < 0)
		die("memory");
	pam_putenv(h, word);
	free(word);
}

pam_handle_t *app_start(struct app *a, const char *service, const char *user)
{
	static struct pam_conv conv;
	pam_handle_t *h = NULL;
	char word[200];

	conv = (struct pam_conv){ .conv = converse, .appdata_ptr = a };
	write_service(a, service);
	if (pam_start_confdir(service, user, &conv, a->confdir, &h) != PAM_SUCCESS)
		die("pam_start");
	if (a->rhost)
		pam_set_item(h, PAM_RHOST, a->rhost);
	if (a->tty)
		pam_set_item(h, PAM_TTY, a->tty);
	if (a->ruser)
		pam_set_item(h, PAM_RUSER, a->ruser);
	if (a->connection) {
		snprintf(word, sizeof word, "SSH_CONNECTION=%s", a->connection);
		pam_putenv(h, word);
	}
	put_authinfo(a, h);
	return h;
}

void app_end(pam_handle_t *h)
{
	pam_end(h, PAM_SUCCESS);
}

static void keep_env(struct app *a, pam_handle_t *h)
{
	const char *text = pam_getenv(h, "CLUSTER_LOGIN_HANDOVER");

	snprintf(a->env, sizeof a->env, "%s", text ? text : "");
}

int app_auth(struct app *a, const char *service, const char *user)
{
	pam_handle_t *h = app_start(a, service, user);
	int code = pam_authenticate(h, 0);

	keep_env(a, h);
	app_end(h);
	return code;
}

int app_account(struct app *a, const char *service, const char *user)
{
	pam_handle_t *h = app_start(a, service, user);
	int code = pam_acct_mgmt(h, 0);

	app_end(h);
	return code;
}

static void put_handover(pam_handle_t *h, const char *handover)
{
	char word[2000];

	if (!handover || !handover[0])
		return;
	snprintf(word, sizeof word, "CLUSTER_LOGIN_HANDOVER=%s", handover);
	pam_putenv(h, word);
}

int app_open(struct app *a, const char *service, const char *user, const char *handover)
{
	pam_handle_t *h = app_start(a, service, user);
	int code;

	put_handover(h, handover);
	code = pam_open_session(h, 0);
	if (pam_getenv(h, "CLUSTER_LOGIN_HANDOVER") && code != APP_IGNORED)
		die("the hand-over reaches the user's environment");
	app_end(h);
	return code;
}

struct app_login app_sshd(struct app *a, const char *user)
{
	struct app_login l = { -1, -1, -1, -1, -1 };
	pam_handle_t *h = app_start(a, "sshd", user);

	l.auth = pam_authenticate(h, 0);
	if (l.auth == PAM_SUCCESS || l.auth == APP_IGNORED)
		l.account = pam_acct_mgmt(h, 0);
	keep_env(a, h);
	app_end(h);
	if (l.account != PAM_SUCCESS && l.account != APP_IGNORED)
		return l;
	h = app_start(a, "sshd", user);
	put_handover(h, a->env);
	l.cred = pam_setcred(h, PAM_ESTABLISH_CRED);
	l.open = pam_open_session(h, 0);
	if (l.open == PAM_SUCCESS && pam_getenv(h, "CLUSTER_LOGIN_HANDOVER"))
		die("the hand-over reaches the user's environment");
	if (l.open == PAM_SUCCESS || l.open == APP_IGNORED)
		l.close = pam_close_session(h, 0);
	app_end(h);
	return l;
}

char *app_certificate(struct app *a, const struct crypto_key *ca)
{
	char *token = world_token(&a->w, &a->cred, a->signer), *line = NULL, *info = NULL;
	const struct sshcert_spec spec = { .credential = token, .claims = &a->cred, .serial = 77, .key_id = "alice 1" };
	struct diag d;

	if (sshcert_build(&spec, ca ? ca : a->w.sshca, &line, &d) != CLUSTER_OK || asprintf(&info, "publickey %s\n", line) < 0)
		die("certificate");
	free(token);
	free(line);
	return info;
}

bool app_logged(const struct app *a, const char *reason)
{
	char word[80];

	snprintf(word, sizeof word, " reason=%s ", reason);
	return strstr(a->log, word) != NULL;
}

size_t app_records(const struct app *a, char name[64])
{
	char path[300];
	struct dirent *entry;
	size_t n = 0;
	DIR *dir;

	snprintf(path, sizeof path, "%s/sessions", a->run);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		n++;
		if (name)
			snprintf(name, 64, "%.63s", entry->d_name);
	}
	if (dir)
		closedir(dir);
	return n;
}
