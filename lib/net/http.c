/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/http.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "cluster/b64.h"
#include "cluster/endpoint.h"
#include "cluster/moment.h"
#include "cluster/num.h"
#include "cluster/wr.h"

#define BASE_MAX 300
#define PATH_MAX_LENGTH 1024
#define TARGET_MAX (BASE_MAX + PATH_MAX_LENGTH)
#define HEADERS_MAX 65536
#define TIMEOUT_DEFAULT_MS 30000
#define WAIT_MS 1000

struct http {
	CURL *curl;
	CURLM *multi; /* keeps the connection */
	const struct http_idle *idle;
	bool https;
	char base[BASE_MAX + 1]; /* "https://host:port", or "http://localhost" for a socket */
	char name[BASE_MAX + ENDPOINT_TEXT + 8]; /* for messages */
	struct curl_slist *connect_to;
};

/* One exchange: what the callbacks fill. */
struct exchange {
	struct wr body;
	size_t max_body, headers_n;
	bool too_large, encoded;
};

static enum cluster_err start(struct diag *d)
{
	static bool started;
	enum cluster_err e;

	if (started)
		return CLUSTER_OK;
	/* libcrypto first, so that libcurl does not make it read a configuration file (THREATS.md F1); then what libcurl reads by itself (F2). */
	if ((e = crypto_start()) != CLUSTER_OK)
		return diag_set(d, e, "cannot start libcrypto");
	if (unsetenv("SSLKEYLOGFILE") != 0 || unsetenv("CURL_SSL_BACKEND") != 0)
		return diag_errno(d, "unsetenv");
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return diag_set(d, CLUSTER_ENOMEM, "cannot start libcurl");
	started = true;
	return CLUSTER_OK;
}

static bool port_ok(const char *s)
{
	uint32_t port;

	return num_u32(s, 1, 65535, &port) == CLUSTER_OK;
}

/* host, host:port or [address]:port; nothing else, so that no base can smuggle a path, a query or a user name. */
static bool authority_ok(const char *s)
{
	size_t n;

	if (*s == '[') {
		n = strspn(s + 1, "0123456789abcdefABCDEF:.");
		if (n < 2 || s[n + 1] != ']')
			return false;
		s += n + 2;
	} else {
		n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-");
		if (n == 0 || *s == '-' || *s == '.')
			return false;
		s += n;
	}
	return *s == '\0' || (*s == ':' && port_ok(s + 1));
}

static enum cluster_err base_set(struct http *h, const char *base, struct diag *d)
{
	size_t n = strlen(base);

	if (strncmp(base, "unix:", 5) == 0) {
		struct sockaddr_un un;

		if (base[5] != '/' || n - 5 >= sizeof un.sun_path)
			return diag_set(d, CLUSTER_ECONFIG, "\"%.100s\": a socket is written unix:/absolute/path, at most %zu bytes", base, sizeof un.sun_path - 1);
		memcpy(h->base, "http://localhost", sizeof "http://localhost");
		memcpy(h->name, base + 5, n - 4);
		return CLUSTER_OK;
	}
	if (n > 0 && base[n - 1] == '/')
		n--;
	if (n > BASE_MAX || strncmp(base, "https://", 8) != 0)
		return diag_set(d, CLUSTER_ECONFIG, "\"%.100s\": an authority's address is written https://host:port", base);
	memcpy(h->base, base, n);
	h->base[n] = '\0';
	if (!authority_ok(h->base + 8))
		return diag_set(d, CLUSTER_ECONFIG, "\"%.100s\": after https:// only a host and a port may stand", base);
	memcpy(h->name, h->base, n + 1);
	h->https = true;
	return CLUSTER_OK;
}

/* "sha256//<base64>;sha256//<base64>...": standard alphabet and padding, as libcurl wants it. */
static enum cluster_err pins_text(const struct http_options *o, char *dst, size_t size)
{
	enum cluster_err e;
	struct wr w;
	size_t i, j;

	wr_init(&w, dst, size - 1);
	for (i = 0; i < o->n_pins; i++) {
		char text[B64_LEN(CRYPTO_SHA256_SIZE) + 1];

		if ((e = b64_encode(o->pins[i], CRYPTO_SHA256_SIZE, text, sizeof text)) != CLUSTER_OK)
			return e;
		for (j = 0; text[j] != '\0'; j++) {
			if (text[j] == '-')
				text[j] = '+';
			else if (text[j] == '_')
				text[j] = '/';
		}
		wr_printf(&w, "%ssha256//%s=", i > 0 ? ";" : "", text);
	}
	if ((e = wr_end(&w)) != CLUSTER_OK)
		return e;
	dst[w.n] = '\0';
	return CLUSTER_OK;
}

/*
 * The signed keyset's pins stand in for the PKI: the handshake proves possession of the pinned key, and libcurl compares the pin before it
 * sends a byte of the request. Without pins (anonymous) nothing secret is sent and what comes back proves itself.
 */
static CURLcode set_tls(CURL *c, const struct http_options *o, const char *pins)
{
	CURLcode r = curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https");

	if (r == CURLE_OK)
		r = curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L);
	if (r == CURLE_OK)
		r = curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L);
	if (r == CURLE_OK)
		r = curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (r == CURLE_OK)
		r = curl_easy_setopt(c, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	if (r == CURLE_OK && !o->anonymous)
		r = curl_easy_setopt(c, CURLOPT_PINNEDPUBLICKEY, pins);
	return r;
}

static CURLcode set_socket(CURL *c, const char *path)
{
	CURLcode r = curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http");

	if (r == CURLE_OK)
		r = curl_easy_setopt(c, CURLOPT_UNIX_SOCKET_PATH, path);
	return r;
}

/* The connection goes to the relay; URL, Host, SNI and pins stay the authority's. */
static enum cluster_err via_set(struct http *h, const char *via, struct diag *d)
{
	char rule[ENDPOINT_TEXT + 3];

	if (!via)
		return CLUSTER_OK;
	if (!h->https || !endpoint_ok(via))
		return diag_set(d, CLUSTER_ECONFIG, "\"%.100s\": a relay is written host:port, and only https goes through one", via);
	(void)snprintf(rule, sizeof rule, "::%s", via);
	h->connect_to = curl_slist_append(NULL, rule);
	if (!h->connect_to || curl_easy_setopt(h->curl, CURLOPT_CONNECT_TO, h->connect_to) != CURLE_OK)
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	(void)snprintf(h->name + strlen(h->name), ENDPOINT_TEXT + 8, " via %s", via);
	return CLUSTER_OK;
}

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
	struct exchange *x = arg;

	if (x->body.n > x->max_body || size * n > x->max_body - x->body.n) {
		x->too_large = true;
		return 0;
	}
	wr_bytes(&x->body, p, size * n);
	return wr_end(&x->body) == CLUSTER_OK ? size * n : 0;
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
	static const char name[] = "content-encoding:";
	struct exchange *x = arg;

	x->headers_n += size * n;
	if (x->headers_n > HEADERS_MAX) {
		x->too_large = true;
		return 0;
	}
	if (size * n >= sizeof name - 1 && strncasecmp(p, name, sizeof name - 1) == 0) {
		x->encoded = true;
		return 0;
	}
	return size * n;
}

/* A peer that has vanished without a word is noticed while a long poll waits. A socket that does not know these options works without them. */
static int on_socket(void *arg, curl_socket_t fd, curlsocktype type)
{
	static const int on = 1, idle = 10, interval = 5, count = 2, unanswered_ms = 20000;

	(void)arg;
	(void)type;
	if (setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on) == 0 && setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle) == 0 &&
	    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval) == 0 && setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count) == 0)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unanswered_ms, sizeof unanswered_ms);
	return CURL_SOCKOPT_OK;
}

static CURLcode set_common(CURL *c, const struct http_options *o)
{
	CURLcode r = curl_easy_setopt(c, CURLOPT_PROXY, "");

	if (r == CURLE_OK)
		r = curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	if (r == CURLE_OK)
		r = curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	if (r == CURLE_OK)
		r = curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	if (r == CURLE_OK)
		r = curl_easy_setopt(c, CURLOPT_HTTP_CONTENT_DECODING, 0L);
	if (r == CURLE_OK)
		r = curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	if (r == CURLE_OK)
		r = curl_easy_setopt(c, CURLOPT_SOCKOPTFUNCTION, on_socket);
	if (r == CURLE_OK)
		r = curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, o->connect_timeout_ms > 0 ? (long)o->connect_timeout_ms : 5000L);
	if (r == CURLE_OK)
		r = curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	if (r == CURLE_OK)
		r = curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	return r;
}

enum cluster_err http_new(const struct http_options *o, struct http **ret, struct diag *d)
{
	char pins[HTTP_PINS_MAX * 56];
	enum cluster_err e;
	struct http *h = NULL;
	CURLcode r;

	if ((e = start(d)) != CLUSTER_OK)
		goto out;
	if ((h = calloc(1, sizeof *h)) == NULL || (h->curl = curl_easy_init()) == NULL || (h->multi = curl_multi_init()) == NULL) {
		e = diag_set(d, CLUSTER_ENOMEM, "out of memory");
		goto out;
	}
	if ((e = base_set(h, o->base, d)) != CLUSTER_OK)
		goto out;
	if (h->https && !o->anonymous && (o->n_pins == 0 || o->n_pins > HTTP_PINS_MAX)) {
		e = diag_set(d, CLUSTER_ECONFIG, "%zu TLS pins: there must be 1 to %d", o->n_pins, HTTP_PINS_MAX);
		goto out;
	}
	if (h->https && !o->anonymous && (e = pins_text(o, pins, sizeof pins)) != CLUSTER_OK)
		goto out;
	if ((e = via_set(h, o->via, d)) != CLUSTER_OK)
		goto out;
	r = h->https ? set_tls(h->curl, o, pins) : set_socket(h->curl, o->base + 5);
	if (r == CURLE_OK)
		r = set_common(h->curl, o);
	if (r == CURLE_OK && curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, 1L) != CURLM_OK)
		r = CURLE_FAILED_INIT;
	if (r != CURLE_OK) {
		e = diag_set(d, r == CURLE_OUT_OF_MEMORY ? CLUSTER_ENOMEM : CLUSTER_ECONFIG, "libcurl: %s", curl_easy_strerror(r));
		goto out;
	}
	*ret = h;
	h = NULL;
	e = CLUSTER_OK;
out:
	http_free(h);
	return e;
}

void http_free(struct http *h)
{
	if (h == NULL)
		return;
	curl_easy_cleanup(h->curl);
	curl_multi_cleanup(h->multi);
	curl_slist_free_all(h->connect_to);
	free(h);
}

void http_idle(struct http *h, const struct http_idle *idle)
{
	h->idle = idle;
}

static int64_t idle_run(const struct http *h, bool readable)
{
	int ms = h->idle ? h->idle->run(h->idle->arg, readable) : -1;

	return ms < 0 ? INT64_MAX : moment_ms() + ms;
}

/* Waits for the connection, and for what else there is to do meanwhile. *due: when that wants to be called. */
static CURLMcode wait_for(struct http *h, int64_t *due)
{
	struct curl_waitfd fd = { .fd = h->idle ? h->idle->fd : -1, .events = CURL_WAIT_POLLIN };
	int64_t left = *due - moment_ms();
	CURLMcode r;

	r = curl_multi_poll(h->multi, &fd, h->idle != NULL, left <= 0 ? 0 : left < WAIT_MS ? (int)left : WAIT_MS, NULL);
	if (r == CURLM_OK && h->idle && (fd.revents || moment_ms() >= *due))
		*due = idle_run(h, fd.revents != 0);
	return r;
}

static CURLcode perform(struct http *h)
{
	int64_t due = idle_run(h, false);
	int running = 1, queued;
	CURLMcode r = curl_multi_add_handle(h->multi, h->curl);
	CURLcode result = CURLE_FAILED_INIT;
	const CURLMsg *m;

	if (r != CURLM_OK)
		return r == CURLM_OUT_OF_MEMORY ? CURLE_OUT_OF_MEMORY : CURLE_FAILED_INIT;
	while (r == CURLM_OK && (r = curl_multi_perform(h->multi, &running)) == CURLM_OK && running)
		r = wait_for(h, &due);
	while (r == CURLM_OK && (m = curl_multi_info_read(h->multi, &queued)) != NULL) {
		if (m->msg == CURLMSG_DONE && m->easy_handle == h->curl)
			result = m->data.result;
	}
	if (r == CURLM_OUT_OF_MEMORY)
		result = CURLE_OUT_OF_MEMORY;
	curl_multi_remove_handle(h->multi, h->curl);
	return result;
}

/* *list stays the caller's to free, also on failure. */
static enum cluster_err headers_set(CURL *c, const struct http_request *q, struct curl_slist **list)
{
	static const char *const get[] = { "Expect:", NULL }, *const post[] = { "Expect:", "Content-Type: application/json", NULL };
	const char *const *sets[] = { strcmp(q->method, "GET") == 0 ? get : post, q->headers };
	size_t i, j;

	for (i = 0; i < sizeof sets / sizeof sets[0]; i++) {
		for (j = 0; sets[i] != NULL && sets[i][j] != NULL; j++) {
			struct curl_slist *more;

			if (strpbrk(sets[i][j], "\r\n") != NULL)
				return CLUSTER_EFORMAT;
			if ((more = curl_slist_append(*list, sets[i][j])) == NULL)
				return CLUSTER_ENOMEM;
			*list = more;
		}
	}
	return curl_easy_setopt(c, CURLOPT_HTTPHEADER, *list) == CURLE_OK ? CLUSTER_OK : CLUSTER_ENOMEM;
}

static bool path_ok(const char *s)
{
	size_t i;

	if (s[0] != '/')
		return false;
	for (i = 0; s[i] != '\0'; i++) {
		if (i >= PATH_MAX_LENGTH || s[i] <= ' ' || s[i] > '~' || s[i] == '#')
			return false;
	}
	return true;
}

static enum cluster_err request_set(struct http *h, const struct http_request *q, struct exchange *x)
{
	char target[TARGET_MAX + 1];
	CURL *c = h->curl;
	CURLcode r;

	(void)snprintf(target, sizeof target, "%s%s", h->base, q->path);
	r = curl_easy_setopt(c, CURLOPT_URL, target);
	if (r == CURLE_OK)
		r = curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L);
	if (strcmp(q->method, "GET") == 0) {
		if (r == CURLE_OK)
			r = curl_easy_setopt(c, CURLOPT_HTTPGET, 1L);
	} else {
		if (r == CURLE_OK)
			r = curl_easy_setopt(c, CURLOPT_POST, 1L);
		if (r == CURLE_OK)
			r = curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body_n);
		if (r == CURLE_OK)
			r = curl_easy_setopt(c, CURLOPT_POSTFIELDS, q->body != NULL ? q->body : "");
	}
	if (r == CURLE_OK)
		r = curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, q->timeout_ms > 0 ? (long)q->timeout_ms : (long)TIMEOUT_DEFAULT_MS);
	if (r == CURLE_OK)
		r = curl_easy_setopt(c, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)(q->max_body > 0 ? q->max_body : 1));
	if (r == CURLE_OK)
		r = curl_easy_setopt(c, CURLOPT_WRITEDATA, x);
	if (r == CURLE_OK)
		r = curl_easy_setopt(c, CURLOPT_HEADERDATA, x);
	return r == CURLE_OK ? CLUSTER_OK : CLUSTER_ENOMEM;
}

static enum cluster_err refused(const struct http *h, const struct exchange *x, CURLcode r, const char *detail, struct diag *d)
{
	const char *who = h->name;
	long why = 0;

	if (x->too_large || r == CURLE_FILESIZE_EXCEEDED)
		return diag_set(d, CLUSTER_ELIMIT, "%s: the answer is larger than %zu bytes", who, x->max_body);
	if (x->encoded)
		return diag_set(d, CLUSTER_EFORMAT, "%s: the answer has a Content-Encoding", who);
	if (r == CURLE_OUT_OF_MEMORY || x->body.err == CLUSTER_ENOMEM)
		return diag_set(d, CLUSTER_ENOMEM, "out of memory");
	if (r == CURLE_SSL_PINNEDPUBKEYNOTMATCH || r == CURLE_PEER_FAILED_VERIFICATION)
		return diag_set(d, CLUSTER_EUNTRUSTED, "%s answers with a TLS key that the cluster's keyset does not list; nothing was sent", who);
	if (r == CURLE_UNSUPPORTED_PROTOCOL || r == CURLE_WEIRD_SERVER_REPLY || r == CURLE_BAD_CONTENT_ENCODING)
		return diag_set(d, CLUSTER_EFORMAT, "%s does not speak HTTP as it should: %s", who, detail);
	/* of a socket libcurl tells a tale of localhost and port 80 */
	if (who[0] == '/' && curl_easy_getinfo(h->curl, CURLINFO_OS_ERRNO, &why) == CURLE_OK && why > 0)
		detail = strerror((int)why);
	return diag_set(d, CLUSTER_EUNAVAIL, "cannot reach %s: %s", who, detail);
}

enum cluster_err http_do(struct http *h, const struct http_request *q, struct http_response *ret, struct diag *d)
{
	char detail[CURL_ERROR_SIZE] = "";
	struct curl_slist *list = NULL;
	struct exchange x = { .max_body = q->max_body };
	enum cluster_err e;
	uint8_t *body = NULL;
	size_t n = 0;
	long status = 0;
	CURLcode r;

	wr_grow(&x.body, q->max_body + 1);
	if (!path_ok(q->path)) {
		e = diag_set(d, CLUSTER_ECONFIG, "\"%.100s\" is not a request path", q->path);
		goto out;
	}
	if ((e = headers_set(h->curl, q, &list)) != CLUSTER_OK || (e = request_set(h, q, &x)) != CLUSTER_OK) {
		diag_set(d, e, "cannot prepare the request: %s", err_name(e));
		goto out;
	}
	(void)curl_easy_setopt(h->curl, CURLOPT_ERRORBUFFER, detail);
	r = perform(h);
	(void)curl_easy_setopt(h->curl, CURLOPT_ERRORBUFFER, NULL);
	if (r == CURLE_OK)
		r = curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &status);
	if (r != CURLE_OK || x.too_large || x.encoded) {
		e = refused(h, &x, r, detail[0] != '\0' ? detail : curl_easy_strerror(r), d);
		goto out;
	}
	n = x.body.n;
	wr_u8(&x.body, 0);
	if ((e = wr_take(&x.body, &body, &(size_t){ 0 })) != CLUSTER_OK)
		goto out;
	ret->status = (int)status;
	ret->body = (char *)body;
	ret->n = n;
	e = CLUSTER_OK;
out:
	(void)curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, NULL);
	curl_slist_free_all(list);
	wr_done(&x.body);
	return e;
}

void http_response_done(struct http_response *r)
{
	if (r->body != NULL)
		explicit_bzero(r->body, r->n);
	free(r->body);
	*r = (struct http_response){ 0 };
}
