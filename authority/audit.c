/* SPDX-License-Identifier: Apache-2.0 */
#include "audit.h"

#include "cluster/crypto.h"
#include "cluster/wr.h"

#define RECORD_MAX 8192

enum cluster_err audit_hash(const uint8_t before[32], const struct store_audit *r, uint8_t ret[32])
{
	enum cluster_err e;
	struct wr w;

	wr_grow(&w, RECORD_MAX);
	wr_bytes(&w, before, 32);
	wr_u64(&w, (uint64_t)r->seq);
	wr_u64(&w, (uint64_t)r->time);
	wr_str16(&w, r->actor);
	wr_str16(&w, r->action);
	wr_str16(&w, r->object);
	wr_str16(&w, r->reason);
	if ((e = wr_end(&w)) == CLUSTER_OK)
		e = crypto_sha256(w.p, w.n, ret);
	wr_done(&w);
	return e;
}
