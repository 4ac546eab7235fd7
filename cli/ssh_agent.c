/* SPDX-License-Identifier: Apache-2.0 */
#include "ssh_agent.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cluster/file.h"
#include "cluster/moment.h"

#define TIMEOUT_MS 10000
#define SIGN_TIMEOUT_MS 60000

struct ssh_agent {
	int fd;
};

/* ---- connection ---- */

/* Whoever listens gets private keys. */
static enum cluster_err peer_check(int fd, struct diag *d)
{
	struct ucred peer;
	socklen_t n = sizeof peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) != 0)
		return diag_errno(d, "ssh-agent");
	if (peer.uid != geteuid() && peer.uid != 0)
		return diag_set(d, CLUSTER_EUNTRUSTED, "the ssh-agent at SSH_AUTH_SOCK belongs to another user (uid %u)", (unsigned int)peer.uid);
	return CLUSTER_OK;
}

enum cluster_err ssh_agent_open(const char *path, struct ssh_agent **ret, struct diag *d)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct ssh_agent *a = NULL;
	enum cluster_err e;
	int fd = -1;

	if (path == NULL)
		path = getenv("SSH_AUTH_SOCK");
	if (path == NULL || *path == '\0')
		return diag_set(d, CLUSTER_EUNAVAIL, "there is no ssh-agent: SSH_AUTH_SOCK is not set");
	if (strlen(path) >= sizeof address.sun_path)
		return diag_set(d, CLUSTER_EUNAVAIL, "SSH_AUTH_SOCK is too long");
	memcpy(address.sun_path, path, strlen(path));
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) < 0) {
		e = diag_errno(d, "socket");
		goto out;
	}
	if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
		e = diag_set(d, CLUSTER_EUNAVAIL, "no ssh-agent answers at %s: %s", path, strerror(errno));
		goto out;
	}
	if ((e = peer_check(fd, d)) != CLUSTER_OK)
		goto out;
	if ((a = malloc(sizeof *a)) == NULL) {
		e = diag_set(d, CLUSTER_ENOMEM, "out of memory");
		goto out;
	}
	a->fd = fd;
	fd = -1;
	*ret = a;
	e = CLUSTER_OK;
out:
	file_close(fd);
	return e;
}

void ssh_agent_close(struct ssh_agent *a)
{
	if (a == NULL)
		return;
	file_close(a->fd);
	free(a);
}

/* ---- one exchange ---- */

static enum cluster_err wait_for(int fd, short events, int64_t deadline, struct diag *d)
{
	struct pollfd p = { .fd = fd, .events = events };

	for (;;) {
		int64_t left = deadline - moment_ms();
		int n = left > 0 ? poll(&p, 1, (int)left) : 0;

		if (n > 0)
			return CLUSTER_OK;
		if (n == 0)
			return diag_set(d, CLUSTER_EUNAVAIL, "the ssh-agent does not answer");
		if (errno != EINTR)
			return diag_errno(d, "ssh-agent");
	}
}

static enum cluster_err send_all(int fd, const uint8_t *p, size_t n, int64_t deadline, struct diag *d)
{
	enum cluster_err e;

	while (n > 0) {
		ssize_t k = send(fd, p, n, MSG_NOSIGNAL);

		if (k >= 0) {
			p += k;
			n -= (size_t)k;
		} else if (errno != EINTR && errno != EAGAIN) {
			return diag_set(d, CLUSTER_EUNAVAIL, "the ssh-agent has gone: %s", strerror(errno));
		} else if (errno == EAGAIN && (e = wait_for(fd, POLLOUT, deadline, d)) != CLUSTER_OK) {
			return e;
		}
	}
	return CLUSTER_OK;
}

static enum cluster_err receive_all(int fd, uint8_t *p, size_t n, int64_t deadline, struct diag *d)
{
	enum cluster_err e;

	while (n > 0) {
		ssize_t k = recv(fd, p, n, 0);

		if (k > 0) {
			p += k;
			n -= (size_t)k;
		} else if (k == 0 || (errno != EINTR && errno != EAGAIN)) {
			return diag_set(d, CLUSTER_EUNAVAIL, "the ssh-agent has gone%s%s", k < 0 ? ": " : "", k < 0 ? strerror(errno) : "");
		} else if (errno == EAGAIN && (e = wait_for(fd, POLLIN, deadline, d)) != CLUSTER_OK) {
			return e;
		}
	}
	return CLUSTER_OK;
}

/* Sends what `w` holds; the answer without its length is freed by the caller with free(). */
static enum cluster_err exchange(struct ssh_agent *a, const struct wr *w, int timeout_ms, uint8_t **ret, size_t *ret_n, struct diag *d)
{
	int64_t deadline = moment_ms() + timeout_ms;
	uint8_t head[4], *body = NULL;
	enum cluster_err e;
	struct wr length;
	struct rd r;
	uint32_t n;

	if ((e = wr_end(w)) != CLUSTER_OK || w->n > SSH_AGENT_MSG_MAX)
		return diag_set(d, e != CLUSTER_OK ? e : CLUSTER_ELIMIT, "too large for an ssh-agent");
	wr_init(&length, head, sizeof head);
	wr_u32(&length, (uint32_t)w->n);
	if ((e = send_all(a->fd, head, sizeof head, deadline, d)) != CLUSTER_OK || (e = send_all(a->fd, w->p, w->n, deadline, d)) != CLUSTER_OK ||
	    (e = receive_all(a->fd, head, sizeof head, deadline, d)) != CLUSTER_OK)
		return e;
	rd_init(&r, head, sizeof head);
	if ((e = rd_u32(&r, &n)) != CLUSTER_OK || n == 0 || n > SSH_AGENT_MSG_MAX)
		return diag_set(d, CLUSTER_EFORMAT, "what answers at SSH_AUTH_SOCK is no ssh-agent");
	if ((body = malloc(n)) == NULL)
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	if ((e = receive_all(a->fd, body, n, deadline, d)) != CLUSTER_OK) {
		free(body);
		return e;
	}
	*ret = body;
	*ret_n = n;
	return CLUSTER_OK;
}

static enum cluster_err answer_error(enum cluster_err e, const char *what, struct diag *d)
{
	if (e == CLUSTER_EDENIED)
		return diag_set(d, e, "the ssh-agent refuses to %s", what);
	return diag_set(d, e == CLUSTER_ETRUNC ? CLUSTER_EFORMAT : e, "the ssh-agent's answer is no answer: %s", err_name(e));
}

/* ---- calls ---- */

enum cluster_err ssh_agent_list(struct ssh_agent *a, struct ssh_agent_list **ret, struct diag *d)
{
	struct ssh_agent_list *l = calloc(1, sizeof *l);
	enum cluster_err e = CLUSTER_ENOMEM;
	uint32_t count = 0;
	struct rd keys;
	struct wr w;
	size_t n = 0;

	wr_grow(&w, SSH_AGENT_MSG_MAX);
	ssh_agent_msg_list(&w);
	if (l == NULL || (e = exchange(a, &w, TIMEOUT_MS, &l->bytes, &n, d)) != CLUSTER_OK)
		goto out;
	if ((e = ssh_agent_msg_keys(l->bytes, n, &keys, &count)) != CLUSTER_OK) {
		e = answer_error(e, "list its keys", d);
		goto out;
	}
	if ((l->key = calloc(count + 1, sizeof *l->key)) == NULL) {
		e = diag_set(d, CLUSTER_ENOMEM, "out of memory");
		goto out;
	}
	for (; l->n < count; l->n++)
		if ((e = ssh_agent_msg_next(&keys, &l->key[l->n].blob, &l->key[l->n].comment)) != CLUSTER_OK)
			goto out;
	*ret = l;
	l = NULL;
	e = CLUSTER_OK;
out:
	wr_done(&w);
	ssh_agent_list_free(l);
	return e;
}

void ssh_agent_list_free(struct ssh_agent_list *l)
{
	if (l == NULL)
		return;
	free(l->key);
	free(l->bytes);
	free(l);
}

/* A request whose answer is yes or no. */
static enum cluster_err command(struct ssh_agent *a, const struct wr *w, const char *what, struct diag *d)
{
	uint8_t *answer = NULL;
	enum cluster_err e;
	size_t n = 0;

	if ((e = exchange(a, w, TIMEOUT_MS, &answer, &n, d)) != CLUSTER_OK)
		return e;
	if ((e = ssh_agent_msg_done(answer, n)) != CLUSTER_OK)
		e = answer_error(e, what, d);
	free(answer);
	return e;
}

enum cluster_err ssh_agent_add(struct ssh_agent *a, const struct ssh_agent_msg_add *what, struct diag *d)
{
	enum cluster_err e;
	struct wr w;

	wr_grow(&w, SSH_AGENT_MSG_MAX);
	if ((e = ssh_agent_msg_add(&w, what)) != CLUSTER_OK)
		diag_set(d, e, "the key cannot be put into a message: %s", err_name(e));
	else
		e = command(a, &w, "take the certificate", d);
	wr_done(&w);
	return e;
}

enum cluster_err ssh_agent_remove(struct ssh_agent *a, const struct rd *blob, struct diag *d)
{
	enum cluster_err e;
	struct wr w;

	wr_grow(&w, SSH_AGENT_MSG_MAX);
	ssh_agent_msg_remove(&w, blob->p, blob->n);
	if ((e = command(a, &w, "forget a key", d)) == CLUSTER_EDENIED) {
		diag_clear(d); /* its way to say that it has no such key */
		e = CLUSTER_OK;
	}
	wr_done(&w);
	return e;
}

enum cluster_err ssh_agent_sign(struct ssh_agent *a, const struct rd *blob, const struct rd *data, uint8_t **ret, size_t *ret_n, struct diag *d)
{
	uint8_t *answer = NULL, *copy = NULL;
	struct rd signature;
	enum cluster_err e;
	struct wr w;
	size_t n = 0;

	wr_grow(&w, SSH_AGENT_MSG_MAX);
	ssh_agent_msg_sign(&w, blob, data);
	if ((e = exchange(a, &w, SIGN_TIMEOUT_MS, &answer, &n, d)) != CLUSTER_OK)
		goto out;
	if ((e = ssh_agent_msg_signature(answer, n, &signature)) != CLUSTER_OK) {
		e = answer_error(e, "sign", d);
		goto out;
	}
	if ((copy = malloc(signature.n)) == NULL) {
		e = diag_set(d, CLUSTER_ENOMEM, "out of memory");
		goto out;
	}
	memcpy(copy, signature.p, signature.n);
	*ret_n = signature.n;
	*ret = copy;
	e = CLUSTER_OK;
out:
	free(answer);
	wr_done(&w);
	return e;
}
