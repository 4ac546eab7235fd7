/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_IPC_H
#define AGENT_IPC_H

#include <stddef.h>
#include <stdint.h>

#include "cluster/agent_msg.h"
#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "cluster/id.h"

#include "hop_judge.h"

/*
 * What the processes of the agent say to each other. They are one program, forked: packets between root and each of the others are this fixed-size
 * struct; between fetch and trust, where documents travel, frames of a length and a type. THREATS.md I1: root reads nothing else.
 *
 *   fetch  --frames-->  trust  --publish (snapshots as sealed memory)-->  root  --status-->  serve
 *     |                                                                    |  <--session--    |
 *     `-------------------- contact, log ----------------------------------'
 * One more process vouches for hops: hop --whose session?, counts, log--> root, and root's answer back.
 * Where this node is a relay, one more process has nothing to do with these: relay --counts, log--> root.
 */

enum ipc_type {
	IPC_LOG = 1,   /* any to root: a line to log */
	IPC_CONTACT,   /* fetch to root: a poll went well or failed */
	IPC_PUBLISH,   /* trust to root: a verified set, with descriptors of accounts.snap, trust.snap and the documents, each or none by the flags */
	IPC_PUBLISHED, /* root to trust: what became of it */
	IPC_AGAIN,     /* root to trust: what is installed is damaged, make all of it again */
	IPC_LOCAL,     /* root to trust: the local account files have changed; two descriptors */
	IPC_SESSION,   /* serve to root: a session was opened or closed; root to serve: the answer */
	IPC_STATUS,    /* root to serve */
	IPC_PROVED,    /* root to trust: what was installed while sessions could not be looked at is applied to them now */
	IPC_SESSIONS,  /* root to fetch: the live sessions, for the authority; a descriptor of all of them as struct session */
	IPC_RENEW,     /* root to fetch: look for a newer credential */
	IPC_RENEWED,   /* trust to root: there is one, verified; a descriptor of it as struct credential */
	IPC_RELAY,     /* relay to root: how many connections it has and had */
	IPC_REFUSAL,   /* serve to root to fetch: somebody was refused here, for the authority; root only hands it on */
	IPC_HOP_ASK,   /* hop to root: whose session is that process in? A descriptor of the process */
	IPC_HOP_CALLER, /* root to hop: the answer */
	IPC_HOP_COUNTS, /* hop to root: how often it has vouched, and refused to */
	IPC_TYPE_N
};

#define IPC_TEXT_MAX 400
#define IPC_URL_MAX 160 /* of the authority, and of the relay to it */
#define IPC_FDS_MAX 3

#define IPC_PUBLISH_ACCOUNTS 1u
#define IPC_PUBLISH_TRUST 2u
#define IPC_PUBLISH_DOCS 4u
#define IPC_PUBLISH_REBUILT 8u /* the same head as installed: after a start, or when local files changed */

struct ipc_log {
	uint32_t level; /* enum log_level */
	char text[IPC_TEXT_MAX + 1];
};

struct ipc_contact {
	uint32_t err;   /* enum cluster_err */
	uint32_t round; /* 1: the last authority of the list has been tried */
	char url[IPC_URL_MAX];
	char text[IPC_TEXT_MAX + 1];
};

struct ipc_publish {
	uint32_t flags;
	uint64_t head_version;
	int64_t head_iat, newest_iat;
};

struct ipc_published {
	uint32_t err;
	uint32_t unproved; /* 1: it is installed, but some session could not be looked at or ended */
	uint64_t ended; /* sessions ended since the agent started */
	char text[IPC_TEXT_MAX + 1];
};

struct ipc_session {
	uint32_t request; /* enum agent_msg_type */
	uint32_t err;
	uint64_t client;  /* serve's own number of the client */
	struct cluster_id id;
};

struct ipc_relay {
	uint64_t now, accepted, refused, failed;
};

struct ipc_hop_ask {
	uint64_t client; /* the hop process's own number of the connection */
	uint32_t uid;
	int32_t pid;
};

struct ipc_hop_caller {
	uint64_t client;
	struct hop_caller caller;
};

struct ipc_hop_counts {
	uint64_t now, vouched, refused;
};

struct ipc_renew {
	struct cluster_id session, jti; /* jti: to root unused */
};

struct ipc {
	uint32_t type; /* enum ipc_type */
	union {
		struct ipc_log log;
		struct ipc_contact contact;
		struct ipc_publish publish;
		struct ipc_published published;
		struct ipc_session session;
		struct ipc_renew renew;
		struct ipc_relay relay;
		struct ipc_hop_ask hop_ask;
		struct ipc_hop_caller hop_caller;
		struct ipc_hop_counts hop_counts;
		struct agent_msg_status status;
		struct refusal refusal;
	};
};

/* Zeroes *m (padding as well: nothing uninitialised leaves a process) and sets its type. */
void ipc_init(struct ipc *m, enum ipc_type type);
/* A pair of connected packet sockets, close-on-exec. */
enum cluster_err ipc_pair(int ret[2], struct diag *d) CLUSTER_MUST_USE;
/* One packet and its descriptors (borrowed). CLUSTER_EUNAVAIL: the other side is gone, or does not read and `wait` is 0. */
enum cluster_err ipc_send(int fd, const struct ipc *m, const int *fds, size_t n_fds, int wait) CLUSTER_MUST_USE;
/*
 * One packet. Its text fields are terminated. The caller owns the *ret_n descriptors. CLUSTER_EUNAVAIL: end of file. CLUSTER_ENOTFOUND: nothing there now (non-blocking
 * descriptors only). CLUSTER_EFORMAT: not a whole struct ipc.
 */
enum cluster_err ipc_receive(int fd, struct ipc *ret, int ret_fds[IPC_FDS_MAX], size_t *ret_n) CLUSTER_MUST_USE;
/* Closes what ipc_receive gave. */
void ipc_close_fds(int *fds, size_t n);
/* Copies text into a field of an ipc struct, cut to fit, terminated. */
void ipc_text(char *dst, size_t size, const char *src);
/* Sends a line to be logged by root; nothing happens if that fails. */
void ipc_log(int fd, int level, const char *fmt, ...) CLUSTER_PRINTF(3, 4);

/* `n` bytes as a sealed, unchangeable piece of memory. The caller closes *ret. */
enum cluster_err ipc_memory(const char *name, const void *data, size_t n, int *ret, struct diag *d) CLUSTER_MUST_USE;
/* What ipc_memory does at its end: nobody can write to the memory behind `fd` any more, nor make it longer or shorter. */
enum cluster_err ipc_seal(int fd, struct diag *d) CLUSTER_MUST_USE;
/* Maps such memory read-only after making sure that nobody can change it any more. *ret is unmapped with ipc_unmap. CLUSTER_EUNTRUSTED: not sealed. CLUSTER_ELIMIT. */
enum cluster_err ipc_map(int fd, size_t max, const uint8_t **ret, size_t *ret_n, struct diag *d) CLUSTER_MUST_USE;
void ipc_unmap(const uint8_t *p, size_t n);

/* ---- frames between fetch and trust ---- */

enum frame_type {
	/* fetch to trust */
	FRAME_SIGN = 1, /* a path to GET, or that of the report: wants FRAME_TOKEN */
	FRAME_HEAD,     /* the head's text; then trust answers with WANT, POLL or REFUSED */
	FRAME_OBJECT,   /* bytes of an object; no answer */
	FRAME_FETCHED,  /* all that was wanted has been sent: answered as HEAD */
	FRAME_ABANDON,  /* could not get it: answered by POLL */
	FRAME_RENEWAL,  /* 16 bytes session id, then a credential: no answer */
	/* trust to fetch */
	FRAME_TOKEN,    /* the request's signature; empty: that will not be signed */
	FRAME_WANT,     /* n x (32 bytes SHA-256, u64 most bytes) */
	FRAME_POLL,     /* u64: the head version that is installed: go on from there */
	FRAME_REFUSED,  /* as POLL, then u8 enum cluster_err and the sentence: do not come back at once */
	FRAME_PINS,     /* u64: the version of the verified keyset; n x 32 bytes: its TLS pins */
	FRAME_TYPE_N
};

struct frame {
	enum frame_type type;
	uint8_t *data; /* n bytes and a NUL */
	size_t n;
};

/* The longest body of each type: a longer one is never sent, and refused before a byte of it is read. */
size_t frame_max(enum frame_type type);
enum cluster_err frame_send(int fd, enum frame_type type, const void *data, size_t n) CLUSTER_MUST_USE;
/* Blocks for a whole frame. The caller calls frame_done. CLUSTER_EUNAVAIL: the other side is gone. CLUSTER_ELIMIT, CLUSTER_EFORMAT: it misbehaves. */
enum cluster_err frame_receive(int fd, struct frame *ret) CLUSTER_MUST_USE;
void frame_done(struct frame *f);

#endif
