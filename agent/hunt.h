/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGENT_HUNT_H
#define AGENT_HUNT_H

#include <stdbool.h>
#include <stddef.h>

#include "processes.h"

/*
 * For what forks and goes on in the child: by the time that a list of processes has been read it is elsewhere. New processes have higher numbers (until they come round), so it
 * is followed upwards, each process looked at and killed in the moment that the kernel names it.
 */

/* One way through all processes. Kills what is prey; returns how many that was. */
size_t hunt_pass(bool (*prey)(const struct process *p, void *arg), void *arg);
/* Again and again until two passes in a row have killed nothing; bounded. */
void hunt(bool (*prey)(const struct process *p, void *arg), void *arg);

#endif
