/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_HOP_ANSWER_H
#define AGENT_HOP_ANSWER_H

#include "cluster/node_conf.h"

#include "ipc.h"
#include "sessions.h"

/*
 * Root's answer to the hop process: facts of the process behind `pidfd` (borrowed, or -1: not given), no decision. It is of that process only if the process lives still when all has been
 * read. What goes wrong is in ret->err.
 */
void hop_answer(const struct sessions *s, const struct node_conf *conf, const struct ipc_hop_ask *q, int pidfd, struct hop_caller *ret);

#endif
