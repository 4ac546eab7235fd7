/* SPDX-License-Identifier: Apache-2.0 */
/* The first byte of each step chooses the next get; whatever it is, the cursor stays inside, and a failure moves nothing. */
#include "fuzz.h"

#include <string.h>

#include "cluster/rd.h"
#include "cluster/wr.h"

static enum cluster_err get(struct rd *r, uint8_t what, uint8_t n, struct wr *w)
{
	char text[32], bytes[32];
	const uint8_t *view;
	struct rd sub;
	enum cluster_err e = CLUSTER_EFORMAT;
	uint16_t a;
	uint32_t b;
	uint64_t c;

	switch (what % 8) {
	case 0:
		if ((e = rd_u16(r, &a)) == CLUSTER_OK)
			wr_u16(w, a);
		break;
	case 1:
		if ((e = rd_u32(r, &b)) == CLUSTER_OK)
			wr_u32(w, b);
		break;
	case 2:
		if ((e = rd_u64(r, &c)) == CLUSTER_OK)
			wr_u64(w, c);
		break;
	case 3:
		if ((e = rd_bytes(r, bytes, sizeof bytes, n)) == CLUSTER_OK)
			wr_bytes(w, bytes, n);
		break;
	case 4:
		if ((e = rd_view(r, n, &view)) == CLUSTER_OK)
			wr_bytes(w, view, n);
		break;
	case 5:
		if ((e = rd_sub(r, n, &sub)) == CLUSTER_OK)
			wr_bytes(w, sub.p, rd_left(&sub));
		break;
	case 6:
		if ((e = rd_str8(r, text, sizeof text)) == CLUSTER_OK)
			wr_str8(w, text);
		break;
	case 7:
		if ((e = rd_str16(r, text, sizeof text)) == CLUSTER_OK)
			wr_str16(w, text);
		break;
	}
	return e;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct rd r;
	uint8_t what, size;

	rd_init(&r, data, n);
	while (rd_u8(&r, &what) == CLUSTER_OK && rd_u8(&r, &size) == CLUSTER_OK) {
		const struct rd before = r;
		uint8_t out[512];
		struct wr w;

		wr_init(&w, out, sizeof out);
		if (get(&r, what, size, &w) != CLUSTER_OK) {
			FUZZ_CHECK(r.p == before.p && r.n == before.n);
			continue;
		}
		FUZZ_CHECK(wr_end(&w) == CLUSTER_OK && r.p >= data && r.p + r.n == data + n);
		FUZZ_CHECK((size_t)(r.p - before.p) == w.n && memcmp(before.p, out, w.n) == 0);
	}
	return 0;
}
