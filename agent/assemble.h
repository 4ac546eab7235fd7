/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_ASSEMBLE_H
#define AGENT_ASSEMBLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/attr.h"
#include "cluster/conf.h"
#include "cluster/credential.h"
#include "cluster/crypto.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "cluster/id.h"

#include "local.h"
#include "memory.h"

/*
 * From untrusted bytes to snapshots: the whole chain from the pin, versions against what is installed, everything of one head before anything is handed out
 * (PROTOCOL.md 3, 5.5; THREATS.md H). Pure: no clock, no file, no socket; `now` is an argument.
 *
 * A head is offered with assemble_head; while the state is ASSEMBLE_WANT, the wanted objects are given with assemble_object and assemble_step is called; at ASSEMBLE_READY
 * assemble_build makes the outputs, and once they stand on disk assemble_commit makes them the installed set. assemble_drop, or any error, forgets the offer; what is installed stays.
 */
struct assemble;

struct assemble_conf {
	uint8_t pin[CRYPTO_SHA256_SIZE];
	struct cluster_id cluster, node;
	struct conf_list adopt;
	uint32_t id_min, id_max;
	size_t change_most; /* the bytes that a change may have; 0: what its format allows. One that would have more is not made: all is built anew */
};

/* What has been installed before, whatever the documents on disk say; 0: nothing. */
struct assemble_floor {
	int64_t head, keyset, directory, revocations;
};

enum assemble_state {
	ASSEMBLE_SAME,  /* the head that is installed, once more */
	ASSEMBLE_WANT,
	ASSEMBLE_READY
};

struct assemble_want {
	uint8_t sha256[CRYPTO_SHA256_SIZE];
	uint64_t max;
};

struct assemble_output {
	struct memory accounts, trust; /* snapshots, or changes of the installed ones (cluster/snap_change.h); p == NULL: as installed */
	struct memory docs;            /* for docs_store; p == NULL: as installed */
	int64_t head_version, head_iat;
	bool rebuilt;                  /* the head itself is not newer than what is installed */
};

enum cluster_err assemble_new(const struct assemble_conf *conf, const struct assemble_floor *floor, struct assemble **ret) CLUSTER_MUST_USE;
void assemble_free(struct assemble *a);

/* The bytes of the local passwd and group files; accounts.snap is to be built again. */
enum cluster_err assemble_local(struct assemble *a, const char *passwd, size_t passwd_n, const char *group, size_t group_n) CLUSTER_MUST_USE;

/* Offers a head from the network. CLUSTER_EVERSION: it went back, jumped, or changed under its version; else as document_head_verify and what follows. */
enum cluster_err assemble_head(struct assemble *a, const char *text, size_t n, int64_t now, enum assemble_state *ret, struct diag *d) CLUSTER_MUST_USE;
/* Offers the head that was found on disk: its age does not matter, and its version may be behind the floor's as long as its documents are not. */
enum cluster_err assemble_restore(struct assemble *a, const char *text, size_t n, enum assemble_state *ret, struct diag *d) CLUSTER_MUST_USE;
/* What is wanted now: borrowed until the next call. */
const struct assemble_want *assemble_wanted(const struct assemble *a, size_t *ret_n);
/* Takes a copy. CLUSTER_ESIGNATURE: nobody asked for these bytes. */
enum cluster_err assemble_object(struct assemble *a, const void *bytes, size_t n, struct diag *d) CLUSTER_MUST_USE;
enum cluster_err assemble_step(struct assemble *a, int64_t now, enum assemble_state *ret, struct diag *d) CLUSTER_MUST_USE;

/*
 * After ASSEMBLE_READY: the offered set. Without an offer: the installed set once more, for what assemble_local changed. The caller calls assemble_output_done. `report`
 * hears of directory entries that are left out. CLUSTER_ENOTFOUND: the directory no longer has this node.
 */
enum cluster_err assemble_build(struct assemble *a, const struct local_report *report, struct assemble_output *ret, struct diag *d) CLUSTER_MUST_USE;
void assemble_output_done(struct assemble_output *o);
/* From now until the next assemble_commit every output is complete: what is installed cannot be relied on. */
void assemble_whole(struct assemble *a);
void assemble_commit(struct assemble *a);
void assemble_drop(struct assemble *a);

/* What is installed and verified. */
bool assemble_installed(const struct assemble *a);
int64_t assemble_version(const struct assemble *a); /* of the head; 0: nothing */
/* A credential as the installed keyset has it: errors as credential_verify, CLUSTER_EUNAVAIL if nothing is installed. */
enum cluster_err assemble_credential(const struct assemble *a, const char *text, size_t n, int64_t now, struct credential *ret, struct diag *d) CLUSTER_MUST_USE;
/* The installed keyset, borrowed; NULL: nothing is installed. */
const struct document_keyset *assemble_keyset(const struct assemble *a);

#endif
