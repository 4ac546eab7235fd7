/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CONF_VALUE_H
#define CORE_CONF_VALUE_H

#include "cluster/conf.h"

/* Sets one field from its text. CLUSTER_ECONFIG with a sentence that names neither file nor key; the field is then untouched. */
enum cluster_err conf_value_set(const struct conf_key *key, const char *value, void *fields, struct diag *d) CLUSTER_MUST_USE;

#endif
