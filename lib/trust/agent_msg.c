/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/agent_msg.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cluster/file.h"
#include "cluster/moment.h"
#include "cluster/rd.h"
#include "cluster/wr.h"

#define VERSION 1

static bool type_ok(uint8_t type)
{
	return type >= AGENT_MSG_STATUS && type <= AGENT_MSG_EXPLAIN;
}

static enum cluster_err take_type(struct rd *r, enum agent_msg_type *ret)
{
	uint8_t version, type;
	enum cluster_err e;

	if ((e = rd_u8(r, &version)) != CLUSTER_OK || (e = rd_u8(r, &type)) != CLUSTER_OK)
		return e;
	if (version != VERSION)
		return CLUSTER_EVERSION;
	if (!type_ok(type))
		return CLUSTER_EFORMAT;
	*ret = (enum agent_msg_type)type;
	return CLUSTER_OK;
}

static enum cluster_err take_i64(struct rd *r, int64_t *ret)
{
	enum cluster_err e;
	uint64_t v;

	if ((e = rd_u64(r, &v)) != CLUSTER_OK)
		return e;
	if (v > INT64_MAX)
		return CLUSTER_EFORMAT;
	*ret = (int64_t)v;
	return CLUSTER_OK;
}

static void put_body(struct wr *w, const struct agent_msg_request *m)
{
	switch (m->type) {
	case AGENT_MSG_STATUS:
		break;
	case AGENT_MSG_SESSION_OPENED:
	case AGENT_MSG_SESSION_CLOSED:
		wr_bytes(w, m->session.b, ID_SIZE);
		break;
	case AGENT_MSG_REDEEM:
	case AGENT_MSG_CONFIRM:
		wr_bytes(w, m->jti.b, ID_SIZE);
		wr_bytes(w, m->receipt.b, ID_SIZE);
		if (m->type == AGENT_MSG_REDEEM) {
			wr_u64(w, (uint64_t)m->iat);
			wr_u64(w, (uint64_t)m->exp);
			wr_bytes(w, m->person.b, ID_SIZE);
			wr_u32(w, m->skew);
		}
		break;
	case AGENT_MSG_REFUSED:
		refusal_put(w, &m->refusal);
		break;
	case AGENT_MSG_EXPLAIN:
		wr_str8(w, m->refusal.id);
		break;
	}
}

static enum cluster_err take_use(struct rd *r, struct agent_msg_request *m)
{
	enum cluster_err e;

	if ((e = rd_bytes(r, m->jti.b, sizeof m->jti.b, ID_SIZE)) != CLUSTER_OK || (e = rd_bytes(r, m->receipt.b, sizeof m->receipt.b, ID_SIZE)) != CLUSTER_OK ||
	    m->type == AGENT_MSG_CONFIRM)
		return e;
	if ((e = take_i64(r, &m->iat)) != CLUSTER_OK || (e = take_i64(r, &m->exp)) != CLUSTER_OK || (e = rd_bytes(r, m->person.b, sizeof m->person.b, ID_SIZE)) != CLUSTER_OK)
		return e;
	return rd_u32(r, &m->skew);
}

static enum cluster_err take_refusal_id(struct rd *r, struct agent_msg_request *m)
{
	enum cluster_err e = rd_str8(r, m->refusal.id, sizeof m->refusal.id);

	return e == CLUSTER_OK && !refusal_id_ok(m->refusal.id) ? CLUSTER_EFORMAT : e;
}

static enum cluster_err take_body(struct rd *r, struct agent_msg_request *m)
{
	switch (m->type) {
	case AGENT_MSG_STATUS:
		return CLUSTER_OK;
	case AGENT_MSG_SESSION_OPENED:
	case AGENT_MSG_SESSION_CLOSED:
		return rd_bytes(r, m->session.b, sizeof m->session.b, ID_SIZE);
	case AGENT_MSG_REDEEM:
	case AGENT_MSG_CONFIRM:
		return take_use(r, m);
	case AGENT_MSG_REFUSED:
		return refusal_take(r, &m->refusal);
	case AGENT_MSG_EXPLAIN:
		return take_refusal_id(r, m);
	}
	return CLUSTER_EFORMAT;
}

enum cluster_err agent_msg_request_build(const struct agent_msg_request *m, uint8_t dst[AGENT_MSG_MAX], size_t *ret_n)
{
	enum cluster_err e;
	struct wr w;

	wr_init(&w, dst, AGENT_MSG_MAX);
	wr_u8(&w, VERSION);
	wr_u8(&w, (uint8_t)m->type);
	put_body(&w, m);
	if ((e = wr_end(&w)) != CLUSTER_OK)
		return e;
	*ret_n = w.n;
	return CLUSTER_OK;
}

enum cluster_err agent_msg_request_parse(const void *data, size_t n, struct agent_msg_request *ret)
{
	struct agent_msg_request m;
	enum cluster_err e;
	struct rd r;

	if (n > AGENT_MSG_MAX)
		return CLUSTER_ELIMIT;
	memset(&m, 0, sizeof m);
	rd_init(&r, data, n);
	if ((e = take_type(&r, &m.type)) != CLUSTER_OK)
		return e;
	if ((e = take_body(&r, &m)) != CLUSTER_OK || (e = rd_end(&r)) != CLUSTER_OK)
		return e;
	*ret = m;
	return CLUSTER_OK;
}

static bool has_status(const struct agent_msg_answer *m)
{
	return m->type == AGENT_MSG_STATUS && m->result == CLUSTER_OK;
}

static bool has_refusal(const struct agent_msg_answer *m)
{
	return m->type == AGENT_MSG_EXPLAIN && m->result == CLUSTER_OK;
}

enum cluster_err agent_msg_answer_build(const struct agent_msg_answer *m, uint8_t dst[AGENT_MSG_MAX], size_t *ret_n)
{
	const struct agent_msg_status *s = &m->status;
	enum cluster_err e;
	struct wr w;

	wr_init(&w, dst, AGENT_MSG_MAX);
	wr_u8(&w, VERSION);
	wr_u8(&w, (uint8_t)m->type);
	wr_u8(&w, (uint8_t)m->result);
	if (has_status(m)) {
		if (s->head_iat < 0 || s->last_contact < 0)
			return CLUSTER_EFORMAT;
		wr_u64(&w, s->generation);
		wr_u64(&w, s->head_version);
		wr_u64(&w, (uint64_t)s->head_iat);
		wr_u64(&w, (uint64_t)s->last_contact);
		wr_u32(&w, s->sessions);
		wr_u32(&w, s->closing);
		wr_u8(&w, s->connected);
		wr_str16(&w, s->last_error);
	}
	if (has_refusal(m))
		refusal_put(&w, &m->refusal);
	if ((e = wr_end(&w)) != CLUSTER_OK)
		return e;
	*ret_n = w.n;
	return CLUSTER_OK;
}

static enum cluster_err take_status(struct rd *r, struct agent_msg_status *s)
{
	enum cluster_err e;
	uint8_t connected;

	if ((e = rd_u64(r, &s->generation)) != CLUSTER_OK || (e = rd_u64(r, &s->head_version)) != CLUSTER_OK || (e = take_i64(r, &s->head_iat)) != CLUSTER_OK ||
	    (e = take_i64(r, &s->last_contact)) != CLUSTER_OK || (e = rd_u32(r, &s->sessions)) != CLUSTER_OK || (e = rd_u32(r, &s->closing)) != CLUSTER_OK || (e = rd_u8(r, &connected)) != CLUSTER_OK ||
	    (e = rd_str16(r, s->last_error, sizeof s->last_error)) != CLUSTER_OK)
		return e;
	if (connected > 1)
		return CLUSTER_EFORMAT;
	s->connected = connected == 1;
	return CLUSTER_OK;
}

enum cluster_err agent_msg_answer_parse(const void *data, size_t n, struct agent_msg_answer *ret)
{
	struct agent_msg_answer m;
	enum cluster_err e;
	uint8_t result;
	struct rd r;

	if (n > AGENT_MSG_MAX)
		return CLUSTER_ELIMIT;
	memset(&m, 0, sizeof m);
	rd_init(&r, data, n);
	if ((e = take_type(&r, &m.type)) != CLUSTER_OK || (e = rd_u8(&r, &result)) != CLUSTER_OK)
		return e;
	if (result > CLUSTER_ECONFIG)
		return CLUSTER_EFORMAT;
	m.result = (enum cluster_err)result;
	if ((has_status(&m) && (e = take_status(&r, &m.status)) != CLUSTER_OK) || (has_refusal(&m) && (e = refusal_take(&r, &m.refusal)) != CLUSTER_OK))
		return e;
	if ((e = rd_end(&r)) != CLUSTER_OK)
		return e;
	*ret = m;
	return CLUSTER_OK;
}

/* Where the queue of the listener is full, the kernel waits for room until `deadline`. */
static bool connect_until(int fd, const struct sockaddr_un *a, int64_t deadline)
{
	for (;;) {
		int64_t left = deadline - moment_ms();
		struct timeval wait = { .tv_usec = 1000 }; /* 0 would be for ever */

		if (left > 0)
			wait = (struct timeval){ .tv_sec = left / 1000, .tv_usec = left % 1000 * 1000 };
		if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait) != 0)
			return false;
		if (connect(fd, (const struct sockaddr *)a, sizeof *a) == 0)
			return true;
		if (errno != EINTR || left <= 0)
			return false;
	}
}

/* A connected socket whose other end listens as root or as ourselves. */
static enum cluster_err call_connect(const char *path, int64_t deadline, bool waits, int *ret_fd)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct ucred peer;
	socklen_t n = sizeof peer;
	enum cluster_err e;
	int fd;

	if (strlen(path) >= sizeof a.sun_path)
		return CLUSTER_ELIMIT;
	memcpy(a.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | (waits ? 0 : SOCK_NONBLOCK), 0);
	if (fd < 0)
		return CLUSTER_ESYSTEM;
	if (!connect_until(fd, &a, deadline)) {
		e = CLUSTER_EUNAVAIL;
	} else if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) != 0) {
		e = CLUSTER_ESYSTEM;
	} else if (peer.uid != 0 && peer.uid != geteuid()) {
		e = CLUSTER_EUNTRUSTED;
	} else {
		*ret_fd = fd;
		return CLUSTER_OK;
	}
	file_close(fd);
	return e;
}

/* Waits for one packet until `deadline`. */
static enum cluster_err call_receive(int fd, int64_t deadline, uint8_t buffer[AGENT_MSG_MAX + 1], size_t *ret_n)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t left;
	ssize_t n;

	for (;;) {
		n = recv(fd, buffer, AGENT_MSG_MAX + 1, MSG_DONTWAIT);
		if (n > 0)
			break;
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			return CLUSTER_EUNAVAIL;
		left = deadline - moment_ms();
		if (left <= 0 || poll(&p, 1, (int)left) == 0)
			return CLUSTER_EUNAVAIL;
	}
	*ret_n = (size_t)n;
	return CLUSTER_OK;
}

enum cluster_err agent_msg_call(const char *path, const struct agent_msg_request *m, int timeout_ms, struct agent_msg_answer *ret)
{
	int64_t deadline = moment_ms() + timeout_ms;
	uint8_t buffer[AGENT_MSG_MAX + 1];
	struct agent_msg_answer answer;
	enum cluster_err e;
	int fd = -1;
	size_t n;

	if ((e = agent_msg_request_build(m, buffer, &n)) != CLUSTER_OK || (e = call_connect(path, deadline, timeout_ms > 0, &fd)) != CLUSTER_OK)
		goto out;
	if (send(fd, buffer, n, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)n) {
		e = CLUSTER_EUNAVAIL;
		goto out;
	}
	if (!ret) {
		e = CLUSTER_OK;
		goto out;
	}
	if ((e = call_receive(fd, deadline, buffer, &n)) != CLUSTER_OK || (e = agent_msg_answer_parse(buffer, n, &answer)) != CLUSTER_OK)
		goto out;
	if (answer.type != m->type) {
		e = CLUSTER_EFORMAT;
		goto out;
	}
	*ret = answer;
	e = CLUSTER_OK;
out:
	file_close(fd);
	return e;
}
