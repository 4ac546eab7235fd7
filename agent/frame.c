/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cluster/directory.h"
#include "cluster/document.h"
#include "cluster/file.h"
#include "cluster/request.h"

#define HEAD_SIZE 5
#define TOKEN_MAX 4096
#define WANT_SIZE (CRYPTO_SHA256_SIZE + 8)

size_t frame_max(enum frame_type type)
{
	switch (type) {
	case FRAME_SIGN:
		return REQUEST_PATH_MAX;
	case FRAME_HEAD:
		return 8192;
	case FRAME_OBJECT:
		return DIRECTORY_SHARD_MAX;
	case FRAME_TOKEN:
		return TOKEN_MAX;
	case FRAME_WANT:
		return (DIRECTORY_SHARDS_MAX + 8) * WANT_SIZE;
	case FRAME_POLL:
		return 8;
	case FRAME_REFUSED:
		return 9 + IPC_TEXT_MAX;
	case FRAME_PINS:
		return 8 + DOCUMENT_TLS_MAX * CRYPTO_SHA256_SIZE;
	case FRAME_RENEWAL:
		return ID_SIZE + CREDENTIAL_SIZE_MAX;
	case FRAME_FETCHED:
	case FRAME_ABANDON:
	case FRAME_TYPE_N:
		break;
	}
	return 0;
}

/* As file_write_all, but a vanished reader is an error and not a signal. */
static enum cluster_err send_all(int fd, const void *data, size_t n)
{
	const uint8_t *p = data;
	ssize_t sent;

	while (n > 0) {
		sent = send(fd, p, n, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return CLUSTER_EUNAVAIL;
		p += sent;
		n -= (size_t)sent;
	}
	return CLUSTER_OK;
}

enum cluster_err frame_send(int fd, enum frame_type type, const void *data, size_t n)
{
	uint8_t head[HEAD_SIZE];
	enum cluster_err e;
	uint32_t len;

	if (n > frame_max(type))
		return CLUSTER_ELIMIT;
	len = (uint32_t)n;
	memcpy(head, &len, sizeof len);
	head[4] = (uint8_t)type;
	if ((e = send_all(fd, head, sizeof head)) != CLUSTER_OK)
		return e;
	return send_all(fd, data, n);
}

enum cluster_err frame_receive(int fd, struct frame *ret)
{
	uint8_t head[HEAD_SIZE];
	struct frame f;
	uint32_t len;

	if (file_read_all(fd, head, sizeof head) != CLUSTER_OK)
		return CLUSTER_EUNAVAIL;
	memcpy(&len, head, sizeof len);
	if (head[4] == 0 || head[4] >= FRAME_TYPE_N)
		return CLUSTER_EFORMAT;
	f.type = (enum frame_type)head[4];
	f.n = len;
	if (f.n > frame_max(f.type))
		return CLUSTER_ELIMIT;
	f.data = malloc(f.n + 1);
	if (!f.data)
		return CLUSTER_ENOMEM;
	if (file_read_all(fd, f.data, f.n) != CLUSTER_OK) {
		free(f.data);
		return CLUSTER_EUNAVAIL;
	}
	f.data[f.n] = '\0';
	*ret = f;
	return CLUSTER_OK;
}

void frame_done(struct frame *f)
{
	free(f->data);
	f->data = NULL;
	f->n = 0;
}
