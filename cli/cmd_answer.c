/* SPDX-License-Identifier: Apache-2.0 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "cluster/answer.h"
#include "cmd.h"
#include "device_key.h"
#include "out.h"
#include "view.h"

#define MARK "CL1:"
#define LINE_MAX_SIZE 4096
#define QUIET_MS 200 /* a paste has arrived when nothing more comes for so long */
#define QUIET_TURNS 50

struct words {
	bool yes;
};

static const struct command_option options[] = {
	{ "yes", 'y', COMMAND_FLAG, offsetof(struct words, yes), 0, 0, NULL, "do not ask" },
};

/* The challenge in what was pasted: the prompt as a whole, or its second line. */
static enum cluster_err find_challenge(const char *text, struct challenge *ret, struct diag *d)
{
	const char *at = strstr(text, MARK);

	if (at == NULL || strlen(at) < CHALLENGE_TEXT || challenge_text_parse(at, CHALLENGE_TEXT, ret) != CLUSTER_OK)
		return diag_set(d, CLUSTER_EFORMAT, "that is no whole challenge: it begins with CL1:, has %d characters, and loses none on the way", CHALLENGE_TEXT);
	return CLUSTER_OK;
}

/* Drops what was typed or pasted before the question: the node that shows a challenge also chooses what stands behind it. False: more and more comes. */
static bool forget_input(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	for (int i = 0; i < QUIET_TURNS; i++) {
		(void)tcflush(fd, TCIFLUSH);
		if (poll(&p, 1, QUIET_MS) == 0)
			return tcflush(fd, TCIFLUSH) == 0; /* a line without its end does not wake poll */
	}
	return false;
}

static enum cluster_err read_challenge(struct challenge *ret, struct diag *d)
{
	char text[LINE_MAX_SIZE] = "", line[LINE_MAX_SIZE];

	if (isatty(STDIN_FILENO))
		out_note("Paste the challenge, the line that begins with CL1:");
	while (fgets(line, sizeof line, stdin) != NULL) {
		if (strlen(text) + strlen(line) >= sizeof text)
			return diag_set(d, CLUSTER_ELIMIT, "more was pasted than a challenge");
		strncat(text, line, sizeof text - strlen(text) - 1);
		if (strstr(text, MARK) != NULL)
			break;
	}
	return find_challenge(text, ret, d);
}

/* Ours, made just now by that node, and no login: a login is never answered by hand. */
static enum cluster_err check(const struct profile *p, const struct challenge *c, const struct view *v, const struct directory_node **ret, struct diag *d)
{
	const struct directory_node *node = directory_node_by_id(v->dir, &c->node);
	int64_t age = (int64_t)time(NULL) - c->time;

	if (!id_equal(&c->cluster, &p->cluster))
		return diag_set(d, CLUSTER_EDENIED, "the challenge is of another cluster");
	if (node == NULL || !crypto_equal(node->hostkey_hash, c->hostkey_hash, sizeof c->hostkey_hash))
		return diag_set(d, CLUSTER_EDENIED, "the challenge is of no node of the signed directory");
	if (c->service[0] == '\0' || c->account[0] == '\0' || strcmp(c->service, "sshd") == 0)
		return diag_set(d, CLUSTER_EDENIED, "the challenge is not one of sudo or su");
	if (age > ANSWER_AGE_MAX || age < -ANSWER_AGE_MAX)
		return diag_set(d, CLUSTER_EDENIED, "the challenge is %lld seconds old: ask for a new one", (long long)age);
	*ret = node;
	return CLUSTER_OK;
}

/* On a terminal, and only there, a person has the last word. */
static bool agreed(const struct words *w, const struct challenge *c, const char *node)
{
	char reply[8] = "";
	FILE *tty;

	out_note("%s as %s on %s", c->service, c->account, node);
	if (w->yes || (tty = fopen("/dev/tty", "r+e")) == NULL)
		return true;
	if (!forget_input(fileno(tty))) {
		fclose(tty);
		return false;
	}
	fprintf(tty, "Sign it? [y/N] ");
	fflush(tty);
	if (fgets(reply, sizeof reply, tty) == NULL)
		reply[0] = '\0';
	fclose(tty);
	return reply[0] == 'y' || reply[0] == 'Y';
}

static enum cluster_err sign_by_agent(const struct profile *p, const struct challenge *c, char **ret, struct diag *d)
{
	struct device_key *device = NULL;
	struct jws_signer signer;
	enum cluster_err e;

	if ((e = device_key_open(p, &device, d)) != CLUSTER_OK)
		return e;
	if ((e = device_key_signer(device, d, &signer)) == CLUSTER_OK && (e = answer_build_by(c, &p->person, &signer, time(NULL), ret)) != CLUSTER_OK && d->text[0] == '\0')
		diag_set(d, e, "cannot sign: %s", err_name(e));
	device_key_free(device);
	return e;
}

static enum cluster_err sign_by_file(const struct profile *p, const struct challenge *c, char **ret, struct diag *d)
{
	struct crypto_key *device = NULL;
	enum cluster_err e;

	if ((e = profile_key_read(p, PROFILE_DEVICE_KEY, &device, d)) != CLUSTER_OK)
		return e;
	if ((e = answer_build(c, &p->person, device, time(NULL), ret)) != CLUSTER_OK)
		diag_set(d, e, "cannot sign: %s", err_name(e));
	crypto_key_free(device);
	return e;
}

static int answer(const struct words *w, const char *given)
{
	const struct directory_node *node = NULL;
	struct view *v = NULL;
	struct challenge c;
	char *token = NULL;
	enum cluster_err e;
	struct profile p;
	struct diag d;
	int status = EXIT_NO;

	diag_clear(&d);
	if (profile_load(&p, &d) != CLUSTER_OK)
		return out_failed(&d, profile_next(d.code));
	if (view_load(&p, &v, &d) != CLUSTER_OK)
		return out_failed(&d, CMD_TRY_GET);
	if ((e = given != NULL ? find_challenge(given, &c, &d) : read_challenge(&c, &d)) != CLUSTER_OK || (e = check(&p, &c, v, &node, &d)) != CLUSTER_OK)
		goto out;
	if (!agreed(w, &c, node->name)) {
		out_note("Not signed.");
		goto out;
	}
	e = p.device_key[0] != '\0' ? sign_by_agent(&p, &c, &token, &d) : sign_by_file(&p, &c, &token, &d);
	if (e != CLUSTER_OK)
		goto out;
	out_line("%s", token);
	status = EXIT_DONE;
out:
	if (e == CLUSTER_EFORMAT || e == CLUSTER_ELIMIT)
		status = out_failed(&d, "cluster-login answer, and then paste the line that sudo or su shows");
	else if (e != CLUSTER_OK)
		status = out_failed(&d, NULL);
	free(token);
	view_free(v);
	return status;
}

static int run(const struct command *self, int argc, char **argv)
{
	struct command_operands rest;
	struct words w = { 0 };
	int status;

	if ((status = command_parse(self, argc, argv, &w, &rest)) != COMMAND_GO)
		return status;
	return answer(&w, rest.n > 0 ? rest.v[0] : NULL);
}

const struct command cmd_answer = {
	.run = run,
	.usage = "[CHALLENGE]",
	.example = "  cluster-login answer\n"
		   "\nsudo and su on a node show a challenge; paste it here, on your own machine, and what this prints back there. Signed with this device's key.\n",
	COMMAND_OPTIONS(options),
	.most = 1,
};
