/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/quiet.h"

#include <string.h>

#include "cluster/snap.h"

bool quiet_says(struct quiet *q, const char *line, int64_t now)
{
	uint64_t hash = snap_hash(line, strlen(line), 0);
	unsigned int i, oldest = 0;

	for (i = 0; i < QUIET_LINES; i++) {
		if (q->line[i].hash == hash && q->line[i].said != 0 && now - q->line[i].said < QUIET_SECONDS)
			return false;
		if (q->line[i].hash == hash || q->line[i].said < q->line[oldest].said)
			oldest = i;
		if (q->line[i].hash == hash)
			break;
	}
	q->line[oldest].hash = hash;
	q->line[oldest].said = now ? now : 1;
	return true;
}
