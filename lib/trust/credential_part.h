/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRUST_CREDENTIAL_PART_H
#define TRUST_CREDENTIAL_PART_H

#include "cluster/attr.h"
#include "cluster/diag.h"
#include "cluster/err.h"
#include "cluster/jws.h"
#include "cluster/keyring.h"

/* By the issuer's key, in force; a static key's work is done in its place when there is none (THREATS.md G1). Errors as credential_verify has them. For credentials of both kinds. */
enum cluster_err credential_check_signature(const struct jws *j, const struct keyring_at *at, struct diag *d) CLUSTER_MUST_USE;

#endif
