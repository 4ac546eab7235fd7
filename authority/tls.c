/* SPDX-License-Identifier: Apache-2.0 */
#include "tls.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "cluster/secret.h"

#define CERT_DAYS 7300

struct tls {
	SSL_CTX *ctx;
};

static enum cluster_err pin_of(EVP_PKEY *key, uint8_t ret[CRYPTO_SHA256_SIZE])
{
	enum cluster_err e = CLUSTER_ECRYPTO;
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(key, &der);

	if (n > 0)
		e = crypto_sha256(der, (size_t)n, ret);
	OPENSSL_free(der);
	return e;
}

static int add_extension(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *x = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	int ok = x && X509_add_ext(cert, x, -1);

	X509_EXTENSION_free(x);
	return ok;
}

/* IP:... or DNS:... */
static int add_host(X509 *cert, const char *host)
{
	ASN1_OCTET_STRING *ip = a2i_IPADDRESS(host);
	char name[300];

	snprintf(name, sizeof name, "%s:%s", ip ? "IP" : "DNS", host);
	ASN1_OCTET_STRING_free(ip);
	return add_extension(cert, NID_subject_alt_name, name);
}

static X509 *self_signed(EVP_PKEY *key, const char *host)
{
	X509 *cert = X509_new();
	X509_NAME *name = cert ? X509_get_subject_name(cert) : NULL;
	unsigned char serial[8];
	BIGNUM *bn = NULL;
	int ok = 0;

	if (!cert || crypto_random(serial, sizeof serial) != CLUSTER_OK)
		goto out;
	serial[0] = (unsigned char)((serial[0] & 0x7f) | 0x40);
	if (!(bn = BN_bin2bn(serial, sizeof serial, NULL)) || !BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(cert)))
		goto out;
	ok = X509_set_version(cert, X509_VERSION_3) && X509_gmtime_adj(X509_getm_notBefore(cert), -3600) && X509_time_adj_ex(X509_getm_notAfter(cert), CERT_DAYS, 0, NULL) &&
	    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)"cluster-authorityd", -1, -1, 0) && X509_set_issuer_name(cert, name) &&
	    X509_set_pubkey(cert, key) && add_host(cert, host) && add_extension(cert, NID_basic_constraints, "critical,CA:FALSE") && X509_sign(cert, key, EVP_sha256());
out:
	BN_free(bn);
	if (!ok) {
		X509_free(cert);
		cert = NULL;
	}
	return cert;
}

/* What a memory BIO holds, as a secret. */
static enum cluster_err drain(BIO *bio, struct secret **ret)
{
	char *data = NULL;
	long n = BIO_get_mem_data(bio, &data);

	return n > 0 ? secret_copy(data, (size_t)n, ret) : CLUSTER_ECRYPTO;
}

enum cluster_err tls_make(const char *host, struct secret **ret_key, char **ret_cert, uint8_t ret_pin[CRYPTO_SHA256_SIZE], struct diag *d)
{
	BIO *key_bio = BIO_new(BIO_s_secmem()), *cert_bio = BIO_new(BIO_s_mem());
	EVP_PKEY *key = EVP_EC_gen("P-256");
	struct secret *key_pem = NULL, *cert_pem = NULL;
	enum cluster_err e = CLUSTER_ECRYPTO;
	X509 *cert = NULL;
	char *text = NULL;

	if (!key_bio || !cert_bio || !key || strlen(host) > 253 || !(cert = self_signed(key, host)))
		goto out;
	if (!PEM_write_bio_PKCS8PrivateKey(key_bio, key, NULL, NULL, 0, NULL, NULL) || !PEM_write_bio_X509(cert_bio, cert))
		goto out;
	if ((e = drain(key_bio, &key_pem)) != CLUSTER_OK || (e = drain(cert_bio, &cert_pem)) != CLUSTER_OK || (e = pin_of(key, ret_pin)) != CLUSTER_OK)
		goto out;
	if (!(text = strdup((const char *)cert_pem->bytes))) {
		e = CLUSTER_ENOMEM;
		goto out;
	}
	*ret_key = key_pem;
	key_pem = NULL;
	*ret_cert = text;
	e = CLUSTER_OK;
out:
	secret_free(cert_pem);
	secret_free(key_pem);
	X509_free(cert);
	EVP_PKEY_free(key);
	BIO_free(cert_bio);
	BIO_free(key_bio);
	ERR_clear_error();
	return e == CLUSTER_OK ? e : diag_set(d, e, "could not make a TLS key and certificate for \"%s\"", host);
}

/* An encrypted key is not asked for at a terminal. */
static int no_password(char *buf, int size, int writing, void *ctx)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)ctx;
	return -1;
}

static enum cluster_err load(SSL_CTX *ctx, const struct secret *key_pem, const char *cert_pem, size_t cert_n, uint8_t ret_pin[CRYPTO_SHA256_SIZE])
{
	BIO *key_bio = BIO_new_mem_buf(key_pem->bytes, (int)key_pem->n), *cert_bio = BIO_new_mem_buf(cert_pem, (int)cert_n);
	EVP_PKEY *key = key_bio ? PEM_read_bio_PrivateKey(key_bio, NULL, no_password, NULL) : NULL;
	X509 *cert = cert_bio ? PEM_read_bio_X509(cert_bio, NULL, no_password, NULL) : NULL;
	enum cluster_err e = CLUSTER_EFORMAT;

	if (key && cert && SSL_CTX_use_certificate(ctx, cert) == 1 && SSL_CTX_use_PrivateKey(ctx, key) == 1 && SSL_CTX_check_private_key(ctx) == 1)
		e = pin_of(key, ret_pin);
	X509_free(cert);
	EVP_PKEY_free(key);
	BIO_free(cert_bio);
	BIO_free(key_bio);
	return e;
}

enum cluster_err tls_new(const struct secret *key, const char *cert, size_t cert_n, struct tls **ret, uint8_t ret_pin[CRYPTO_SHA256_SIZE], struct diag *d)
{
	struct tls *t = calloc(1, sizeof *t);
	enum cluster_err e = CLUSTER_ENOMEM;

	if (!t || !(t->ctx = SSL_CTX_new(TLS_server_method())))
		goto out;
	e = CLUSTER_ECRYPTO;
	if (SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_cipher_list(t->ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1 || SSL_CTX_set_num_tickets(t->ctx, 0) != 1)
		goto out;
	SSL_CTX_set_options(t->ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_session_cache_mode(t->ctx, SSL_SESS_CACHE_OFF);
	/* a held poll keeps no buffer; what is read is read in one call */
	SSL_CTX_set_mode(t->ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_read_ahead(t->ctx, 1);
	if ((e = load(t->ctx, key, cert, cert_n, ret_pin)) != CLUSTER_OK)
		goto out;
	*ret = t;
	t = NULL;
	e = CLUSTER_OK;
out:
	tls_free(t);
	ERR_clear_error();
	return e == CLUSTER_OK ? e : diag_set(d, e, "the TLS key and its certificate cannot be used");
}

void tls_free(struct tls *t)
{
	if (!t)
		return;
	SSL_CTX_free(t->ctx);
	free(t);
}

void tls_stream_init(struct tls_stream *s, int fd, struct tls *t)
{
	s->fd = fd;
	s->tls = t;
	s->ssl = NULL;
}

/* The first bytes have come. A peer who has given up while he waited for his turn is not worth a handshake. */
static enum cluster_err begin(struct tls_stream *s)
{
	struct tcp_info info = { 0 };
	socklen_t size = sizeof info;
	char first;
	ssize_t n = recv(s->fd, &first, 1, MSG_PEEK);

	if (n <= 0)
		return n < 0 && errno == EAGAIN ? CLUSTER_EUNAVAIL : CLUSTER_ETRUNC;
	if (getsockopt(s->fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 || info.tcpi_state != TCP_ESTABLISHED)
		return CLUSTER_ETRUNC;
	if (!(s->ssl = SSL_new(s->tls->ctx)) || SSL_set_fd(s->ssl, s->fd) != 1)
		return CLUSTER_ENOMEM;
	SSL_set_accept_state(s->ssl);
	return CLUSTER_OK;
}

void tls_stream_done(struct tls_stream *s)
{
	SSL_free(s->ssl);
	s->ssl = NULL;
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

static enum cluster_err plain_result(ssize_t n, size_t *ret_n)
{
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? CLUSTER_EUNAVAIL : CLUSTER_ESYSTEM;
	*ret_n = (size_t)n;
	return CLUSTER_OK;
}

static enum cluster_err secure_result(const struct tls_stream *s, int done)
{
	int why = done == 1 ? SSL_ERROR_NONE : SSL_get_error(s->ssl, done);

	if (why == SSL_ERROR_NONE)
		return CLUSTER_OK;
	if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
		return CLUSTER_EUNAVAIL;
	ERR_clear_error();
	return why == SSL_ERROR_ZERO_RETURN ? CLUSTER_ETRUNC : CLUSTER_ESYSTEM;
}

enum cluster_err tls_stream_read(struct tls_stream *s, void *dst, size_t size, size_t *ret_n)
{
	enum cluster_err e;

	if (s->tls && !s->ssl && (e = begin(s)) != CLUSTER_OK)
		return e;
	if (s->ssl) {
		ERR_clear_error(); /* SSL_get_error would take what others left there for its own */
		return secure_result(s, SSL_read_ex(s->ssl, dst, size, ret_n));
	}
	e = plain_result(recv(s->fd, dst, size, 0), ret_n);
	return e == CLUSTER_OK && *ret_n == 0 ? CLUSTER_ETRUNC : e;
}

enum cluster_err tls_stream_write(struct tls_stream *s, const void *data, size_t n, size_t *ret_n)
{
	if (s->ssl) {
		ERR_clear_error();
		return secure_result(s, SSL_write_ex(s->ssl, data, n, ret_n));
	}
	return plain_result(send(s->fd, data, n, MSG_NOSIGNAL), ret_n);
}

void tls_stream_end(struct tls_stream *s)
{
	if (s->ssl && SSL_is_init_finished(s->ssl))
		SSL_shutdown(s->ssl);
	ERR_clear_error();
	shutdown(s->fd, SHUT_WR);
}
