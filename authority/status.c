/* SPDX-License-Identifier: Apache-2.0 */
#include "status.h"

#include <stdlib.h>

#include "cluster/json.h"

int status_http(enum cluster_err e)
{
	switch (e) {
	case CLUSTER_OK:
		return 200;
	case CLUSTER_ETRUNC:
	case CLUSTER_EFORMAT:
	case CLUSTER_ECONFIG:
		return 400;
	case CLUSTER_ESIGNATURE:
	case CLUSTER_EEXPIRED:
	case CLUSTER_EEARLY:
	case CLUSTER_EUNTRUSTED:
		return 401;
	case CLUSTER_EDENIED:
	case CLUSTER_EREVOKED:
		return 403;
	case CLUSTER_ENOTFOUND:
		return 404;
	case CLUSTER_EVERSION:
		return 409;
	case CLUSTER_ELIMIT:
		return 413;
	case CLUSTER_EUNAVAIL:
		return 503;
	case CLUSTER_ENOMEM:
	case CLUSTER_ESYSTEM:
	case CLUSTER_ECRYPTO:
		return 500;
	}
	return 500;
}

struct blob *status_body(enum cluster_err e, const char *word, const char *message)
{
	struct json *j = json_make("{s:s, s:s}", "error", word ? word : err_name(e), "message", message);
	struct blob *b = NULL;
	char *text = NULL;
	size_t n = 0;

	if (json_text(j, &text, &n) == CLUSTER_OK)
		b = blob_new(text, n);
	free(text);
	json_free(j);
	return b;
}
