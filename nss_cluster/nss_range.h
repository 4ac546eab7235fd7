/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NSS_RANGE_H
#define NSS_RANGE_H

#include "nss_state.h"

/* The slots of nss_state and their ranges of addresses: who may write a slot, and what is mapped where nothing is read any more. */

/*
 * A slot with a range of `size` bytes or more, for the caller alone, who maps over slot->base, at most `size` bytes, and calls nss_range_release.
 * NULL: there is none, or no address space.
 */
struct nss_slot *nss_range_claim(size_t size);
/* No longer for the caller alone: unless it has become current or is held, the next nss_range_reclaim clears it. */
void nss_range_release(struct nss_slot *s);
/* Puts zeros where a snapshot is that is neither current nor held. Where that fails it stays, whole, until the next time. errno is kept. */
void nss_range_reclaim(void);

#endif
