/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/snap.h"

#include "snap_hosts.h"
#include "snap_inline.h"

static bool all_zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

/* Every record sound, one behind the other, padding zero. */
static enum cluster_err verify_records(const struct snap *s, uint32_t type, uint64_t *ret_count)
{
	const struct snap_section *x = &s->section[type];
	uint64_t cursor = 0, count = 0;
	enum cluster_err e;
	struct rd body;

	while ((e = snap_each(s, type, &cursor, &body)) == CLUSTER_OK) {
		const uint8_t *end = body.p + body.n;

		if (!all_zero(end, (size_t)(x->p + cursor - end)))
			return CLUSTER_EFORMAT;
		count++;
	}
	if (e != CLUSTER_ENOTFOUND)
		return e;
	*ret_count = count;
	return CLUSTER_OK;
}

/*
 * Does snap_verify_accounts find every record of this section through each of its indexes? Then, as an index has as many slots as there are records, each slot leads to one,
 * and need not be followed.
 */
static bool found_later(const struct snap *s, uint32_t records)
{
	return s->kind == SNAP_ACCOUNTS && records <= SNAP_A_CRITICAL_MAX;
}

/* Every bucket sound, every slot leading to a sound record, unused slots zero. */
static enum cluster_err verify_index(const struct snap *s, uint32_t type, uint32_t records, uint64_t *ret_count)
{
	const struct snap_section *x = &s->section[type];
	uint64_t buckets = x->n / SNAP_BUCKET_SIZE, count = 0;
	enum cluster_err e;
	struct rd body;

	for (uint64_t i = 0; i < buckets; i++) {
		const uint8_t *b = x->p + i * SNAP_BUCKET_SIZE;

		if (!snap_bucket_ok(b, type, i) || b[5] & ~SNAP_BUCKET_OVERFLOW || b[6] | b[7])
			return CLUSTER_EFORMAT;
		for (unsigned int slot = 0; slot < b[4] && !found_later(s, records); slot++) {
			e = snap_record_at(s, records, (uint64_t)snap_be32(b + 12 + 8 * slot) * 8, &body);
			if (e != CLUSTER_OK)
				return e;
		}
		if (!all_zero(b + 8 + 8 * b[4], 8 * (size_t)(SNAP_BUCKET_SLOTS - b[4])))
			return CLUSTER_EFORMAT;
		count += b[4];
	}
	*ret_count = count;
	return CLUSTER_OK;
}

/* What lies between the table and the sections, and after the last, is zero. */
static bool gaps_zero(const struct snap *s)
{
	uint32_t count = snap_be32(s->base + 40);
	uint64_t end = SNAP_HEADER_SIZE + (uint64_t)count * SNAP_SECTION_SIZE;

	for (uint32_t i = 0; i < count; i++) {
		const uint8_t *entry = s->base + SNAP_HEADER_SIZE + (size_t)i * SNAP_SECTION_SIZE;
		uint64_t offset = snap_be64(entry + 8);

		if (!all_zero(s->base + end, (size_t)(offset - end)))
			return false;
		end = offset + snap_be64(entry + 16);
	}
	return all_zero(s->base + end, s->size - (size_t)end);
}

enum cluster_err snap_verify(const struct snap *s)
{
	uint64_t records_of[SNAP_SECTIONS_MAX] = { 0 }, count;
	enum snap_shape shape;
	enum cluster_err e;
	uint32_t records;

	if (!gaps_zero(s))
		return CLUSTER_EFORMAT;
	for (uint32_t type = 1; (shape = snap_section_shape(s->kind, type, &records)) != SNAP_SHAPE_UNKNOWN; type++) {
		e = CLUSTER_OK;
		if (shape == SNAP_SHAPE_RECORDS)
			e = verify_records(s, type, &records_of[type]);
		else if (shape == SNAP_SHAPE_INDEX)
			e = verify_index(s, type, records, &count);
		if (e != CLUSTER_OK)
			return e;
		/* Each index holds each record once: an index stands behind its records in order of type. */
		if (shape == SNAP_SHAPE_INDEX && count != records_of[records])
			return CLUSTER_EFORMAT;
	}
	if (s->kind != SNAP_ACCOUNTS)
		return CLUSTER_OK;
	e = snap_verify_accounts(s);
	return e == CLUSTER_OK ? snap_verify_hosts(s) : e;
}
