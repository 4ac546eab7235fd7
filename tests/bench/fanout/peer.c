/* SPDX-License-Identifier: Apache-2.0 */
#include "sim.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/x509.h>

#define BUFFER ((size_t)8 << 20) /* `wait` lists every node */

static char buffer[BUFFER];

SSL_CTX *sim_client_context(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (!ctx)
		sim_die("SSL_CTX_new");
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE);
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	return ctx;
}

bool sim_peer_open(struct sim_peer *p, SSL_CTX *ctx, int port, size_t number)
{
	struct sockaddr_in own = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f010000 + (uint32_t)number + 1) };
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int one = 1;

	memset(p, 0, sizeof *p);
	if ((p->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) < 0)
		sim_die("socket: %s", strerror(errno));
	setsockopt(p->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
	setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (bind(p->fd, (struct sockaddr *)&own, sizeof own) != 0)
		sim_die("bind: %s", strerror(errno));
	if (connect(p->fd, (struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS) {
		close(p->fd);
		p->fd = -1;
		return false;
	}
	p->state = SIM_CONNECTING;
	if (ctx && (!(p->ssl = SSL_new(ctx)) || SSL_set_fd(p->ssl, p->fd) != 1))
		sim_die("SSL_new");
	return true;
}

void sim_peer_close(struct sim_peer *p)
{
	SSL_free(p->ssl);
	if (p->fd >= 0 && p->state != SIM_DOWN)
		close(p->fd);
	free(p->in);
	memset(p, 0, sizeof *p);
	p->fd = -1;
}

bool sim_peer_step(struct sim_peer *p)
{
	int n = 0, e = 0;
	socklen_t size = sizeof e;

	if (p->state == SIM_CONNECTING) {
		struct tcp_info info = { 0 };
		socklen_t info_n = sizeof info;

		if (getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &e, &size) != 0 || e)
			return false;
		if (getsockopt(p->fd, IPPROTO_TCP, TCP_INFO, &info, &info_n) != 0 || info.tcpi_state != TCP_ESTABLISHED)
			return info.tcpi_state == TCP_SYN_SENT;
		p->state = p->ssl ? SIM_HANDSHAKE : SIM_READY;
	}
	if (p->state == SIM_HANDSHAKE) {
		ERR_clear_error();
		n = SSL_connect(p->ssl);
		if (n != 1) {
			e = SSL_get_error(p->ssl, n);
			return e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE;
		}
		p->state = SIM_READY;
	}
	return true;
}

bool sim_peer_send(struct sim_peer *p, const char *text, size_t n)
{
	ERR_clear_error();
	return (p->ssl ? SSL_write(p->ssl, text, (int)n) : (int)send(p->fd, text, n, MSG_NOSIGNAL)) == (int)n;
}

bool sim_peer_pinned(const struct sim_peer *p, const struct document_keyset *keyset)
{
	X509 *cert = SSL_get0_peer_certificate(p->ssl);
	unsigned char *der = NULL;
	uint8_t pin[CRYPTO_SHA256_SIZE];
	int n = cert ? i2d_PUBKEY(X509_get0_pubkey(cert), &der) : -1;
	bool known = false;

	if (n > 0 && crypto_sha256(der, (size_t)n, pin) == CLUSTER_OK) {
		for (size_t i = 0; i < keyset->n_tls; i++)
			known = known || memcmp(pin, keyset->tls[i], sizeof pin) == 0;
	}
	OPENSSL_free(der);
	return known;
}

/* Bytes into the buffer behind what is there; -1: at its end. */
static ssize_t more(struct sim_peer *p, size_t at)
{
	ssize_t n;
	int e;

	if (!p->ssl) {
		n = recv(p->fd, buffer + at, sizeof buffer - at, 0);
		return n > 0 ? n : n < 0 && errno == EAGAIN ? 0 : -1;
	}
	ERR_clear_error();
	n = SSL_read(p->ssl, buffer + at, (int)(sizeof buffer - at));
	if (n > 0)
		return n;
	e = SSL_get_error(p->ssl, (int)n);
	return e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

/* Is it a whole answer? */
static bool whole(size_t n, struct sim_answer *ret)
{
	const char *end, *length;

	buffer[n] = '\0';
	if (n < 12 || !(end = strstr(buffer, "\r\n\r\n")) || !(length = strstr(buffer, "Content-Length: ")) || length > end)
		return false;
	ret->status = atoi(buffer + 9);
	ret->body = end + 4;
	ret->n = (size_t)atol(length + strlen("Content-Length: "));
	return n >= (size_t)(ret->body - buffer) + ret->n;
}

int sim_peer_read(struct sim_peer *p, struct sim_answer *ret)
{
	size_t n = p->n_in;
	ssize_t got;

	if (n)
		memcpy(buffer, p->in, n);
	while ((got = more(p, n)) > 0) {
		n += (size_t)got;
		if (n >= sizeof buffer - 1)
			sim_die("an answer is too large");
		if (!whole(n, ret))
			continue;
		free(p->in);
		p->in = NULL;
		p->n_in = 0;
		return 1;
	}
	if (got < 0)
		return -1;
	if (n != p->n_in) {
		if (!(p->in = realloc(p->in, n)))
			sim_die("out of memory");
		memcpy(p->in, buffer, n);
		p->n_in = n;
	}
	return 0;
}
