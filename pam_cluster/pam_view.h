/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PAM_VIEW_H
#define PAM_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/snapshots.h"

#include "pam_conf.h"
#include "pam_facts.h"

/* snapshots_open of this node's state; nothing if the configuration is wrong. Released by snapshots_close. */
void pam_view_open(struct snapshots *v, const struct pam_conf *conf);

/* A fresh snapshot does not have the name, and another name service does. */
bool pam_view_foreign(const struct snapshots *v, const struct pam_facts *f, int64_t max_stale);

#endif
