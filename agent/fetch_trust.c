/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch_part.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/api.h"
#include "cluster/b64.h"
#include "cluster/rd.h"

/* What is said to trust, what is asked with its signature, and what is brought to it. */

#define OBJECT_TIMEOUT_MS 120000
#define OBJECT_TEXT 43

static void take_pins(struct fetch *f, const struct frame *m)
{
	uint64_t version = 0;
	size_t n, bytes;
	struct rd r;

	rd_init(&r, m->data, m->n);
	fetch_must(rd_u64(&r, &version));
	bytes = rd_left(&r);
	n = bytes / CRYPTO_SHA256_SIZE;
	if (n == 0 || n > DOCUMENT_TLS_MAX || bytes % CRYPTO_SHA256_SIZE != 0 || version > INT64_MAX)
		fetch_must(CLUSTER_EFORMAT);
	if ((int64_t)version < f->keyset.version) /* a newer one has been proved meanwhile */
		return;
	f->keyset.version = (int64_t)version;
	if (n == f->keyset.n_tls && memcmp(f->keyset.tls, m->data + 8, bytes) == 0)
		return;
	f->keyset.n_tls = n;
	memcpy(f->keyset.tls, m->data + 8, bytes);
	f->bootstrap = false;
	f->repin = true;
}

enum cluster_err fetch_trust_hear(struct fetch *f)
{
	enum cluster_err e;

	for (;;) {
		frame_done(&f->reply);
		if ((e = frame_receive(f->trust, &f->reply)) != CLUSTER_OK)
			return e;
		if (f->reply.type != FRAME_PINS)
			break;
		take_pins(f, &f->reply);
	}
	if (f->reply.type == FRAME_POLL || f->reply.type == FRAME_REFUSED) {
		struct rd r;

		rd_init(&r, f->reply.data, f->reply.n);
		return rd_u64(&r, &f->after);
	}
	return f->reply.type == FRAME_TOKEN || f->reply.type == FRAME_WANT ? CLUSTER_OK : CLUSTER_EFORMAT;
}

static enum cluster_err sign(struct fetch *f, const char *path, char **ret, struct diag *d)
{
	char *header = NULL;

	fetch_must(frame_send(f->trust, FRAME_SIGN, path, strlen(path)));
	fetch_must(fetch_trust_hear(f));
	if (f->reply.type != FRAME_TOKEN || f->reply.n == 0)
		return diag_set(d, CLUSTER_EDENIED, "the request for %s was not signed", path);
	if (asprintf(&header, "Authorization: Cluster-Node %s", (const char *)f->reply.data) < 0)
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	*ret = header;
	return CLUSTER_OK;
}

enum cluster_err fetch_trust_ask(struct fetch *f, struct http *h, const struct fetch_request *q, struct json **ret, struct diag *d)
{
	const char *headers[2] = { NULL, NULL };
	char *header = NULL;
	enum cluster_err e;

	if ((e = sign(f, q->path, &header, d)) != CLUSTER_OK)
		return e;
	headers[0] = header;
	e = api_json(h, q->path, headers, q->body, q->timeout_ms, ret, d);
	free(header);
	return e;
}

static enum cluster_err get_object(struct fetch *f, const char *name, uint64_t max, struct diag *d)
{
	char path[sizeof "/v1/objects/" + OBJECT_TEXT], *header = NULL;
	const char *headers[2] = { NULL, NULL };
	struct http_response bytes = { 0 };
	enum cluster_err e;

	snprintf(path, sizeof path, "/v1/objects/%s", name);
	if ((e = sign(f, path, &header, d)) != CLUSTER_OK)
		return e;
	headers[0] = header;
	e = api_bytes(f->http, path, headers, (size_t)max, OBJECT_TIMEOUT_MS, &bytes, d);
	if (e == CLUSTER_OK)
		fetch_must(frame_send(f->trust, FRAME_OBJECT, bytes.body, bytes.n));
	http_response_done(&bytes);
	free(header);
	return e;
}

/* All that trust wants: from the answer at hand, else one by one. */
static enum cluster_err get_wanted(struct fetch *f, const struct json *inline_objects, struct diag *d)
{
	struct frame want = f->reply;
	char name[OBJECT_TEXT + 1];
	enum cluster_err e = CLUSTER_OK;
	const uint8_t *sha256;
	const char *text;
	uint64_t max;
	struct rd r;

	memset(&f->reply, 0, sizeof f->reply);
	rd_init(&r, want.data, want.n);
	while (e == CLUSTER_OK && rd_left(&r) > 0) {
		fetch_must(rd_view(&r, CRYPTO_SHA256_SIZE, &sha256));
		fetch_must(rd_u64(&r, &max));
		fetch_must(b64_encode(sha256, CRYPTO_SHA256_SIZE, name, sizeof name));
		text = inline_objects ? json_member_text(inline_objects, name) : NULL;
		if (text && strlen(text) <= max)
			fetch_must(frame_send(f->trust, FRAME_OBJECT, text, strlen(text)));
		else if (max > frame_max(FRAME_OBJECT))
			e = diag_set(d, CLUSTER_ELIMIT, "an object of %llu bytes", (unsigned long long)max);
		else
			e = get_object(f, name, max, d);
	}
	frame_done(&want);
	fetch_must(frame_send(f->trust, e == CLUSTER_OK ? FRAME_FETCHED : FRAME_ABANDON, NULL, 0));
	fetch_must(fetch_trust_hear(f));
	return e;
}

static enum cluster_err refused(const struct fetch *f, struct diag *d)
{
	uint8_t why = f->reply.n > 9 ? f->reply.data[8] : 0;

	if (why == CLUSTER_OK || why > CLUSTER_ECONFIG)
		return diag_set(d, CLUSTER_EDENIED, "its head is refused");
	return diag_set(d, (enum cluster_err)why, "its head is refused: %s", (const char *)f->reply.data + 9);
}

enum cluster_err fetch_trust_deliver(struct fetch *f, const char *head, const struct json *inline_objects, struct diag *d)
{
	enum cluster_err e = CLUSTER_OK;

	if (strlen(head) > frame_max(FRAME_HEAD))
		return diag_set(d, CLUSTER_ELIMIT, "a head of %zu bytes", strlen(head));
	fetch_must(frame_send(f->trust, FRAME_HEAD, head, strlen(head)));
	fetch_must(fetch_trust_hear(f));
	while (e == CLUSTER_OK && f->reply.type == FRAME_WANT)
		e = get_wanted(f, inline_objects, d);
	if (e == CLUSTER_OK && f->reply.type == FRAME_REFUSED)
		e = refused(f, d);
	return e;
}
