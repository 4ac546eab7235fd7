/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_PAM_APP_H
#define TESTS_PAM_APP_H

#include <security/pam_appl.h>

#include "world.h"

/*
 * A PAM application for tests: the real pam_cluster.so in a stack of its own, over a world's snapshots in a directory of its own. Behind the module stands lib_marker.so, so
 * that PAM_IGNORE can be told from a refusal: it shows as APP_IGNORED. The program's own getpwnam_r, syslog, EVP_DigestVerify and openat take the place of the libraries'.
 */
#define APP_IGNORED PAM_MODULE_UNKNOWN
#define APP_NSS_ROOM 8

enum app_reply {
	APP_GOOD,    /* the person's credential and a proof over the challenge that was shown */
	APP_TEXT,    /* `text`, whatever was shown */
	APP_CUSTOM,  /* `custom` makes it */
	APP_NO_CONV  /* the conversation fails */
};

struct app {
	struct world w;
	enum world_person person;
	struct credential cred;       /* what APP_GOOD signs; from `person` unless changed */
	const struct crypto_key *signer, *prover; /* NULL: the right ones */
	enum app_reply reply;
	const char *text;
	void (*custom)(struct app *a, const struct challenge *ch, char *dst, size_t size);
	void (*before_answer)(struct app *a); /* called while the prompt stands */
	void (*before_record)(struct app *a); /* called once when the session stage, having decided, asks for its audit session */

	char base[160], state[200], run[200], confdir[200], conf[200], passwd[200];
	char args[300];               /* further module arguments */
	const char *rhost, *tty, *connection, *ruser; /* ruser NULL: PAM_RUSER is not set */
	const char *authinfo;         /* SSH_AUTH_INFO_0, in every handle from now on */
	struct {
		char name[64];
		uid_t uid;
		int err;
	} nss[APP_NSS_ROOM];
	size_t n_nss;

	/* seen since app_forget */
	int prompts, errors, infos;
	int verified;                 /* signature verifications after the conversation returned */
	char prompt[2000];
	char message[2000];           /* the last PAM_ERROR_MSG or PAM_TEXT_INFO */
	char log[20000];
	char env[1600];               /* the hand-over that auth left */
};

/* What the module returned in each stage of one sshd login; -1: did not come to it. */
struct app_login {
	int auth, account, cred, open, close;
};

void app_init(struct app *a);
void app_done(struct app *a);
void app_forget(struct app *a);
/* Snapshots as the world is now; node.conf; the passwd file (NULL: root, ecs-user 1000, rescue 1001). */
void app_store(struct app *a);
void app_conf(struct app *a, const char *text);
void app_passwd(struct app *a, const char *text);
void app_nss(struct app *a, const char *name, uid_t uid, int err);
/* /proc/self/sessionid, as the module sees it from now on. */
void app_audit(uint32_t id);
/* Another process of the same audit session, until the next app_audit. */
void app_audit_also(pid_t pid);

/* One handle. `env` words "NAME=value" may be put with pam_putenv. */
pam_handle_t *app_start(struct app *a, const char *service, const char *user);
void app_end(pam_handle_t *h);
/* auth alone; account alone; open and close session alone, each in a handle of its own */
int app_auth(struct app *a, const char *service, const char *user);
int app_account(struct app *a, const char *service, const char *user);
int app_open(struct app *a, const char *service, const char *user, const char *handover);
/* As sshd does it: auth and account in one handle, whose environment alone reaches the other, where setcred and the session run. */
struct app_login app_sshd(struct app *a, const char *user);

/* "publickey type base64\n": a certificate that carries the credential of a->cred, by `ca` (NULL: the cluster's), serial 77, key id "alice 1". The caller frees it. */
char *app_certificate(struct app *a, const struct crypto_key *ca);

/* Does the log have a line with this reason? */
bool app_logged(const struct app *a, const char *reason);
/* Session records that stand under run/sessions. */
size_t app_records(const struct app *a, char name[64]);

#endif
