/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/id.h"

#include <string.h>

#include "cluster/b64.h"

bool id_equal(const struct cluster_id *a, const struct cluster_id *b)
{
	return memcmp(a->b, b->b, ID_SIZE) == 0;
}

bool id_is_zero(const struct cluster_id *a)
{
	static const struct cluster_id zero;

	return id_equal(a, &zero);
}

enum cluster_err id_parse(const char *text, struct cluster_id *ret)
{
	struct cluster_id id;

	if (!text || strnlen(text, ID_TEXT + 1) != ID_TEXT || b64_decode_exact(text, ID_TEXT, id.b, sizeof id.b) != CLUSTER_OK)
		return CLUSTER_EFORMAT;
	*ret = id;
	return CLUSTER_OK;
}

void id_text(const struct cluster_id *id, char dst[ID_TEXT + 1])
{
	if (b64_encode(id->b, sizeof id->b, dst, ID_TEXT + 1) != CLUSTER_OK)
		dst[0] = '\0';
}
