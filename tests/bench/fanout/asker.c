/* SPDX-License-Identifier: Apache-2.0 */
#include "sim.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cluster/api.h"
#include "cluster/http.h"
#include "cluster/json.h"
#include "cluster/request.h"

#define PAUSE_MS 20

struct sim_asker {
	const struct sim_world *w;
	pthread_t thread;
	atomic_bool stop;
	size_t asked, failed;
	double max_ms;
};

/* A new connection for each, as a command has. */
static enum cluster_err ask(const struct sim_world *w, struct diag *d)
{
	struct request_credential r = { .c = { .htm = "POST", .htu = "/v1/credential" }, .cluster = w->cluster, .device = w->device };
	char url[64], *request = NULL;
	const struct api_where where = { .url = url };
	struct json *body = NULL, *answer = NULL;
	struct crypto_key *key = NULL;
	struct http *http = NULL;
	enum cluster_err e;

	snprintf(url, sizeof url, "https://127.0.0.1:%d", w->port);
	if ((e = crypto_key_new(CRYPTO_ED25519, &key)) != CLUSTER_OK || (e = crypto_key_pub(key, &r.cnf)) != CLUSTER_OK || (e = api_open(&where, &w->keyset, &http, d)) != CLUSTER_OK ||
	    (e = request_credential_build(&r, time(NULL), w->device_key, &request)) != CLUSTER_OK)
		goto out;
	if (!(body = json_make("{s:s}", "request", request)))
		e = CLUSTER_ENOMEM;
	else if ((e = api_json(http, "/v1/credential", NULL, body, 0, &answer, d)) == CLUSTER_OK && !json_member_text(answer, "credential"))
		e = CLUSTER_EFORMAT;
out:
	json_free(answer);
	json_free(body);
	free(request);
	http_free(http);
	crypto_key_free(key);
	return e;
}

static void *run(void *ctx)
{
	struct sim_asker *a = ctx;

	while (!atomic_load(&a->stop)) {
		double start = sim_ms(), took;
		struct diag d = { 0 };
		enum cluster_err e = ask(a->w, &d);

		took = sim_ms() - start;
		a->asked++;
		if (took > a->max_ms)
			a->max_ms = took;
		if (e != CLUSTER_OK && a->failed++ < 3)
			fprintf(stderr, "fanout: a credential request failed after %.0f ms: %s\n", took, d.text[0] ? d.text : err_name(e));
		sim_pause(PAUSE_MS);
	}
	return NULL;
}

struct sim_asker *sim_asker_start(const struct sim_world *w)
{
	struct sim_asker *a = calloc(1, sizeof *a);

	if (!a)
		sim_die("out of memory");
	a->w = w;
	if (pthread_create(&a->thread, NULL, run, a) != 0)
		sim_die("pthread_create");
	return a;
}

void sim_asker_stop(struct sim_asker *a, size_t *ret_asked, size_t *ret_failed, double *ret_max_ms)
{
	atomic_store(&a->stop, true);
	pthread_join(a->thread, NULL);
	*ret_asked = a->asked;
	*ret_failed = a->failed;
	*ret_max_ms = a->max_ms;
	free(a);
}
